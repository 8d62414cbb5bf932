"""FRED-MD: a month's vintage of some 130 monthly series, all history in one wide file.

A file does not say when it was made, so that follows from what it holds: the vintage of
a month ends with the month before. It counts as known at the end of its month, and is
never taken for the day on which a value was first released.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of, finished, text_is_bad
from handlers.ingest.observed import end_of_day
from handlers.ingest.table import cells_expected, unseen_in

_HEADER = "sasdate,RPI,W875RX1,..."
_SECOND = "Transform:"
_ZONE = "America/Chicago"
_KEPT = 500


def _is_header(header: str) -> bool:
    return header.startswith("sasdate,")


@source("fred_md", headers=(_HEADER,), recognises=_is_header)
def fred_md(data: bytes, _: str | None) -> pl.DataFrame:
    """Return one row for each cell of the file; `line` is 1000 x its line + its column.

    Raises:
        BadInput: it is no FRED-MD file, or most of it cannot be read.
    """
    header, lines = body_of(data, _is_header, expected=_HEADER)
    names = [series_of(name) for name in header.split(",")[1:]]
    # The site's files end in a line of commas: that is padding, and no month.
    lines = lines.filter(~pl.col("text").str.contains(r"^[\s,]*$"))
    second = lines[0, "text"] if lines.height else ""
    if not second.startswith(_SECOND) or len(set(names)) < len(names):
        msg = (
            f"expected a line {_SECOND!r} under the header, and each column once; found "
            f"{second[:40]!r} under {header[:40]!r}"
        )
        raise BadInput(msg)
    below = lines.slice(1)
    rows = finished(_dated(below, len(names)), _sentence_of(len(names)), cells=[])
    good = rows.filter(pl.col("problem").is_null()).select("line", "date")
    cells = _cells(good.join(below, on="line", how="left"), names)
    bad = rows.filter(pl.col("problem").is_not_null())
    newest = max(good["date"].to_list(), default=None)
    stamp = end_of_day(_made(newest), _ZONE) if newest else None
    return pl.concat([cells, _unreadable(bad)]).with_columns(
        stamp=pl.lit(stamp, pl.Datetime("us", "UTC")),
        loaded=pl.lit(value=True),
    )


def series_of(name: str) -> str:
    """Return the id of a column: its name, with one _ for what is no letter or digit."""
    return re.sub(r"[^A-Za-z0-9]+", "_", name.strip()).strip("_")


def _dated(lines: pl.DataFrame, columns: int) -> pl.DataFrame:
    """Return the lines with their date, and the rule that each breaks."""
    text = pl.col("text")
    parts = text.str.extract_groups(r"^([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})\s*,").struct
    month, day, year = (parts.field(str(i)) for i in (1, 2, 3))
    written = pl.concat_str(year, month.str.zfill(2), day.str.zfill(2), separator="-")
    tests = {
        "text": text_is_bad(),
        "cells": text.str.count_matches(",", literal=True) != columns,
        "date": pl.col("date").is_null() | (pl.col("date").dt.day() != 1),
    }
    rule = pl.coalesce(*(pl.when(t).then(pl.lit(name)) for name, t in tests.items()))
    return lines.with_columns(
        date=written.str.to_date("%Y-%m-%d", strict=False)
    ).with_columns(rule=rule)


def _sentence_of(columns: int) -> Callable[[str, str], str]:
    def sentence(rule: str, text: str) -> str:
        if rule == "text":
            return unseen_in(text)
        if rule == "cells":
            return cells_expected(columns + 1, text.count(",") + 1)
        return f"expected the first of a month like 1/1/2024; found {text[:12]!r}"

    return sentence


def _cells(lines: pl.DataFrame, names: list[str]) -> pl.DataFrame:
    """Return a row for each cell; one that is no number keeps the problem.

    Raises:
        BadInput: more than half of the cells are no numbers.
    """
    columns = [str(number) for number in range(1, len(names) + 2)]
    parts = pl.col("text").str.split_exact(",", len(names))
    wide = lines.select(
        "line", "date", parts.struct.rename_fields(columns).alias("__cells")
    ).unnest("__cells")
    series = dict(zip(columns[1:], names, strict=True))
    value = pl.col("value").str.strip_chars()
    number = (value == "") | value.str.contains(f"^{NUMBER}$")
    rows = (
        wide.drop("1")
        .unpivot(index=["line", "date"], variable_name="column", value_name="value")
        .select(
            pl.col("column").replace_strict(series).alias("series"),
            "date",
            pl.when(number).then(value).alias("value"),
            (pl.col("line") * 1000 + pl.col("column").cast(pl.Int64)).alias("line"),
            pl.when(~number)
            .then(pl.format("number: expected a number, or nothing; found {}", value))
            .alias("problem"),
            pl.when(~number).then(value.str.slice(0, _KEPT)).alias("text"),
        )
    )
    bad = rows["problem"].count()
    if bad * 2 > rows.height:
        told = rows["problem"].drop_nulls()[0]
        msg = f"{bad} of {rows.height} cells cannot be read, so none is taken: {told}"
        raise BadInput(msg)
    return rows


def _unreadable(lines: pl.DataFrame) -> pl.DataFrame:
    """Return lines that cannot be read as rows that are about no series."""
    return lines.select(
        pl.lit("").alias("series"),
        "date",
        pl.lit(None, pl.String).alias("value"),
        pl.col("line") * 1000,
        "problem",
        "text",
    )


def _made(newest: date) -> date:
    """Return the last day of the month that follows the newest month of a file."""
    after = newest.replace(day=28) + timedelta(days=4)
    return after.replace(day=monthrange(after.year, after.month)[1])
