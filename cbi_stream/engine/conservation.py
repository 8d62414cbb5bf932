"""Holds what a conform handler says of its lines against the lines that it was given.

The law of conservation: each line of raw is exactly one of staged, quarantined,
superseded, duplicate, provisional, unused. It never decides a fate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from cbi_stream.engine.graph import Node
from cbi_stream.shapes.handler import FATES, Conformed
from cbi_stream.words.errors import BrokenContract
from cbi_stream.words.span import Span

Fates = Mapping[str, Mapping[str, int]]
"""Per raw table, how many lines met which fate."""

_LINE = ("raw", "sha256", "batch", "line")


def counted(
    node: Node,
    made: pl.DataFrame | Conformed,
    frames: Mapping[str, Any],
    *,
    within: Span,
) -> Fates:
    """Return the counts of a conform handler's lines; nothing for any other node.

    Args:
        node: the handler.
        made: what it returned.
        frames: what it was given: more than the partition, as far as its rules look.
        within: the dates of the partition; lines of other dates are another's to count.

    Raises:
        BrokenContract: a line was lost, invented, or met two fates.
    """
    if not isinstance(made, Conformed):
        return {}
    given = _lines_given(node, frames)
    told = made.fates
    unknown = set(told["fate"].unique()) - set(FATES)
    lost = given.join(told, on=_LINE, how="anti")
    if unknown or lost.height or told.height != given.height:
        example = lost.row(0) if lost.height else sorted(unknown)
        msg = (
            f"{node.handler.name}: expected one fate for each of {given.height} lines; "
            f"found {told.height}, lost {lost.height}, for instance {example}"
        )
        raise BrokenContract(msg)
    mine = (pl.col("date") >= within.start) & (pl.col("date") < within.end)
    counts: dict[str, dict[str, int]] = {}
    told = told.join(given.filter(mine), on=_LINE, how="semi")
    rows = told.group_by("raw", "fate").len().sort("raw", "fate")
    for raw, fate, n in rows.iter_rows():
        counts.setdefault(raw, {})[fate] = n
    return counts


def _lines_given(node: Node, frames: Mapping[str, Any]) -> pl.DataFrame:
    parts: list[pl.DataFrame] = [
        frames[table.rpartition(".")[2]].select(
            pl.lit(table).alias("raw"), "sha256", "batch", "line", "date"
        )
        for table in node.lines
    ]
    return pl.concat(parts)
