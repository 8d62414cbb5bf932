"""Files with a date and one value a line: a daily price or index without a bar.

It never fills a day. Where a publisher does not work on weekends, a line that is dated on
one is set aside with its problem: somebody put the file on a grid of calendar days.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from handlers.ingest import days
from handlers.ingest.bars import Layout, read
from handlers.ingest.lines import body_of, text_of

_SATURDAY = 6


def values_of(
    data: bytes,
    series: str | None,
    layout: Layout,
    *,
    recognises: Callable[[str], bool],
    expected: str,
    weekdays: bool = False,
) -> pl.DataFrame:
    """Return the observations of a file of one series.

    Args:
        data: the file.
        series: what it is about.
        layout: its columns, `date` and `value`.
        recognises: whether a line is the header.
        expected: how the header looks, for messages.
        weekdays: whether a line that is dated on a weekend cannot be true.

    Raises:
        BadInput: it is no such file, its dates are ambiguous, or most of it is unreadable.
    """
    header, lines = body_of(data, recognises, expected=expected)
    rows = read(header, lines, layout, stated=days.remark(text_of(data)))
    rows = rows.select(pl.lit(series, pl.String).alias("series"), pl.all())
    return _without_weekends(rows, lines) if weekdays else rows


def _without_weekends(rows: pl.DataFrame, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the rows; a readable one of a weekend has its problem and no value."""
    off = pl.col("problem").is_null() & (pl.col("date").dt.weekday() >= _SATURDAY)
    day = pl.col("date").dt.strftime("%Y-%m-%d")
    said = pl.concat_str(
        pl.lit("date: expected a weekday; found the weekend day "), day
    )
    written = rows.join(lines, on="line", how="left", suffix="_whole")
    return written.with_columns(
        value=pl.when(off).then(None).otherwise("value"),
        problem=pl.when(off).then(said).otherwise("problem"),
        text=pl.when(off).then("text_whole").otherwise("text"),
    ).select(rows.columns)
