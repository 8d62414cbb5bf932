"""What a session brings, and how long after its arrival each result stands.

It drives the road that `cbi run` drives: landing, wave, effects, receipts. It prints
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from bench.figures import Stamp, stamp, timed
from bench.lakes import (
    OIL,
    Market,
    Stopwatch,
    checked,
    has_prices,
    new_lines,
    with_lines,
)
from cbi_stream.doors import landing
from cbi_stream.engine.wave import run_wave
from cbi_stream.replay.edits import corrected
from cbi_stream.replay.market import SimulatedFile

_SESSIONS_A_YEAR = 252
MOMENTS = ("raw", "published", "exports", "receipts")
"""Every line in raw; master and labels published; ten exports with their manifests;
every line's fate in its receipt."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What arrives for one session."""

    name: str
    of: Literal["oil", "prices", "pull"]
    whole: bool

    def files(self, market: Market) -> list[SimulatedFile]:
        """Return the files of the next session, which the market then has had."""
        market.now += 1
        full = market.files(market.now) if self.of == "pull" else _bars(market)
        if self.of == "oil":
            full = [file for file in full if file.name == OIL]
        sent = full if self.whole else new_lines(full, market.given)
        market.given |= {file.name: file for file in full}
        return sent


def _bars(market: Market) -> list[SimulatedFile]:
    return market.prices(market.now)


OIL_LINE = Kind("ZL alone, new line", "oil", whole=False)
OIL_FILE = Kind("ZL alone, whole file", "oil", whole=True)
PRICE_LINES = Kind("price files, new lines", "prices", whole=False)
PRICE_FILES = Kind("price files, whole", "prices", whole=True)
PULL_LINES = Kind("the whole pull, new lines", "pull", whole=False)
PULL_FILES = Kind("the whole pull, whole files", "pull", whole=True)
KINDS = (PRICE_FILES, PRICE_LINES, OIL_FILE, OIL_LINE, PULL_FILES, PULL_LINES)


@dataclass
class Times:
    """Seconds from the rename into the landing to each moment, arrival by arrival."""

    until: dict[str, list[float]] = field(default_factory=dict)
    computed: dict[str, list[float]] = field(default_factory=dict)
    """The same in seconds that this process computed."""
    tables: dict[str, list[float]] = field(default_factory=dict)
    files: list[int] = field(default_factory=list)

    def note(self, found: Arrived) -> None:
        """Add one arrival."""
        for moment, (seconds, computed) in found.until.items():
            self.until.setdefault(moment, []).append(seconds)
            self.computed.setdefault(moment, []).append(computed)
        for table, seconds in found.tables.items():
            self.tables.setdefault(table, []).append(seconds)
        self.files.append(found.files)


@dataclass(frozen=True, slots=True)
class Arrived:
    """One arrival, timed."""

    until: dict[str, Stamp]
    tables: dict[str, float]
    """Seconds in the jobs of each table."""
    files: int


def placed(market: Market, files: Iterable[SimulatedFile]) -> list[Path]:
    """Hand files in, whole and synced, under names that nobody looks at yet.

    Returns:
        Where each will stand once it is renamed.
    """
    paths = market.hand_in(files)
    for path in paths:
        path.rename(_hidden(path))
    return paths


def _hidden(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def arrived(market: Market, paths: list[Path], *, news: bool = True) -> Arrived:
    """Rename files into the landing, and do what follows; note when each thing stands.

    Args:
        market: the lake and its market.
        paths: what `placed` gave.
        news: whether the files say anything new.

    Raises:
        RuntimeError: something else happened than the benchmark speaks of.
    """
    lake, graph, watch = market.lake, market.graph, Stopwatch()
    start = stamp()
    for path in paths:
        _hidden(path).rename(path)
    receipts = landing.take_in(lake, graph, reader=market.reader)
    raw = stamp()
    report = run_wave(lake, graph, executor=watch)
    exported = stamp()
    done = landing.complete(lake, graph, receipts)
    told = stamp()
    checked(report, quiet=not news)
    stored = sum(receipt.stored for receipt in done)
    taken = [
        receipt for receipt in done if receipt.taken and receipt.staged is not None
    ]
    if len(taken) != len(paths) or (stored > 0) != news or bool(report.written) != news:
        msg = f"expected {len(paths)} files taken, news: {news}; found {done}, {report}"
        raise RuntimeError(msg)
    ends = (raw, lake.published_at, exported, told)
    until = {
        moment: (end[0] - start[0], end[1] - start[1])
        for moment, end in zip(MOMENTS, ends, strict=True)
    }
    return Arrived(until, watch.computed, len(paths))


def idle(market: Market) -> float:
    """Return the seconds of a look at an empty landing, and a wave without news."""

    def work() -> None:
        landing.take_in(market.lake, market.graph, reader=market.reader)
        checked(run_wave(market.lake, market.graph), quiet=True)

    return timed(work)


def rebuilt_in_place(market: Market) -> float:
    """Return the seconds of `cbi rebuild` on an intact lake: nothing is committed."""

    def work() -> None:
        checked(run_wave(market.lake, market.graph, asked=True), quiet=True)

    return timed(work)


def again(market: Market) -> list[SimulatedFile]:
    """Return the price files as they were last handed in."""
    return [file for file in market.given.values() if has_prices(file)]


def correction(market: Market) -> tuple[SimulatedFile, SimulatedFile]:
    """Return a file with one corrected bar of ten years ago, and the file to undo it.

    Each is seen a minute after the one before: what was seen twice is no news.
    """
    prices = market.prices(market.now)[0]
    rows = prices.data.decode().splitlines()
    at = len(rows) - 10 * _SESSIONS_A_YEAR
    while "null" in rows[at]:
        at += 1
    day = market.sessions[at - 2]
    line = with_lines(prices, lambda i, _: i == at)
    close = float(rows[at].split(",")[4]) + 0.5
    other = corrected(line.data, day=day, close=close)
    market.corrections += 2
    seen = [prices.as_of + timedelta(minutes=market.corrections + i) for i in (0, 1)]
    return (
        SimulatedFile(line.name, other, seen[0]),
        SimulatedFile(line.name, line.data, seen[1]),
    )
