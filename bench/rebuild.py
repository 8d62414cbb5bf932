"""Times rebuilds of 22 simulated years, where their time goes, and a proof.

In place, beside, and from the archive. One JSON line per figure. It asserts nothing
about speed, and reads no real file.

Run: python -m bench.rebuild
     python -m bench.rebuild --rounds 3
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.archive import Kept, from_archive, kept, roots
from bench.figures import (
    say,
    say_ratio,
    say_seconds,
    timed,
)
from bench.lakes import FIRST, LAST, Market, Stopwatch, checked, made
from bench.stages import profiled, say_stages
from cbi_stream.doors.readers import Child
from cbi_stream.engine.calling import part_of, returned
from cbi_stream.engine.conservation import counted
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.prove import prove
from cbi_stream.engine.slices import frames_for
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.words.span import Span

IN_PLACE, BESIDE = "rebuild in place", "rebuild beside"
ARCHIVE, PROOF = "rebuild from the archive", "prove"


@dataclass
class Rounds:
    """Seconds per round, and per round and handler."""

    whole: dict[str, list[float]] = field(default_factory=dict)
    slices: dict[str, list[float]] = field(default_factory=dict)
    """By handler: its jobs in a rebuild in place."""
    passes: dict[str, list[float]] = field(default_factory=dict)
    """By handler: one call over all history."""

    def note(self, what: str, seconds: float) -> None:
        """Add a round of one kind of rebuild."""
        self.whole.setdefault(what, []).append(seconds)


def in_place(market: Market, watch: Stopwatch) -> float:
    """Return the seconds of `cbi rebuild` on an intact lake: nothing is committed."""

    def work() -> None:
        report = run_wave(market.lake, market.graph, executor=watch, asked=True)
        checked(report, quiet=True)

    return timed(work)


def beside(market: Market, folder: Path) -> float:
    """Return the seconds from raw tables to published ones in an empty lake."""
    shadow = market.lake.shadow(folder)
    try:
        return timed(lambda: run_wave(shadow, market.graph, probing="off"))
    finally:
        shutil.rmtree(folder)


def archived(market: Market, appends: list[Kept], folder: Path) -> float:
    """Return the seconds from archived bytes to published tables in an empty lake."""
    lake, graph = market.lake, market.graph
    seconds, there = from_archive(lake, graph, appends, folder, market.reader)
    if there != roots(lake, graph):
        msg = f"expected the content of the lake itself; found {there}"
        raise RuntimeError(msg)
    return seconds


def by_handler(graph: Graph) -> dict[str, list[Node]]:
    """Return the nodes of each handler: two where it turns lines away."""
    found: dict[str, list[Node]] = {}
    for node in graph.nodes:
        found.setdefault(node.handler.writes, []).append(node)
    return found


def one_pass(market: Market, nodes: list[Node]) -> float:
    """Return the seconds of one call over all history: slice, handler, judge, hash."""
    lake, node = market.lake, nodes[-1]
    maps = {t: lake.table(t).head()[1] for t in node.inputs}
    names = sorted(lake.table(node.table).head()[1].partitions)
    grain = node.contract.grain
    span = Span(grain.span(names[0]).start, grain.span(names[-1]).end)
    start = time.perf_counter()
    frames = frames_for(lake, node, span, maps)
    out = returned(node, frames, where="one pass")
    counted(node, out, frames, within=span)
    for each in nodes:
        digest(canonical(part_of(each, out), each.contract))
    return time.perf_counter() - start


def a_round(market: Market, appends: list[Kept], folder: Path, into: Rounds) -> None:
    """Do everything once."""
    watch = Stopwatch()
    into.note(IN_PLACE, in_place(market, watch))
    for name, nodes in by_handler(market.graph).items():
        once = one_pass(market, nodes)
        jobs = sum(watch.computed[node.table] for node in nodes)
        into.passes.setdefault(name, []).append(once)
        into.slices.setdefault(name, []).append(jobs)
    into.note(BESIDE, beside(market, folder / "shadow"))
    into.note(ARCHIVE, archived(market, appends, folder / "again"))
    into.note(PROOF, timed(lambda: prove(market.lake, market.graph)))


def say_rounds(found: Rounds) -> None:
    """Print what each kind of rebuild costs, and how much of that is slicing."""
    for what, seconds in found.whole.items():
        say_seconds(f"{what}, s", seconds)
    whole = [sum(each) for each in zip(*found.passes.values(), strict=True)]
    say_seconds("one pass of each handler over all history, s", whole)
    for what in (IN_PLACE, ARCHIVE):
        say_ratio(f"{what} / one pass of each handler", found.whole[what], whole)
    for name, seconds in found.slices.items():
        say_seconds(f"{IN_PLACE}: jobs of the handler of {name}, s", seconds)
        say_ratio(f"handler of {name}: slices / one pass", seconds, found.passes[name])


def say_profiles(market: Market, appends: list[Kept], folder: Path) -> None:
    """Print where time goes, as shares of a profiled run of each kind."""
    runs: dict[str, Callable[[], float]] = {
        IN_PLACE: lambda: in_place(market, Stopwatch()),
        BESIDE: lambda: beside(market, folder / "shadow"),
        ARCHIVE: lambda: archived(market, appends, folder / "again"),
    }
    for what, run in runs.items():
        spent: dict[str, float] = {}
        with profiled(spent):
            run()
        say_stages(what, spent)


def main() -> None:
    """Print what a rebuild costs, by stage and by handler, and what a proof costs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as name, Child() as reader:
        folder = Path(name)
        market = made(folder / "made", reader=reader, to_come=0)
        appends = kept(market.lake, market.graph)
        say("years", LAST - FIRST + 1, sessions=market.now, archived=len(appends))
        a_round(market, appends, folder, Rounds())  # it warms up
        found = Rounds()
        for _ in range(rounds):
            a_round(market, appends, folder, found)
        say_rounds(found)
        say_profiles(market, appends, folder)


if __name__ == "__main__":
    main()
