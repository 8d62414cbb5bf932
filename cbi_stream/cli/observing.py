"""Which observation stands behind a column of the panel, as the panel chose it.

It asks the same as-of rule for one session. It never computes a value of the panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from cbi_stream.engine import story
from cbi_stream.engine.graph import Node
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.slices import decision_time, grid_frame, rows_between
from cbi_stream.kernels.asof import newest_known
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.registry.joins import Joined
from cbi_stream.words.span import Span


@dataclass(frozen=True, slots=True)
class Observed:
    """The observation behind a column, as it was known at a session's decision time."""

    column: str
    series: str
    staging: str
    decision_time: datetime
    max_age_days: int
    row: Mapping[str, Any]
    """The row of staging; empty where none was knowable and young enough."""
    age_days: int | None
    later_versions: int
    """Versions of the same observation that were not knowable yet."""
    why_none: str | None
    growth_from: Mapping[str, Any]
    """The row that a growth is counted from; empty where none is."""

    @property
    def date(self) -> date | None:
        """The date of the observation."""
        return self.row.get("date")


def joined_by(node: Node | None, column: str | None) -> dict[str, Joined]:
    """Return what join_spec.yaml says of a column, or of all columns, of a table."""
    if node is None or node.spec is None or "join_spec" not in node.spec.names:
        return {}
    joins = node.spec.join_spec.observations
    if column is None:
        return dict(joins)
    name = node.spec.join_spec.value_of(column)
    return {name: joins[name]} if name in joins else {}


def observed_on(
    lake: Lake,
    node: Node,
    day: date,
    *,
    entry: Partition | None,
    joins: Mapping[str, Joined],
) -> list[Observed]:
    """Return which observation stands behind each column on a session.

    Args:
        lake: the lake.
        node: the handler that joins observations.
        day: the session.
        entry: the partition of the session: what it was made from is looked at.
        joins: by column, what join_spec.yaml says.
    """
    maps = story.maps_of(lake, entry) if entry else {}
    found = []
    for column, joined in joins.items():
        table = next(t for t in node.reads if t.endswith(f".{joined.source}"))
        days = slice_of(node.reads[table], Span.day(day), lake.registry.sessions)
        current = maps[table] if table in maps else story.published(lake, table)[1]
        rows = rows_between(lake, table, days, current)
        rows = rows.filter(pl.col("series") == joined.series)
        found.append(_observed(lake, column, joined, day, staging=table, rows=rows))
    return found


def _observed(
    lake: Lake,
    column: str,
    joined: Joined,
    day: date,
    *,
    staging: str,
    rows: pl.DataFrame,
) -> Observed:
    span = Span.day(day)
    cutoff = decision_time(lake.registry.sessions_file, span)
    grid = grid_frame(lake.registry, span, span)
    newest = newest_known(grid, rows, max_age_days=joined.max_age_days)
    known = rows.filter(pl.col("knowable_at") <= cutoff)
    age = int(newest["age_days"][0]) if newest.height else None
    row: dict[str, Any] = {}
    growth: dict[str, Any] = {}
    later = 0
    if age is not None:
        observed = pl.lit(day).dt.offset_by(f"-{age}d")
        row = _last(known.filter(pl.col("date") == observed))
        later = rows.filter(pl.col("date") == observed).height - 1 - row["vintage"]
        if joined.growth_months is not None:
            before = observed.dt.offset_by(f"-{joined.growth_months}mo")
            growth = _last(known.filter(pl.col("date") == before))
    return Observed(
        column=column,
        series=joined.series,
        staging=staging,
        decision_time=cutoff,
        max_age_days=joined.max_age_days,
        row=row,
        age_days=age,
        later_versions=later,
        why_none=None if row else _why_none(rows, known, day),
        growth_from=growth,
    )


def _last(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the newest version among the rows of one observation."""
    found = rows.sort("vintage").tail(1)
    return found.row(0, named=True) if found.height else {}


def _why_none(rows: pl.DataFrame, known: pl.DataFrame, day: date) -> str:
    before = known.filter(pl.col("date") <= day).sort("date", "vintage")
    newest = before.unique("date", keep="last", maintain_order=True)
    valued = newest.drop_nulls("value")
    if valued.height:
        return f"the newest value knowable then is of {valued['date'][-1]}: too old"
    if newest.height:
        return "what was knowable then was published as missing"
    if rows.height:
        first = rows.sort("knowable_at")["knowable_at"][0]
        return f"nothing was knowable yet: the first of these was at {first:%Y-%m-%d %H:%M} UTC"
    return "no observation of these days is staged"
