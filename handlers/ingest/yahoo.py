"""Yahoo price files as the site wrote them until 2024. It never drops a null row."""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.lines import NUMBER, WHOLE, body_of, has_columns
from handlers.ingest.table import table_of

_HEADER = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")
_PRICES = ("open", "high", "low", "close", "adj_close")
_COLUMNS = {**dict.fromkeys(_PRICES, NUMBER), "volume": WHOLE}
_IS_HEADER = has_columns(*_HEADER)


@source("yahoo", headers=(",".join(_HEADER),), recognises=_IS_HEADER)
def yahoo(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file, cells as written."""
    _, lines = body_of(data, _IS_HEADER, expected=",".join(_HEADER))
    rows = table_of(lines, columns=_COLUMNS, nulls=("null", ""))
    return rows.select(pl.lit(symbol, pl.String).alias("symbol"), pl.all())
