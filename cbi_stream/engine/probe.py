"""Finds handlers that look outside their declared windows, before they do harm.

For a row t: other values after t + ahead must leave it bit for bit as it is; other
values before t - back must leave it within 1e-9, and where they leave it bit for bit
the handler is window-pure. The same frames must give the same output, in this process
and in another. The frames are simulated; no lake is read.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine.calling import called
from cbi_stream.engine.graph import Graph, Node, discover
from cbi_stream.engine.tampering import (
    Frames,
    frames_for_probe,
    probed_span,
    window_alone,
    with_other_values,
)
from cbi_stream.lake import durable
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.words.errors import CbiError, DishonestWindow, WrongUsage
from cbi_stream.words.span import Span

TOLERANCE = 1e-9
_ROWS = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a probe found."""

    window_pure: bool
    digest: str
    refused: str | None = None


def check(graph: Graph, node: Node) -> Verdict:
    """Probe one handler.

    Raises:
        DishonestWindow: it looks ahead, reads too far back, or does not repeat.
        CbiError: it fails on frames that fit the contracts of its reads.
    """
    span = probed_span(graph, node)
    frames = frames_for_probe(graph, node, span)
    out = _run(node, frames, span)
    repeated = digest(_run(node, frames, span))
    if repeated != digest(out):
        msg = f"{node.handler.name}: the same frames gave two outputs: no randomness, no clock"
        raise DishonestWindow(msg)
    pure = True
    for day in _days_to_probe(out):
        _after_leaves_it(graph, node, frames, out, day)
        pure &= _before_leaves_it(graph, node, frames, out, day)
        pure &= _alone_it_is_the_same(graph, node, frames, out, day)
    return Verdict(pure, repeated)


def refused(
    lake: Lake, graph: Graph, prints: Mapping[str, str], probing: str
) -> dict[str, str]:
    """Probe the handlers whose fingerprints are new to this lake.

    Returns:
        By table: why its handler may not commit.
    """
    prints = {n.table: prints[n.table] for n in graph.nodes if _has_lines(lake, n)}
    verdicts = {t: _remembered(lake, print_) for t, print_ in prints.items()}
    fresh = [n for n in graph.nodes if n.table in prints and not verdicts[n.table]]
    for node in fresh:
        try:
            verdicts[node.table] = check(graph, node)
        except CbiError as error:
            verdicts[node.table] = Verdict(
                False, "", f"{type(error).__name__}: {error}"
            )
    if probing == "two processes" and fresh:
        _compare_with_child(graph, [n.table for n in fresh], verdicts)
    for node in fresh:
        verdict = verdicts[node.table]
        assert verdict is not None
        path = _memory(lake, prints[node.table])
        durable.write(path, json.dumps(asdict(verdict)).encode())
    return {t: v.refused for t, v in verdicts.items() if v and v.refused}


def _has_lines(lake: Lake, node: Node) -> bool:
    """Return whether a handler may have work: what reads lines has none without any.

    There are dozens of sources, and a lake seldom has files of all of them.
    """
    lines = [lake.table(name) for name in node.lines]
    return not lines or any(table.head()[0] >= 0 for table in lines)


def verdict_of(lake: Lake, graph: Graph, node: Node, print_: str) -> Verdict:
    """Return the remembered verdict on a handler, probing it if there is none."""
    return _remembered(lake, print_) or check(graph, node)


def _memory(lake: Lake, print_: str) -> Path:
    return lake.folder / "probes" / f"{print_}.json"


def _remembered(lake: Lake, print_: str) -> Verdict | None:
    path = _memory(lake, print_)
    return Verdict(**json.loads(path.read_bytes())) if path.exists() else None


def _compare_with_child(
    graph: Graph, tables: list[str], verdicts: dict[str, Verdict | None]
) -> None:
    there = _digests_of_child(graph, tables)
    for table in tables:
        mine = verdicts[table]
        assert mine is not None
        if mine.refused is None and there[table] != mine.digest:
            msg = f"{table}: two processes gave two outputs for the same frames"
            verdicts[table] = Verdict(False, "", msg)


def _digests_of_child(graph: Graph, tables: list[str]) -> dict[str, str]:
    if graph.package is None:
        msg = "a graph built by hand cannot be probed in a second process"
        raise WrongUsage(msg)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        folder = str(graph.registry.folder)
        here = graph.sources.digest if graph.sources else ""
        place = (graph.package, folder, here)
        return pool.submit(digests_elsewhere, place, tables).result()


