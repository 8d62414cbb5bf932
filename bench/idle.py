"""What the real daemon costs while nothing arrives: processor, memory, wakes.

It runs on a simulated lake of 22 years, up to date, after one arrival, so that the
reader and the worker stand; then nobody does anything. With the observer, and without.
One JSON line per figure. It asserts nothing, and reads no real file. It needs Linux.

Run: python -m bench.idle
     python -m bench.idle --seconds 60 --modes on

It takes about eight minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.arrivals import OIL_LINE
from bench.daemons import Desk, Process, family, running, turns, until_told
from bench.figures import say
from bench.lakes import Market, made
from cbi_stream.doors.readers import Child

MODES: dict[str, tuple[str, ...]] = {"on": (), "off": ("--no-watch",)}
REST_SECONDS, LOOK_SECONDS = 20.0, 5.0
_MB = 1024 * 1024


def arrived(market: Market, desk: Desk) -> None:
    """Let one session arrive, and wait until everything is done."""
    files = OIL_LINE.files(market)
    desk.moved(market.lake, desk.laid(files))
    known = {file.name: hashlib.sha256(file.data).hexdigest() for file in files}
    until_told(market.lake, known)


def _by_name(processes: dict[int, Process], part: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in processes.values():
        found[each.name] = found.get(each.name, 0) + getattr(each, part)
    return found


def _spent(before: dict[int, Process], after: dict[int, Process], part: str) -> float:
    """Return what was used in between; a process that is new began at nothing."""
    spent = 0.0
    for pid, each in after.items():
        begun = getattr(before[pid], part) if pid in before else 0
        spent += getattr(each, part) - begun
    return spent


def measured(market: Market, desk: Desk, mode: str, *, seconds: float) -> None:
    """Print what the daemon costs in so many idle seconds."""
    with running(market.lake, *MODES[mode]) as pid:
        arrived(market, desk)
        time.sleep(REST_SECONDS)
        name = f"idle, observer {mode}"
        start, before, looked = time.monotonic(), family(pid), turns(market.lake)
        while time.monotonic() - start < seconds:
            time.sleep(LOOK_SECONDS)
        after = family(pid)
        took = time.monotonic() - start
        share = 100 * _spent(before, after, "cpu") / took
        say(f"{name}: processor, % of one core", round(share, 3), s=round(took))
        for what, part in (("resident", "resident"), ("at most", "peak")):
            told = _by_name(after, part)
            rounded = {each: round(n / _MB) for each, n in sorted(told.items())}
            say(
                f"{name}: memory, {what}, MB",
                round(sum(told.values()) / _MB),
                **rounded,
            )
        wakes = _spent(before, after, "switches")
        say(f"{name}: wakes of all threads a minute", round(60 * wakes / took))
        # The heartbeat is written each five seconds at most, so this is not exact.
        looks = 60 * (turns(market.lake) - looked) / took
        say(f"{name}: looks a minute", round(looks, 1))


def main() -> None:
    """Measure each mode on the same lake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--modes", nargs="+", choices=tuple(MODES), default=list(MODES))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        with Child() as reader:
            market = made(Path(name) / "x1", reader=reader, to_come=len(asked.modes))
        desk = Desk(Path(name) / "desk", market.graph.registry)
        for mode in asked.modes:
            measured(market, desk, mode, seconds=asked.seconds)


if __name__ == "__main__":
    main()
