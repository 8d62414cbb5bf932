"""Simulated lakes for the benchmarks: made, and fed session by session.

Everything is built from the simulated market in a temporary folder; no real file is
read. It judges no figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path

from bench.figures import Stamp, stamp
from cbi_stream.cli.opening import registry
from cbi_stream.doors import landing
from cbi_stream.doors.readers import Reader
from cbi_stream.engine.executor import InProcess
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake, Seen
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.replay.market import SimulatedFile, lay_down, market
from cbi_stream.replay.pull import complex_market
from cbi_stream.words.span import Span

FIRST, LAST = 2000, 2021  # the years of a lake that is called x1
OIL = "ZL=F.csv"
_SAVED = ("soybean_oil.csv", "wti.csv")
_ABOVE = 2  # the mark and the header


def registry_since(year: int, folder: Path) -> Registry:
    """Return the project's registry with a calendar that begins in `year`.

    Before 1999 every weekday is then a session: good enough for a simulated market,
    and the only way to have three times the history.
    """
    known = registry()
    if year >= known.sessions.covers.start.year:
        return known
    for path in known.folder.rglob("*"):
        copy = folder / path.relative_to(known.folder)
        if path.is_dir():
            copy.mkdir(parents=True, exist_ok=True)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    sessions = folder / "sessions.yaml"
    began = f"first: {known.sessions.covers.start}"
    text = sessions.read_text(encoding="utf-8")
    sessions.write_text(text.replace(began, f"first: {year}-01-01"), encoding="utf-8")
    regimes = folder / "regime_calendar.yaml"
    first = known.regime_calendar.regimes[0].start
    text = regimes.read_text(encoding="utf-8")
    # Every session belongs to a regime: the first one begins where the calendar does.
    text = text.replace(f"start: {first}", f"start: {year}-01-01", 1)
    regimes.write_text(text, encoding="utf-8")
    return loader.load(folder)


class ClockedLake(Lake):
    """A lake that notes when it last published."""

    published_at: Stamp = (0.0, 0.0)
    """When the pointer was renamed, and synced."""

    def publish(self, tables: Mapping[str, Seen]) -> None:
        """Make readers see these versions, and look at the clock."""
        super().publish(tables)
        self.published_at = stamp()


@dataclass
class Market:
    """A lake and the sessions that its simulated market has had so far."""

    lake: ClockedLake
    graph: Graph
    sessions: tuple[date, ...]
    """All sessions, also those that are still to come."""
    inbox: Path
    reader: Reader
    now: int = 0
    """How many of them the lake has."""
    given: dict[str, SimulatedFile] = field(default_factory=dict)
    """By name: the whole file as it was when it was last handed in."""
    corrections: int = 0
    """How many files of corrections there were."""

    def files(self, now: int) -> list[SimulatedFile]:
        """Return every file of a pull after `now` sessions."""
        return complex_market(self.sessions[:now])

    def prices(self, now: int) -> list[SimulatedFile]:
        """Return the price files of that pull; it makes no market to get them.

        The files of a longer run start with the bytes of the shorter run's.
        """
        last = self.sessions[now - 1]
        as_of = market([last])[0].as_of
        return [_until(file, last, as_of) for file in self._longest]

    @cached_property
    def _longest(self) -> list[SimulatedFile]:
        return [file for file in self.files(len(self.sessions)) if has_prices(file)]

    def hand_in(self, files: Iterable[SimulatedFile]) -> list[Path]:
        """Put files into the landing; return where they stand."""
        found = list(files)
        paths = lay_down(found, self.inbox)
        return [
            landing.drop(self.lake, path, landing.Hint(as_of=file.as_of))
            for path, file in zip(paths, found, strict=True)
        ]


def has_prices(file: SimulatedFile) -> bool:
    """Return whether a file holds the bars of one symbol."""
    return file.name.endswith("=F.csv") or file.name in _SAVED


def made(
    folder: Path, *, reader: Reader, years: int = LAST - FIRST + 1, to_come: int
) -> Market:
    """Return an up-to-date lake over `years` years, with `to_come` sessions held back.

    Args:
        folder: a new one, for the lake and its files.
        reader: who parses the files.
        years: how many, up to the last year of x1.
        to_come: how many of the last sessions the lake does not have yet.

    Raises:
        RuntimeError: the simulated market keeps one of its promises no more.
    """
    first = LAST - years + 1
    known = registry_since(first, folder / "registry")
    days = known.sessions.between(Span(date(first, 1, 1), date(LAST + 1, 1, 1)))
    Lake.create(folder / "lake", known, kind="simulated")
    lake = ClockedLake(folder / "lake", known)
    graph = discover(known)
    market_ = Market(lake, graph, days, folder / "inbox", reader, len(days) - to_come)
    files = market_.files(market_.now)
    if market_.prices(market_.now) != [file for file in files if has_prices(file)]:
        msg = "expected the files of a longer run to start with those of a shorter one"
        raise RuntimeError(msg)
    market_.hand_in(files)
    market_.given = {file.name: file for file in files}
    told = landing.take_in(lake, graph, reader=reader)
    if not all(receipt.taken for receipt in told):
        msg = f"expected every file to be taken; found {told}"
        raise RuntimeError(msg)
    checked(run_wave(lake, graph, probing="one process"), quiet=False)
    return market_


def with_lines(
    file: SimulatedFile, wanted: Callable[[int, bytes], bool]
) -> SimulatedFile:
    """Return the file with mark, header and the wanted lines, by number from 0."""
    lines = file.data.splitlines()
    kept = [line for at, line in enumerate(lines) if at < _ABOVE or wanted(at, line)]
    end = b"\n" if file.data.endswith(b"\n") else b""
    return SimulatedFile(file.name, b"\n".join(kept) + end, file.as_of)


def _until(file: SimulatedFile, last: date, as_of: datetime) -> SimulatedFile:
    """Return the file as it was at `as_of`, when `last` was its last day."""
    day = last.isoformat().encode()
    cut = with_lines(file, lambda _, line: line[: len(day)] <= day)
    return SimulatedFile(file.name, cut.data, as_of)


def new_lines(
    files: Iterable[SimulatedFile], before: Mapping[str, SimulatedFile]
) -> list[SimulatedFile]:
    """Return what sources that append would send: mark, header, and new lines.

    A file without a new line is left out.
    """
    found = []
    for file in files:
        fresh = _not_in(file, before.get(file.name))
        if len(fresh.data.splitlines()) > _ABOVE:
            found.append(fresh)
    return found


def _not_in(file: SimulatedFile, before: SimulatedFile | None) -> SimulatedFile:
    known = frozenset(before.data.splitlines() if before else ())
    return with_lines(file, lambda _, line: line not in known)


@dataclass
class Stopwatch(InProcess):
    """Runs jobs here and notes, per table, the seconds from the first to the last."""

    computed: dict[str, float] = field(default_factory=dict)
    """Seconds in the jobs of each table: slice, handler, judge, compare, write."""

    def outcomes(
        self, lake: Lake, graph: Graph, jobs: Iterable[Job]
    ) -> Iterator[Outcome]:
        """Run the jobs and add up their seconds."""
        waiting = list(jobs)
        start = time.perf_counter()
        found = list(super().outcomes(lake, graph, waiting))
        for job in waiting[:1]:
            self.computed[job.table] = time.perf_counter() - start
        return iter(found)


def checked(report: WaveReport, *, quiet: bool) -> WaveReport:
    """Return the report of a wave that did what the benchmark says it does."""
    if report.failed or report.quiet != quiet:
        msg = f"expected a wave that is quiet: {quiet}; found {report}"
        raise RuntimeError(msg)
    return report
