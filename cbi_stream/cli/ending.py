"""The first SIGINT or SIGTERM is heard and obeyed; a second one ends the process at once.

It decides nothing about what is finished first.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def heard(stop: Callable[[], object]) -> Iterator[None]:
    """Call `stop` at the first signal; that it is obeyed is the caller's word.

    A second signal ends the process at once: that is safe too, only less polite.
    """

    def told(number: int, _: FrameType | None) -> None:
        stop()
        signal.signal(number, signal.SIG_DFL)

    before = {n: signal.signal(n, told) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
