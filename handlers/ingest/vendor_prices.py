"""Daily prices of a terminal: a day, and a column for each of the vendor's codes.

A series is called like its column, without the sign at its end: `brl=` is brl. An empty
cell says nothing of its day, since columns begin and end on different days: it never
becomes a row.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.bars import Layout, cells_of, read
from handlers.ingest.lines import body_of

_ALWAYS = {"boc1", "smc1"}
_HEADERS = ("Date,boc1,smc1,...",)


def _is_header(header: str) -> bool:
    names = cells_of(header)
    return names[:1] == ["Date"] and set(names) >= _ALWAYS


@source("vendor_prices", headers=_HEADERS, recognises=_is_header)
def vendor_prices(data: bytes, _: str | None) -> pl.DataFrame:
    """Return a row for each cell that holds a number, or cannot be read.

    Its `line` is 1000 times the line of the file plus the column, both from 1.
    """
    header, lines = body_of(data, _is_header, expected=_HEADERS[0])
    codes = cells_of(header)
    parts = []
    for column, code in enumerate(codes[1:], start=2):
        rows = read(header, lines, Layout({"date": codes[0], "value": code}))
        said = (pl.col("value") != "") | pl.col("problem").is_not_null()
        parts.append(
            rows.filter(said).select(
                pl.lit(code.rstrip("=")).alias("series"),
                "date",
                "value",
                pl.col("line") * 1000 + column,
                "problem",
                "text",
            )
        )
    return pl.concat(parts)
