"""Simulated lakes for the benchmarks: made, fed and timed in one place.

Everything is built from the simulated market in a temporary folder; no real file is
read. It asserts nothing about speed.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from cbi_stream.cli.opening import registry
from cbi_stream.doors import landing
from cbi_stream.engine.executor import InProcess
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.step import Job, Outcome
from cbi_stream.engine.wave import WaveReport, run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.replay.market import SimulatedFile, lay_down, market
from cbi_stream.words.span import Span

FIRST, LAST = 2000, 2021  # the years of a lake that is called x1


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
    return loader.load(folder)


@dataclass
class Market:
    """A lake and the sessions that its simulated market has had so far."""

    lake: Lake
    graph: Graph
    sessions: tuple[date, ...]
    """All sessions, also those that are still to come."""
    inbox: Path
    now: int = 0
    """How many of them the lake has."""

    def files(self, now: int) -> list[SimulatedFile]:
        """Return the three files as they would be downloaded after `now` sessions."""
        return market(self.sessions[:now])

    def hand_in(self, files: Iterable[SimulatedFile]) -> None:
        """Put files into the landing."""
        for path in lay_down(files, self.inbox):
            landing.drop(self.lake, path, landing.Hint())


def made(folder: Path, *, years: int = LAST - FIRST + 1, to_come: int) -> Market:
    """Return an up-to-date lake over `years` years, with `to_come` sessions held back."""
    first = LAST - years + 1
    known = registry_since(first, folder / "registry")
    days = known.sessions.between(Span(date(first, 1, 1), date(LAST + 1, 1, 1)))
    graph = discover(known)
    lake = Lake.create(folder / "lake", known, kind="simulated")
    made_ = Market(lake, graph, days, folder / "inbox", len(days) - to_come)
    made_.hand_in(made_.files(made_.now))
    landing.take_in(lake, graph)
    run_wave(lake, graph, probing="one process")
    return made_


def last_lines(file: SimulatedFile, before: SimulatedFile) -> SimulatedFile:
    """Return the file with only the lines that `before` does not have.

    It is what a source that appends sends: mark, header, and the new lines.
    """
    old = before.data.decode().splitlines()
    return with_lines(file, lambda at, _: at >= len(old))


def with_lines(
    file: SimulatedFile, wanted: Callable[[int, str], bool]
) -> SimulatedFile:
    """Return the file with mark, header and the wanted lines, by number from 0."""
    lines = file.data.decode().splitlines()
    kept = [line for at, line in enumerate(lines) if at < 2 or wanted(at, line)]
    return SimulatedFile(file.name, "\n".join(kept).encode(), file.as_of)


@dataclass
class Stopwatch(InProcess):
    """Runs jobs here and notes, per table, when the first began and the last ended."""

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


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def checked(report: WaveReport, *, quiet: bool) -> WaveReport:
    """Return the report of a wave that did what the benchmark says it does."""
    if report.failed or report.quiet != quiet:
        msg = f"expected a wave that is quiet: {quiet}; found {report}"
        raise RuntimeError(msg)
    return report


STAGES = {
    "parse": ("landing.py", "_parsed"),
    "append to raw": ("records.py", "append_lines"),
    "fingerprints": ("fingerprint.py", "of_node"),
    "plan": ("plan.py", "plan_table"),
    "read slices": ("slices.py", "frames_for"),
    "handler": ("step.py", "called"),
    "canonical": ("canonical.py", "canonical"),
    "digest": ("canonical.py", "digest"),
    "compare": ("change.py", "changes"),
    "merge intervals": ("change.py", "coalesce"),
    "write parquet": ("table.py", "write_parquet"),
    "commit": ("commit.py", "commit"),
    "effects": ("effects.py", "run_all"),
    "publish": ("lake.py", "publish"),
}
"""Functions whose cumulative time stands for a stage. They overlap where one calls
another: append to raw holds its own canonical, digest, merge, write and commit, and
compare holds a part of merge intervals."""


@contextmanager
def profiled(into: dict[str, float]) -> Iterator[None]:
    """Add the cumulative seconds of each stage inside the block, by cProfile.

    A profile slows Python down and native code not at all, so stages made of many
    small calls look up to twice as long as they are; read shares, not seconds.
    """
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        # The typed interface knows functions by name alone, without their files.
        stats: Any = pstats.Stats(profile)
        into["total"] = into.get("total", 0.0) + stats.total_tt
        for stage, (file, name) in STAGES.items():
            seconds = sum(
                row[3]
                for (path, _, function), row in stats.stats.items()
                if function == name and Path(path).name == file
            )
            into[stage] = into.get(stage, 0.0) + seconds


def say_stages(what: str, spent: dict[str, float], *, runs: int = 1) -> None:
    """Print each stage's share of what was profiled."""
    for stage, seconds in spent.items():
        if stage != "total" and seconds:
            share = round(100 * seconds / spent["total"], 1)
            say(f"{what}: {stage}, % of the profile", share, s=round(seconds / runs, 4))


def say(figure: str, value: float, **more: object) -> None:
    """Print one figure as a line of JSON."""
    print(json.dumps({"figure": figure, "value": value, **more}), flush=True)


def say_seconds(figure: str, seconds: Sequence[float], **more: object) -> None:
    """Print a median with its lowest and highest round."""
    low, high = round(min(seconds), 4), round(max(seconds), 4)
    say(figure, round(statistics.median(seconds), 4), lowest=low, highest=high, **more)


def say_ratio(
    figure: str, above: Sequence[float], below: Sequence[float], digits: int = 3
) -> None:
    """Print the median of a ratio taken round by round."""
    ratios = [a / b for a, b in zip(above, below, strict=True)]
    low, high = round(min(ratios), digits), round(max(ratios), digits)
    say(figure, round(statistics.median(ratios), digits), lowest=low, highest=high)