def digests_elsewhere(place: tuple[str, str, str], tables: list[str]) -> dict[str, str]:
    """Return the digest of each handler's probe output; called in a fresh process.

    Args:
        place: the package of the handlers, the folder of the registry, and the sha256
            of what the parent was loaded from.
        tables: the tables whose handlers are run.

    Raises:
        CodeChanged: this process has loaded something else than its parent.
    """
    package, registry, expected = place
    graph = discover(loader.load(Path(registry)), package)
    if graph.sources is not None:
        graph.sources.check(expected)
    found = {}
    for table in tables:
        node = graph.node(table)
        try:
            span = probed_span(graph, node)
            found[table] = digest(_run(node, frames_for_probe(graph, node, span), span))
        except CbiError:
            found[table] = ""  # refused in the parent already, with its reason
    return found


def _run(node: Node, frames: Frames, span: Span) -> pl.DataFrame:
    arguments = {table.rpartition(".")[2]: frame for table, frame in frames.items()}
    out = called(node, arguments, where="probe")
    inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
    return canonical(out.filter(inside), node.contract)


def _days_to_probe(out: pl.DataFrame) -> list[date]:
    days = out["date"].unique().sort().to_list()
    if not days:
        return []
    step = max(1, (len(days) - 1) // (_ROWS - 1))
    return sorted({*days[::step], days[-1]})


def _after_leaves_it(
    graph: Graph, node: Node, frames: Frames, out: pl.DataFrame, day: date
) -> None:
    others = {
        table: with_other_values(graph, table, read, frames[table], day, after=True)
        for table, read in node.reads.items()
    }
    found = _row(_run(node, others, Span.day(day)), day)
    row = _row(out, day)
    if digest(found) != digest(row):
        column = _first_difference(row, found, 0.0)
        msg = (
            f"{node.handler.name} looks ahead: {column} on {day} changes when only rows "
            f"later than its reads allow are changed. Reads: {_reads(node)}. "
            "Declare what it needs (ahead=...), or take the look ahead out"
        )
        raise DishonestWindow(msg)


def _before_leaves_it(
    graph: Graph, node: Node, frames: Frames, out: pl.DataFrame, day: date
) -> bool:
    """Compute the row with other values before its window; say whether it is pure."""
    others = {
        table: with_other_values(graph, table, read, frames[table], day, after=False)
        for table, read in node.reads.items()
    }
    return _same(node, others, out, day, "only rows earlier than that are changed")


def _alone_it_is_the_same(
    graph: Graph, node: Node, frames: Frames, out: pl.DataFrame, day: date
) -> bool:
    """Compute the row from its own window alone; say whether it is pure."""
    alone = {
        table: window_alone(graph, read, frames[table], day)
        for table, read in node.reads.items()
    }
    return _same(node, alone, out, day, "the rows outside are taken away")


def _same(node: Node, frames: Frames, out: pl.DataFrame, day: date, when: str) -> bool:
    found = _row(_run(node, frames, Span.day(day)), day)
    row = _row(out, day)
    if digest(found) == digest(row):
        return True
    column = _first_difference(row, found, TOLERANCE)
    if column is not None:
        msg = (
            f"{node.handler.name} reads too far back: {column} on {day} changes when "
            f"{when}. Reads: {_reads(node)}. Declare what it needs (back=...), or "
            "shorten its windows"
        )
        raise DishonestWindow(msg)
    return False


def _reads(node: Node) -> str:
    return ", ".join(f"{table}: {read}" for table, read in node.reads.items())


def _row(frame: pl.DataFrame, day: date) -> pl.DataFrame:
    return frame.filter(pl.col("date") == day)


def _first_difference(
    left: pl.DataFrame, right: pl.DataFrame, tolerance: float
) -> str | None:
    if left.height != right.height:
        return "the number of rows"
    for name in left.columns:
        if not _close(left[name], right[name], tolerance):
            return name
    return None


def _close(left: pl.Series, right: pl.Series, tolerance: float) -> bool:
    if left.dtype != pl.Float64 or not tolerance:
        return bool(left.eq_missing(right).all())
    if not (left.is_null() == right.is_null()).all():
        return False
    gap: Any = (left - right).abs() - tolerance * right.abs()
    return not (gap > tolerance * 1e-3).any()
