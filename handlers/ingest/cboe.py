"""The history of the VIX as Cboe publishes it, also in the copy of datahub.

It has no volume. It never mends an open that lies outside the day's range.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest import days
from handlers.ingest.bars import Layout, bars_of, named

_HEADER = ("DATE", "OPEN", "HIGH", "LOW", "CLOSE")
_IS_HEADER = named(*_HEADER)
_LAYOUT = Layout(
    {name.lower(): name for name in _HEADER},
    (days.ISO, days.MONTH_FIRST, days.DAY_FIRST),
)


@source("cboe", headers=(",".join(_HEADER),), recognises=_IS_HEADER)
def cboe(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one index's file."""
    return bars_of(
        data, symbol, _LAYOUT, recognises=_IS_HEADER, expected=",".join(_HEADER)
    )
