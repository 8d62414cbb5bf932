"""Yahoo price files as the site wrote them until 2024. It never drops a null row."""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.lines import NUMBER, WHOLE, has_columns, table_of

_HEADER = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")
_PRICES = ("open", "high", "low", "close", "adj_close")
_COLUMNS = {**dict.fromkeys(_PRICES, NUMBER), "volume": WHOLE}


@source("yahoo", recognises=has_columns(*_HEADER))
def yahoo(data: bytes, symbol: str) -> pl.DataFrame:
    """Return the lines of one symbol's file, cells as written."""
    return table_of(
        data,
        columns=_COLUMNS,
        nulls=frozenset({"null", ""}),
        mend="Download the file again, or take the lines out; nothing was taken in.",
    ).with_columns(symbol=pl.lit(symbol))
