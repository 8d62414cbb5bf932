"""One session more through the engine, against the full build of every family.

A lake of the simulated oil, VIX and ten-year yield, so that ten times the history is
laid down in minutes; the other joins of the panel are null, and are computed all the
same. It judges no figure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bench.figures import say, say_ratio, say_seconds
from bench.lakes import LAST, Stopwatch, checked, registry_since
from cbi_stream.doors import landing
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import SimulatedFile, lay_down, market
from cbi_stream.words.span import Span

YEARS = 22
_ABOVE = 2


@dataclass
class Fed:
    """A lake that is fed session by session."""

    lake: Lake
    graph: Graph
    files: dict[str, list[bytes]]
    """By name, the lines of the whole market."""
    days: tuple[date, ...]
    inbox: Path
    now: int

    def hand_in(self, first: int) -> None:
        """Take in the lines from one session up to the newest."""
        since, until = self.days[first], self.days[self.now - 1]
        as_of = market([until])[0].as_of
        files = [
            SimulatedFile(name, _cut(lines, since, until), as_of)
            for name, lines in self.files.items()
        ]
        for path in lay_down(files, self.inbox):
            landing.drop(self.lake, path, landing.Hint(as_of=as_of))
        told = landing.take_in(self.lake, self.graph)
        if not all(receipt.taken for receipt in told):
            msg = f"expected every file to be taken; found {told}"
            raise RuntimeError(msg)

    def seconds(self, *, asked: bool = False, quiet: bool = False) -> float:
        """Return the seconds of the jobs of the panel and of every family in a wave."""
        watch = Stopwatch()
        report = run_wave(
            self.lake, self.graph, executor=watch, asked=asked, probing="off"
        )
        checked(report, quiet=quiet)
        families = self.graph.registry.feature_registry.families
        tables = [f"features.{name}" for name in (*families, "panel", "master")]
        return sum(watch.computed.get(table, 0.0) for table in tables)

    def next_session(self) -> float:
        """Let the next session arrive; return what its features took."""
        self.now += 1
        self.hand_in(self.now - 1)
        return self.seconds()


def _cut(lines: Sequence[bytes], since: date, until: date) -> bytes:
    first, last = (day.isoformat().encode() for day in (since, until))
    kept = [line for line in lines[_ABOVE:] if first <= line[: len(first)] <= last]
    return b"\n".join([*lines[:_ABOVE], *kept]) + b"\n"


def fed(folder: Path, *, years: int, to_come: int) -> Fed:
    """Return a lake over so many years, up to date, with some sessions held back."""
    first = LAST - years + 1
    known = registry_since(first, folder / "registry")
    days = known.sessions.between(Span(date(first, 1, 1), date(LAST + 1, 1, 1)))
    files = {file.name: file.data.splitlines() for file in market(days)}
    lake = Lake.create(folder / "lake", known, kind="simulated")
    made = Fed(
        lake, discover(known), files, days, folder / "inbox", len(days) - to_come
    )
    made.hand_in(0)
    return made


def days_of_engine(*, times: Sequence[int], rounds: int) -> None:
    """Print the full build, one session more, its share, and the share with more history.

    Args:
        times: how many times 22 years the lakes hold.
        rounds: sessions that arrive one by one, in turn over the lakes.
    """
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        lakes = {
            each: fed(Path(name) / f"x{each}", years=YEARS * each, to_come=rounds + 1)
            for each in times
        }
        full = {each: one.seconds() for each, one in lakes.items()}
        days: dict[int, list[float]] = {each: [] for each in times}
        for turn in range(rounds + 1):
            for each, one in lakes.items():
                took = one.next_session()
                days[each] += [took] if turn else []  # the first one warms up
    for each in times:
        sessions = len(lakes[each].days)
        say(f"x{each}: full build, s", round(full[each], 2), sessions=sessions)
        say_seconds(f"x{each}: one session more, s", days[each])
        whole = [full[each] / 100.0] * len(days[each])
        say_ratio(f"x{each}: one session more, % of the full build", days[each], whole)
    for each in times[1:]:
        say_ratio(f"one session more: x{each} / x1", days[each], days[times[0]], 2)
