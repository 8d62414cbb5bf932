"""A flood of files that come while the daemon is stopped, more than the kernel's queue holds.

One JSON line per count: files a second, the peak of memory, and whether each file is in
exactly one end with a receipt and each line in raw once. It reads no real file.

Run: python -m bench.flood --files 1000 5000 20000
"""

from __future__ import annotations

import argparse
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.figures import say, timed
from cbi_stream.engine import fates
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from tests.faults import flooding, killing

_QUEUE = Path("/proc/sys/fs/inotify/max_queued_events")
_PARTS = 5
_PATIENCE_SECONDS = 7200.0
_TELL_SECONDS = 60.0


def flooded(folder: Path, count: int) -> None:
    """Flood one new lake with so many files; print what became of them."""
    lake = Lake.create(folder / "lake", killing.GRAPH.registry, kind="real")
    run_wave(lake, killing.GRAPH)  # so that no file waits for a probe
    drops = flooding.flood(count)
    with killing.daemon(lake) as process:
        killing.beats(lake, after=0)
        process.send_signal(signal.SIGSTOP)
        putting = timed(lambda: flooding.put(lake, drops))
        process.send_signal(signal.SIGCONT)
        start = time.perf_counter()
        seen = flooding.taken(
            lake, drops, most_seconds=_PATIENCE_SECONDS, tell=_told(process.pid)
        )
        seconds = time.perf_counter() - start
        peak = flooding.peak_mb(process.pid)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=120)
    counts = fates.of_lake(lake, killing.GRAPH).values()
    say(
        "files a second",
        round(count / seconds, 1),
        files=count,
        queue=int(_QUEUE.read_text()) if _QUEUE.exists() else None,
        seconds=round(seconds, 1),
        putting_s=round(putting, 1),
        a_second_by_fifths=_by_parts(seen, count),
        peak_mb=peak,
        daemon_ended_with=code,
        unaccounted=sum(each["unaccounted"] for each in counts),
        wrong=flooding.wrong(lake, drops),
    )


def _told(pid: int) -> Callable[[float, int], None]:
    """Return what says now and then how far the flood has gone."""
    told = [0.0]

    def tell(seconds: float, left: int) -> None:
        if seconds - told[0] >= _TELL_SECONDS:
            told[0] = seconds
            peak = flooding.peak_mb(pid)
            say("files left", left, seconds=round(seconds, 1), peak_mb=peak)

    return tell


def _by_parts(seen: list[tuple[float, int]], count: int) -> list[float]:
    """Return files a second in each fifth of the flood, waves between them included."""
    rates = []
    first, after = 0.0, count
    for part in range(1, _PARTS + 1):
        left = count - count * part // _PARTS
        at, there = next(((t, n) for t, n in seen if n <= left), seen[-1])
        rates.append(round((after - there) / (at - first), 1) if at > first else 0.0)
        first, after = at, there
    return rates


def main() -> None:
    """Flood a new lake for each count."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--files", type=int, nargs="+", default=[1000, 5000])
    for count in words.parse_args().files:
        with tempfile.TemporaryDirectory(prefix="bench-") as name:
            flooded(Path(name), count)


if __name__ == "__main__":
    main()
