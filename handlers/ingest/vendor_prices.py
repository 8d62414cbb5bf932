"""Daily prices of a terminal: a day, and a column for each of the vendor's codes.

A series is called like its column, without the sign at its end: `brl=` is brl. An empty
cell says nothing of its day, since columns begin and end on different days: it never
becomes a row.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.bars import cells_of
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.table import table_of

_ALWAYS = {"boc1", "smc1"}
_LINES = 1000
_HEADERS = ("Date,boc1,smc1,...",)


def _is_header(header: str) -> bool:
    names = cells_of(header)
    return names[:1] == ["Date"] and set(names) >= _ALWAYS


@source("vendor_prices", headers=_HEADERS, recognises=_is_header)
def vendor_prices(data: bytes, _: str | None) -> pl.DataFrame:
    """Return a row for each cell that holds a number, and one for each unreadable line.

    Its `line` is 1000 times the line of the file plus the column, both from 1.
    """
    header, lines = body_of(data, _is_header, expected=_HEADERS[0])
    codes = cells_of(header)[1:]
    table = table_of(lines, columns=dict.fromkeys(codes, NUMBER), nulls=("",))
    bad = pl.col("problem").is_not_null()
    parts = [
        table.filter(~bad & (pl.col(code) != "")).select(
            pl.lit(code.rstrip("=")).alias("series"),
            "date",
            pl.col(code).alias("value"),
            pl.col("line") * _LINES + column,
            "problem",
            "text",
        )
        for column, code in enumerate(codes, start=2)
    ]
    unread = table.filter(bad).select(
        pl.lit("").alias("series"),
        "date",
        pl.lit(None, pl.String).alias("value"),
        pl.col("line") * _LINES,
        "problem",
        "text",
    )
    return pl.concat([*parts, unread])
