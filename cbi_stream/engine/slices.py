"""Cuts the frames that a handler is given: sorted by key, one chunk, nothing beyond.

A slice depends on pinned versions alone, so the same task gives the same frames in
any process. It never fills a gap.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream.engine.graph import Node, source_table
from cbi_stream.engine.reach import slice_of
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.registry.files import SessionsFile
from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.reads import Grid, Known, Read, columns_of
from cbi_stream.words.span import Span

Maps = dict[str, PartitionMap]
"""The pinned map of each input table."""


def frames_for(
    lake: Lake, node: Node, span: Span, maps: Maps
) -> dict[str, pl.DataFrame]:
    """Return the frame of each argument of a handler for the partition `span`."""
    return frames_from(
        lake.registry,
        node,
        span,
        rows=lambda table, days: rows_between(lake, table, days, maps[table]),
        extent=lambda table: maps[table].extent,
    )


def frames_from(
    registry: Registry,
    node: Node,
    span: Span,
    *,
    rows: Callable[[str, Span], pl.DataFrame],
    extent: Callable[[str], Span | None],
) -> dict[str, pl.DataFrame]:
    """Return the frame of each argument of a handler for the rows dated in `span`.

    Args:
        registry: the registry.
        node: the handler.
        span: the dates that it is to compute.
        rows: gives the rows of a table inside a span, sorted by key.
        extent: gives the first to last date of a table.
    """
    frames = {}
    for table, read in node.reads.items():
        days = slice_of(read, span, registry.sessions)
        if isinstance(read, Grid):
            frame = grid_frame(registry, days, extent(read.of))
        else:
            frame = rows(source_table(table, read), days)
        if isinstance(read, Known):
            # No row of the partition may see what became knowable after its end.
            cutoff = decision_time(registry.sessions_file, span)
            frame = frame.filter(pl.col("knowable_at") <= cutoff)
        frames[table.rpartition(".")[2]] = plain(limited(registry, table, read, frame))
    return frames


def limited(
    registry: Registry, table: str, read: Read, frame: pl.DataFrame
) -> pl.DataFrame:
    """Return the frame with the key and the columns that a read is limited to."""
    columns = columns_of(read)
    if columns is None:
        return frame
    key = registry.contracts[table].key
    return frame.select(*key, *(name for name in columns if name not in key))


def plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with every column held as its values, in one chunk.

    polars may hold a column whose values are all alike as one value and a length, and
    it divides by such a column by multiplying with the reciprocal: 4766 / 100 is then
    47.660000000000004. How a column is held depends on how the frame came about, so it
    must not reach a handler. `rechunk` alone keeps it.
    """
    return pl.DataFrame(frame.get_columns()).rechunk()


def rows_between(
    lake: Lake, name: str, days: Span, pinned: PartitionMap
) -> pl.DataFrame:
    """Return the rows of a table dated inside `days`, sorted by key."""
    table = lake.table(name)
    grain = table.contract.grain
    touched = [
        entry
        for partition, entry in pinned.partitions.items()
        if entry.rows and grain.span(partition).intersects(days)
    ]
    last = pl.col("date") < days.end
    inside = table.read(touched).filter((pl.col("date") >= days.start) & last)
    return inside.sort(table.contract.key)


def decision_time(file: SessionsFile, span: Span) -> datetime:
    """Return the decision time of the last day of `span`."""
    local = datetime.combine(span.last, file.decision_time, ZoneInfo(file.zone))
    return local.astimezone(ZoneInfo("UTC"))


def grid_frame(registry: Registry, days: Span, extent: Span | None) -> pl.DataFrame:
    """Return the sessions inside `days` with their decision times.

    Returns:
        date; previous: the session before; decision_time in UTC; listed: whether
        the session lies in `extent`. Days before the extent are left out.
    """
    inside = (
        Span(max(days.start, extent.start), days.end)
        if extent
        else Span.day(days.start)
    )
    dates = registry.sessions.between(inside) if extent else ()
    file = registry.sessions_file
    local = pl.col("date").dt.combine(file.decision_time)
    before = [registry.sessions.before(dates[0]), *dates[:-1]] if dates else []
    schema = {"date": pl.Date, "previous": pl.Date}
    return pl.DataFrame(
        {"date": dates, "previous": before}, schema=schema
    ).with_columns(
        decision_time=local.dt.replace_time_zone(file.zone)
        .dt.convert_time_zone("UTC")
        .dt.cast_time_unit("us"),
        listed=pl.col("date") < (extent.end if extent else days.start),
    )
