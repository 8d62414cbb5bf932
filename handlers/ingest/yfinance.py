"""Yahoo price files as a script saved them: all digits, and empty cells for no price.

It never rounds a digit away.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.lines import NUMBER, WHOLE, body_of, has_columns
from handlers.ingest.table import table_of

_HEADER = ("date", "open", "high", "low", "close", "volume")
_COLUMNS = {**dict.fromkeys(("open", "high", "low", "close"), NUMBER), "volume": WHOLE}
_IS_HEADER = has_columns(*_HEADER)


@source("yfinance", headers=(",".join(_HEADER),), recognises=_IS_HEADER)
def yfinance(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file, cells as written."""
    _, lines = body_of(data, _IS_HEADER, expected=",".join(_HEADER))
    rows = table_of(lines, columns=_COLUMNS, nulls=("",))
    return rows.select(pl.lit(symbol, pl.String).alias("symbol"), pl.all())
