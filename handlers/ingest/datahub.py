"""Spot crude oil and monthly exchange rates, as datahub copies them from their publishers.

Holidays are no lines there, and none is made up. A rate is how much of a country's money
one US dollar buys.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import source
from handlers.ingest.bars import Layout, cells_of, named
from handlers.ingest.lines import body_of
from handlers.ingest.values import values_of

_OIL, _RATES = "Date,Price", "Date,Country,Exchange rate"
_IS_OIL = named("Date", "Price")
_IS_RATES = named("Date", "Country", "Exchange rate")


@source("datahub", headers=(_OIL,), recognises=_IS_OIL)
def datahub_oil(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of the file of spot crude oil: the series wti.spot."""
    layout = Layout({"date": "Date", "value": "Price"})
    return values_of(
        data, series or "wti.spot", layout, recognises=_IS_OIL, expected=_OIL
    )


@source("datahub", headers=(_RATES,), recognises=_IS_RATES)
def datahub_rates(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of the file of rates: the series fx.<country>, as fx.brazil."""
    header, lines = body_of(data, _IS_RATES, expected=_RATES)
    at = cells_of(header).index("Country")
    layout = Layout({"date": "Date", "value": "Exchange rate"})
    rows = values_of(data, series, layout, recognises=_IS_RATES, expected=_RATES)
    named_by = {
        line: f"fx.{_word(cells_of(text)[at:])}" for line, text in lines.iter_rows()
    }
    return rows.with_columns(
        series=pl.col("line").replace_strict(named_by, return_dtype=pl.String)
    )


def _word(cells: list[str]) -> str:
    """Return a country in small letters, with underscores for blanks."""
    return cells[0].lower().replace(" ", "_") if cells else ""
