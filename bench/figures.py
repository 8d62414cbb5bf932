"""Takes times and prints figures, one line of JSON each.

It knows no lake. It asserts nothing about speed.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence

Stamp = tuple[float, float]


def stamp() -> Stamp:
    """Return what the clock says, and the seconds that this process has computed.

    On a machine that others use too, the second says more than the first; what the
    reader's child computes is not in it.
    """
    return time.perf_counter(), time.process_time()


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def say(figure: str, value: float, **more: object) -> None:
    """Print one figure as a line of JSON."""
    print(json.dumps({"figure": figure, "value": value, **more}), flush=True)


def say_seconds(figure: str, seconds: Sequence[float], **more: object) -> None:
    """Print a median with its lowest and highest round."""
    low, high = round(min(seconds), 4), round(max(seconds), 4)
    spread: dict[str, object] = {"lowest": low, "highest": high, "rounds": len(seconds)}
    say(figure, round(statistics.median(seconds), 4), **spread, **more)


def say_ratio(
    figure: str, above: Sequence[float], below: Sequence[float], digits: int = 3
) -> None:
    """Print the median of a ratio taken round by round."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    low, high = round(min(ratios), digits), round(max(ratios), digits)
    say(figure, round(statistics.median(ratios), digits), lowest=low, highest=high)
