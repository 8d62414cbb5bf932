"""Continuous futures of Quandl's CHRIS collection, withdrawn since: a deferred month.

The close is the settlement. The column of open interest speaks of the day before, so it
is not taken. These bars are never those of the front month: the registry gives them
symbols of their own.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.bars import Layout, bars_of, named

_CME = (
    "Date", "Open", "High", "Low", "Last", "Change", "Settle", "Volume",
    "Previous Day Open Interest",
)  # fmt: skip
_ICE = (
    "Date", "Open", "High", "Low", "Settle", "Change", "Wave", "Volume",
    "Prev. Day Open Interest", "EFP Volume", "EFS Volume", "Block Volume",
)  # fmt: skip
_IS_CME, _IS_ICE = named(*_CME), named(*_ICE)
_LAYOUT = Layout(
    {
        "date": "Date",
        "open": "Open",
        "high": "High",
        "low": "Low",
        "close": "Settle",
        "volume": "Volume",
    }
)
_HEADERS = (",".join(_CME), ",".join(_ICE))


def _is_header(header: str) -> bool:
    return _IS_CME(header) or _IS_ICE(header)


@source("quandl", headers=_HEADERS, recognises=_is_header)
def quandl(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one continuous series."""
    return bars_of(
        data, symbol, _LAYOUT, recognises=_is_header, expected=" or ".join(_HEADERS)
    )
