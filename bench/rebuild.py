"""Times a full rebuild, where its time goes, and a proof, on 22 simulated years.

One JSON line per figure. It asserts nothing about speed, and reads no real file.

Run: python -m bench.rebuild
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.lakes import (
    FIRST,
    LAST,
    Market,
    Stopwatch,
    checked,
    made,
    profiled,
    say,
    say_ratio,
    say_seconds,
    say_stages,
    timed,
)
from cbi_stream.doors import landing
from cbi_stream.engine.graph import Node
from cbi_stream.engine.prove import prove
from cbi_stream.engine.slices import frames_for
from cbi_stream.engine.step import called
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.words.span import Span

ROUNDS = 5


def rebuilt(market: Market, watch: Stopwatch) -> float:
    """Return the seconds of `cbi rebuild` on an intact lake: nothing is committed."""

    def work() -> None:
        report = run_wave(market.lake, market.graph, executor=watch, asked=True)
        checked(report, quiet=True)

    return timed(work)


def from_records(market: Market, folder: Path) -> float:
    """Return the seconds from raw tables to published ones in an empty lake."""
    shadow = market.lake.shadow(folder)
    try:
        return timed(lambda: run_wave(shadow, market.graph, probing="off"))
    finally:
        shutil.rmtree(folder)


def from_files(market: Market, folder: Path) -> float:
    """Return the seconds from three dropped files to published tables."""
    lake = Lake.create(folder / "lake", market.lake.registry, kind="simulated")
    again = Market(lake, market.graph, market.sessions, folder / "inbox")
    again.hand_in(again.files(market.now))
    try:
        return timed(
            lambda: (
                landing.take_in(lake, market.graph),
                run_wave(lake, market.graph, probing="off"),
            )
        )
    finally:
        shutil.rmtree(folder)


def one_pass(market: Market, node: Node) -> float:
    """Return the seconds of one call over all history: slice, handler, judge, hash."""
    lake = market.lake
    maps: dict[str, PartitionMap] = {t: lake.table(t).head()[1] for t in node.inputs}
    names = sorted(lake.table(node.table).head()[1].partitions)
    grain = node.contract.grain
    span = Span(grain.span(names[0]).start, grain.span(names[-1]).end)
    start = time.perf_counter()
    frames = frames_for(lake, node, span, maps)
    out = called(node, frames, where="one pass")
    digest(canonical(out, node.contract))
    return time.perf_counter() - start


def main() -> None:
    """Print what a rebuild costs, by stage and by table, and what a proof costs."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        market = made(folder / "made", to_come=0)
        say("years", LAST - FIRST + 1, sessions=market.now, rounds=ROUNDS)
        _totals(market, folder)
        _stages(market, folder)


def _totals(market: Market, folder: Path) -> None:
    tables = [node.table for node in market.graph.nodes]
    asked, fresh, files, proofs = [], [], [], []
    whole: list[float] = []
    by_table: dict[str, list[float]] = {table: [] for table in tables}
    passes: dict[str, list[float]] = {table: [] for table in tables}
    for turn in range(ROUNDS + 1):
        watch = Stopwatch()
        seconds = rebuilt(market, watch)
        once = {n.table: one_pass(market, n) for n in market.graph.nodes}
        if not turn:  # the first round warms up
            continue
        asked.append(seconds)
        whole.append(sum(once.values()))
        for table in tables:
            by_table[table].append(watch.computed[table])
            passes[table].append(once[table])
        fresh.append(from_records(market, folder / "shadow"))
        files.append(from_files(market, folder / "files"))
        proofs.append(timed(lambda: prove(market.lake, market.graph)))
    say_seconds("rebuild in place, nothing changes, s", asked)
    say_seconds("rebuild beside, from raw tables, s", fresh)
    say_seconds("from three dropped files to published tables, s", files)
    say_seconds("prove, s", proofs)
    say_ratio(
        "rebuild in place / one pass of each handler over all history", asked, whole
    )
    for table in tables:
        say_seconds(f"rebuild in place, jobs of {table}, s", by_table[table])
        say_ratio(f"{table}: slices / one pass", by_table[table], passes[table])


def _stages(market: Market, folder: Path) -> None:
    """Print where time goes, as shares of a profiled run of each kind."""
    runs: dict[str, Callable[[], float]] = {
        "rebuild in place": lambda: rebuilt(market, Stopwatch()),
        "rebuild beside": lambda: from_records(market, folder / "shadow"),
    }
    for what, run in runs.items():
        spent: dict[str, float] = {}
        with profiled(spent):
            run()
        say_stages(what, spent)


if __name__ == "__main__":
    main()
