"""A lake, files that arrive, and the real daemon in a process that may be killed.

It starts and ends only its own processes, and reads no real data.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from cbi_stream.doors import dropping, landing
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay import edits
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from cbi_stream.words.span import Span
from tests.laws import worlds

GRAPH = worlds.discovered()
DAYS = GRAPH.registry.sessions.between(Span(date(2017, 9, 1), date(2018, 12, 1)))
COMMAND = "from cbi_stream.cli.app import main; main()"
SETTLED_SECONDS = 60


def arrivals() -> Iterator[list[SimulatedFile]]:
    """Give the files of ten sessions, with a late row and a correction among them."""
    for i in range(10):
        now = DAYS[: 290 + i]
        files = {f.name: f for f in complex_market(now, lead=60)}
        oil = files["ZL=F.csv"]
        data = edits.without_row(oil.data, day=DAYS[285]) if i < 5 else oil.data
        if i >= 7:
            data = edits.corrected(
                data, day=DAYS[250], close=round(_close(data) * 1.01, 2)
            )
        files["ZL=F.csv"] = SimulatedFile(oil.name, data, oil.as_of)
        names = ("ZL=F.csv", "soybean_oil.csv", "VIXCLS.csv", "NFCI.csv")
        yield [files[name] for name in names]


def _close(data: bytes) -> float:
    """Return the close of the day that is corrected: what could be true is let in."""
    day = DAYS[250].isoformat().encode()
    return float(next(r for r in data.splitlines() if r.startswith(day)).split(b",")[4])


def prepared(folder: Path) -> Lake:
    """Make a lake that knows its handlers, so that no kill meets a probe."""
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    hand_in(lake, folder, next(arrivals()))
    landing.take_in(lake, GRAPH)
    run_wave(lake, GRAPH)
    return lake


def hand_in(lake: Lake, folder: Path, files: Sequence[SimulatedFile]) -> None:
    """Drop files as a person would, without waiting for anybody."""
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        while (lake.folder / "landing" / path.name).exists():
            time.sleep(0.05)  # the file of the session before was not taken yet
        dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


def hand_in_some(lake: Lake, folder: Path, files: Sequence[SimulatedFile]) -> None:
    """Drop files while the daemon may die: one that still waits is dropped later."""
    for path, file in zip(lay_down(files, folder / "desk"), files, strict=True):
        deadline = time.monotonic() + 20
        while (lake.folder / "landing" / path.name).exists():
            if time.monotonic() > deadline:
                msg = f"{path.name} was not taken in"
                raise TimeoutError(msg)
            time.sleep(0.05)
        dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


@contextmanager
def daemon(lake: Lake, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the real daemon in a process of its own; end it by its own id."""
    words = [sys.executable, "-c", COMMAND, "run", "--lake", str(lake.folder), *options]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def beats(lake: Lake, *, after: float) -> None:
    """Wait until the daemon has looked once."""
    path = lake.folder / "heartbeat.json"
    deadline = time.monotonic() + 180
    while not path.exists() or path.stat().st_mtime < after:
        if time.monotonic() > deadline:
            msg = "no heartbeat"
            raise TimeoutError(msg)
        time.sleep(0.1)


def exports(lake: Lake) -> dict[str, bytes]:
    """Return the bytes of each training file."""
    folder = lake.folder / "exports"
    return {p.name: p.read_bytes() for p in sorted(folder.glob("*.parquet"))}


def raw_lines(lake: Lake) -> list[tuple[object, ...]]:
    """Return every stored line by file, line and when it was seen, in order."""
    found: list[tuple[object, ...]] = []
    for name, contract in sorted(lake.registry.contracts.items()):
        if contract.provenance:
            table = lake.table(name)
            rows = table.read(table.head()[1].partitions.values())
            names = ["sha256", "line", "as_of"]
            found += rows.select(names).sort(names).rows()
    return found


def settled(lake: Lake, want: dict[str, bytes]) -> bool:
    """Wait until the daemon has published what `want` holds."""
    deadline = time.monotonic() + SETTLED_SECONDS
    while time.monotonic() < deadline:
        if not landing.waiting(lake) and exports(lake) == want:
            return True
        time.sleep(0.2)
    return False
