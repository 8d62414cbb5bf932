"""Frames for families that read what was staged: sessions, and versions. None is stored.

Each observation comes with when it was knowable, as staging tables hold it.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import polars as pl

from cbi_stream.engine.slices import grid_frame
from cbi_stream.lake.canonical import schema_of
from cbi_stream.registry.loader import Registry
from cbi_stream.words.span import Span

VERSIONS = {
    "series": pl.String,
    "date": pl.Date,
    "vintage": pl.Int64,
    "value": pl.Float64,
    "knowable_at": pl.Datetime("us", "UTC"),
    "basis": pl.String,
}


def grid(registry: Registry, first: date, last: date) -> pl.DataFrame:
    """Return the sessions of some days with their decision times, all listed."""
    span = Span(first, last + timedelta(days=1))
    return grid_frame(registry, span, span)


def knowable(day: date, *, after: int, hour: int = 10) -> datetime:
    """Return an instant (UTC) so many days after another day."""
    return datetime.combine(day + timedelta(days=after), time(hour), tzinfo=UTC)


def versions(rows: list[tuple[object, ...]]) -> pl.DataFrame:
    """Return rows of (series, date, vintage, value, knowable_at) as a staging table."""
    return pl.DataFrame(
        [(*row, "stamp") for row in rows], schema=VERSIONS, orient="row"
    )


def nothing(registry: Registry, table: str) -> pl.DataFrame:
    """Return a table of the registry without a row."""
    return pl.DataFrame(schema=schema_of(registry.contracts[table]))


def same(expected: float | None, value: float | None) -> bool:
    """Return whether two cells are alike, to 1e-9 of their size or 1e-10."""
    if expected is None or value is None:
        return expected is value
    return abs(expected - value) <= max(1e-10, 1e-9 * abs(expected))
