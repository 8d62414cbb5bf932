"""Daily prices as macrotrends.net hands them out: a day and a value, both in quotes.

The site dates month first. It never keeps the value of a weekend.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest import days
from handlers.ingest.bars import Layout
from handlers.ingest.values import values_of

_HEADER = '"Date","Value"'
_LAYOUT = Layout({"date": "Date", "value": "Value"}, (days.MONTH_FIRST, days.DAY_FIRST))


def _is_header(header: str) -> bool:
    return header == _HEADER


@source("macrotrends", headers=(_HEADER,), recognises=_is_header)
def macrotrends(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of one series' file."""
    return values_of(
        data, series, _LAYOUT, recognises=_is_header, expected=_HEADER, weekdays=True
    )
