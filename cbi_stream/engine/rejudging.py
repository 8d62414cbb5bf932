"""What other rules would move, computed in memory before anybody applies them.

Every conform step whose recipe is not that of its stored partitions is run on the lines
that are stored, and held against what is stored. Nothing is committed, and a run with
the same rules then moves no other line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from cbi_stream.engine import calling, fingerprint, story
from cbi_stream.engine.fates import conforming
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.slices import frames_for
from cbi_stream.lake.canonical import canonical
from cbi_stream.lake.change import changes
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Change
from cbi_stream.registry.contract import Contract
from cbi_stream.shapes.handler import Conformed

_LINE = ["date", "raw", "sha256", "line", "as_of"]


@dataclass(frozen=True, slots=True)
class Moved:
    """What would move in one partition of a staging table and of its quarantine."""

    table: str
    partition: str
    turned_away: pl.DataFrame
    """Rows that the quarantine would get: date, raw, sha256, line, as_of, about, rules
    and found."""
    let_in: pl.DataFrame
    """Rows that it would lose, as they stand in it now."""
    changes: tuple[Change, ...]
    """The dates of the staging table whose rows would change."""


def moved(lake: Lake, graph: Graph) -> Iterator[Moved]:
    """Yield each partition whose lines or rows the graph's rules would move.

    Args:
        lake: the lake; it is only read.
        graph: with the rules that are tried.

    Raises:
        HandlerFailed: a conform step fails with these rules.
    """
    for node in conforming(graph):
        print_ = fingerprint.of_node(graph, node)
        _, current = lake.table(node.table).head()
        for partition, entry in sorted(current.partitions.items()):
            if entry.recipe.fingerprint != print_:
                found = _of_partition(lake, node, partition)
                if found.changes or found.turned_away.height or found.let_in.height:
                    yield found


def _of_partition(lake: Lake, node: Node, partition: str) -> Moved:
    maps = {name: lake.table(name).head()[1] for name in node.inputs}
    span = node.contract.grain.span(partition)
    frames = frames_for(lake, node, span, maps)
    made = calling.returned(node, frames, where=f"partition {partition}")
    assert isinstance(made, Conformed), "the node is one of `conforming`"
    inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
    staging = lake.table(node.table)
    quarantine = lake.table(str(node.handler.quarantines))
    rows = canonical(made.staged.filter(inside), node.contract)
    lines = canonical(made.quarantined.filter(inside), quarantine.contract)
    before = _stored(lake, quarantine.contract, partition)
    about = story.about_of(quarantine.contract)
    said = pl.col(about) if about else pl.lit(None, pl.String)
    lines, before = (each.with_columns(about=said) for each in (lines, before))
    zone = lake.registry.sessions_file.zone
    return Moved(
        node.table,
        partition,
        turned_away=lines.join(before, on=_LINE, how="anti"),
        let_in=before.join(lines, on=_LINE, how="anti"),
        changes=tuple(
            changes(
                _stored(lake, staging.contract, partition),
                rows,
                staging.contract,
                zone=zone,
            )
        ),
    )


def _stored(lake: Lake, contract: Contract, partition: str) -> pl.DataFrame:
    table = lake.table(contract.table)
    entry = table.head()[1].partitions.get(partition)
    return canonical(table.read([entry] if entry else []), contract)
