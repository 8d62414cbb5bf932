"""The naive rebuild: every partition of every table, in memory, without a planner.

It shares with the engine only the handlers, the slices' bounds and the canonical
form: no map, no log, no recipe, no change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from cbi_stream.engine.calling import called
from cbi_stream.engine.graph import Graph, Node, source_table
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.slices import decision_time, grid_frame
from cbi_stream.engine.step import extent_of
from cbi_stream.lake.canonical import canonical, digest, schema_of
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.reads import Grid, Known
from cbi_stream.words.span import Span

Contents = dict[str, dict[str, pl.DataFrame]]
"""Per table, its non-empty partitions."""


def as_computed(_table: str, parts: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the partitions as they were computed: nothing is held."""
    return parts


def rebuilt(
    lake: Lake,
    graph: Graph,
    served: Callable[
        [str, dict[str, pl.DataFrame]], dict[str, pl.DataFrame]
    ] = as_computed,
) -> Contents:
    """Return what every derived table must hold, from the records alone.

    Args:
        lake: the lake.
        graph: its handlers.
        served: what readers see of a table, given what was computed of it.
    """
    tables: dict[str, pl.DataFrame] = {}
    for node in graph.nodes:
        for name in node.inputs:
            if name not in tables and lake.table(name).contract.is_record:
                table = lake.table(name)
                rows = table.read(table.head()[1].partitions.values())
                tables[name] = rows.sort(table.contract.key)
    found: Contents = {}
    for node in graph.nodes:
        computed = _one_table(graph, node, tables)
        found[node.table] = served(node.table, computed)
        parts = list(found[node.table].values())
        empty = pl.DataFrame(schema=schema_of(node.contract))
        tables[node.table] = pl.concat([empty, *parts]).sort(node.contract.key)
    return found


def _one_table(
    graph: Graph, node: Node, tables: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    names: set[str] = set()
    for table, read in node.spines.items():
        contract = graph.registry.contracts[source_table(table, read)]
        if isinstance(read, Grid):
            extent = extent_of(tables[read.of], contract)
            names.update(node.contract.grain.partitions(extent) if extent else [])
        else:
            dates = tables[source_table(table, read)]["date"].unique()
            names.update(node.contract.grain.partition_of(day) for day in dates)
    found = {}
    for name in sorted(names):
        span = node.contract.grain.span(name)
        out = called(node, _frames(graph, node, span, tables), where=name)
        inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        rows = canonical(out.filter(inside), node.contract)
        if rows.height:
            found[name] = rows
    return found


def _frames(
    graph: Graph, node: Node, span: Span, tables: Mapping[str, pl.DataFrame]
) -> dict[str, pl.DataFrame]:
    registry = graph.registry
    frames = {}
    for table, read in node.reads.items():
        days = slice_of(read, span, registry.sessions)
        if isinstance(read, Grid):
            extent = extent_of(tables[read.of], registry.contracts[read.of])
            frame = grid_frame(registry, days, extent)
        else:
            inside = (pl.col("date") >= days.start) & (pl.col("date") < days.end)
            frame = tables[table].filter(inside)
        if isinstance(read, Known):
            cutoff = decision_time(registry.sessions_file, span)
            frame = frame.filter(pl.col("knowable_at") <= cutoff)
        frames[table.rpartition(".")[2]] = frame.rechunk()
    return frames


def digests(contents: Contents) -> dict[str, dict[str, str]]:
    """Return the digest of each partition."""
    return {
        t: {p: digest(f) for p, f in parts.items()} for t, parts in contents.items()
    }


def stored(lake: Lake, graph: Graph) -> dict[str, dict[str, str]]:
    """Return the digest of what each partition's files hold."""
    found: dict[str, dict[str, str]] = {}
    for node in graph.nodes:
        table = lake.table(node.table)
        found[node.table] = {
            name: digest(canonical(table.read([entry]), node.contract))
            for name, entry in table.head()[1].partitions.items()
            if entry.rows
        }
    return found


def claimed(lake: Lake, graph: Graph) -> dict[str, dict[str, str]]:
    """Return the hash that the map claims for each partition."""
    return {
        node.table: {
            name: entry.hash
            for name, entry in lake.table(node.table).head()[1].partitions.items()
            if entry.rows
        }
        for node in graph.nodes
    }
