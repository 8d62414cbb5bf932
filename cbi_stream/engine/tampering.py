"""Frames for the probe: simulated, then tampered with outside a row's window.

They reach further than the windows on both sides. Nothing here judges a handler.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.simulate import altered, simulated
from cbi_stream.engine.slices import decision_time, grid_frame, limited, plain
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.reads import Grid, InSessions, Known, Read, Whole
from cbi_stream.words.span import Span, plus_days

_MARGIN_DAYS = 120
_LONGEST_DAYS = 900
_SEED = 20120710
_DATES_BETWEEN = {
    "session": 1, "day": 1, "week": 5, "month": 21, "quarter": 63, "year": 252,
    "event": 21,
}  # fmt: skip
"""By how often something is news, how many weekdays lie between two dates of it."""

Frames = dict[str, pl.DataFrame]


def probed_span(graph: Graph, node: Node) -> Span:
    """Return the partition, or its first year, in the middle of the calendar."""
    covers = graph.registry.sessions.covers
    middle = covers.start + (covers.end - covers.start) / 2
    span = node.contract.grain.span(node.contract.grain.partition_of(middle))
    return Span(span.start, min(span.end, plus_days(span.start, 366)))


def frames_for_probe(graph: Graph, node: Node, span: Span) -> Frames:
    """Return frames that reach further than the windows on both sides."""
    registry = graph.registry
    frames = {}
    for table, read in node.reads.items():
        days = slice_of(read, span, registry.sessions).widen(_MARGIN_DAYS, _MARGIN_DAYS)
        days = days.clip(span.widen(_LONGEST_DAYS, _LONGEST_DAYS))
        days = days.clip(registry.sessions.covers)
        if isinstance(read, Grid):
            extent = Span(days.start, min(plus_days(span.end, 30), days.end))
            frames[table] = grid_frame(registry, days, extent)
            continue
        dates = list(registry.sessions.between(days))
        if not isinstance(read, InSessions):
            dates = [d for d in _each_day(days) if d.weekday() < 5]
        about, every = _about(graph, node, table), _every(registry, table)
        frame = simulated(about, dates, seed=_SEED, every=every)
        frames[table] = limited(registry, table, read, frame)
    return frames


def _about(graph: Graph, node: Node, table: str) -> Contract:
    """Return the contract of an input with the series that the features name as sources.

    Rows of any others would leave what a handler makes of them null, and nothing to
    compare. Of prices it is the symbols of the panel.
    """
    registry = graph.registry
    contract = registry.contracts[table]
    key = next((n for n in ("series", "symbol") if n in contract.key), None)
    if contract.zone != "staging" or key is None:
        return contract
    before = f"{table.partition('.')[2]}."
    features = registry.feature_registry.of_table(node.table)
    drawn = [source for each in features for source in each.sources]
    named = [each.removeprefix(before) for each in drawn if each.startswith(before)]
    if key == "symbol" and node.table.startswith("features."):
        prices = registry.join_spec.prices.values()
        named = [registry.settings.target, *(price.symbol for price in prices)]
    column = contract.columns[key]
    about = tuple(dict.fromkeys([*named, *column.simulate]))
    changed = {**contract.columns, key: column.model_copy(update={"simulate": about})}
    return contract.model_copy(update={"columns": changed})


def _every(registry: Registry, table: str) -> dict[str, int]:
    """Return of each series which dates it has: a monthly one has no daily news.

    Where features disagree, the rarest is meant: the others draw on more than it.
    """
    before = f"{table.partition('.')[2]}."
    found: dict[str, int] = {}
    for feature in registry.feature_registry.features:
        for source in feature.sources:
            if source.startswith(before):
                name = source.removeprefix(before)
                step = _DATES_BETWEEN[feature.update_frequency]
                found[name] = max(found.get(name, 1), step)
    return found


def _each_day(span: Span) -> list[date]:
    return [span.start + timedelta(days=i) for i in range((span.end - span.start).days)]


def with_other_values(
    graph: Graph, table: str, read: Read, frame: pl.DataFrame, day: date, *, after: bool
) -> pl.DataFrame:
    """Return the frame with other values outside the window of the row at `day`."""
    if isinstance(read, Whole):
        return frame
    window = slice_of(read, Span.day(day), graph.registry.sessions)
    here = pl.col("date")
    if isinstance(read, Grid):
        if after:
            return frame.with_columns(listed=pl.col("listed") & (here < window.end))
        return frame.filter(here >= window.start)
    outside = here >= window.end if after else here < window.start
    if isinstance(read, Known) and after:
        cutoff = decision_time(graph.registry.sessions_file, Span.day(day))
        outside |= pl.col("knowable_at") > cutoff
    rows = frame.select(outside.alias("rows"))["rows"]
    changed = altered(frame, rows, graph.registry.contracts[table])
    if isinstance(read, InSessions):
        return changed  # a dense grid never loses a row
    third = pl.int_range(pl.len()) % 3 == 0
    return changed.filter(~(pl.lit(rows) & third))


def window_alone(
    graph: Graph, read: Read, frame: pl.DataFrame, day: date
) -> pl.DataFrame:
    """Return the rows that the row at `day` may depend on, and no others."""
    if isinstance(read, Whole):
        return frame
    window = slice_of(read, Span.day(day), graph.registry.sessions)
    inside = (pl.col("date") >= window.start) & (pl.col("date") < window.end)
    if isinstance(read, Known):
        cutoff = decision_time(graph.registry.sessions_file, Span.day(day))
        inside &= pl.col("knowable_at") <= cutoff
    return plain(frame.filter(inside))
