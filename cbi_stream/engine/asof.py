"""Any table as it would have been: with what the world knew then, or this lake held.

It computes the same handlers over restricted rows, in memory. It writes nothing, and
what it shows of a day is what an honest researcher could have had that evening.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl

from cbi_stream.engine.calling import called
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.slices import Maps, frames_from, rows_between
from cbi_stream.engine.step import extent_of
from cbi_stream.lake import log
from cbi_stream.lake.canonical import canonical
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.words.span import Span


def rows(
    lake: Lake,
    graph: Graph,
    table: str,
    days: Span,
    *,
    as_of: datetime | None = None,
    as_seen: datetime | None = None,
) -> pl.DataFrame:
    """Return the rows of a table inside `days` as they would have been.

    Args:
        lake: the lake.
        graph: its handlers.
        table: any table of the lake.
        days: the dates of the rows.
        as_of: what was knowable to the world by then, though it may have reached this
            lake later.
        as_seen: what this lake held by then: files seen later count as not there.

    Returns:
        The rows sorted by key; of each observation only its newest version.
    """
    view = View(
        lake,
        graph,
        as_of=as_of and as_of.astimezone(UTC),
        as_seen=as_seen and as_seen.astimezone(UTC),
    )
    found = view.rows(table, days)
    contract = lake.registry.contracts[table]
    if "vintage" not in contract.key:
        return found
    key = [name for name in contract.key if name != "vintage"]
    return found.unique(key, keep="last", maintain_order=True)


@dataclass
class View:
    """A lake restricted to what was known, or held, at a moment."""

    lake: Lake
    graph: Graph
    as_of: datetime | None
    as_seen: datetime | None
    _maps: Maps = field(default_factory=dict)
    _known: dict[tuple[str, Span], pl.DataFrame] = field(default_factory=dict)
    _extents: dict[str, Span | None] = field(default_factory=dict)

    def rows(self, table: str, days: Span) -> pl.DataFrame:
        """Return the rows of a table inside `days`, sorted by key."""
        place = (table, days)
        if place not in self._known:
            self._known[place] = self._rows(table, days)
        return self._known[place]

    def extent(self, table: str) -> Span | None:
        """Return first to last date of a table as it would have been."""
        if table not in self._extents:
            contract = self.lake.registry.contracts[table]
            self._extents[table] = extent_of(self.rows(table, Span.all()), contract)
        return self._extents[table]

    def _rows(self, table: str, days: Span) -> pl.DataFrame:
        contract = self.lake.registry.contracts[table]
        timed = "knowable_at" in contract.columns
        # With nothing to restrict left of it, what is stored is what would be computed.
        stored = contract.is_record or (
            self.as_seen is None and (timed or contract.zone == "quarantine")
        )
        found = self._stored(table, days) if stored else self._computed(table, days)
        if contract.is_record and self.as_seen is not None:
            seen = "as_of" if "as_of" in contract.columns else "first_seen_at"
            found = found.filter(pl.col(seen) <= self.as_seen)
        if timed and self.as_of is not None:
            found = found.filter(pl.col("knowable_at") <= self.as_of)
        return found

    def _stored(self, table: str, days: Span) -> pl.DataFrame:
        if table not in self._maps:
            self._maps[table] = _published(self.lake, table)
        return rows_between(self.lake, table, days, self._maps[table])

    def _computed(self, table: str, days: Span) -> pl.DataFrame:
        node = self.graph.node(table)
        frames = frames_from(
            self.lake.registry,
            node,
            days,
            rows=self.rows,
            extent=self.extent,
        )
        out = called(node, frames, where="as it would have been")
        inside = (pl.col("date") >= days.start) & (pl.col("date") < days.end)
        return canonical(out.filter(inside), node.contract)


def _published(lake: Lake, table: str) -> PartitionMap:
    """Return the map that readers see; the newest one before anything was published."""
    stored, seen = lake.table(table), lake.published().get(table)
    if seen is None:
        return stored.head()[1]
    return (
        log.map_at(stored.folder, seen.version)
        if seen.version >= 0
        else PartitionMap({})
    )
