"""California's low-carbon fuel credits: prices and volumes of transfers, from tables.

The agency gives sheets and pages whose names rotate: they are never asked for, a person
hands tables in.
"""

from __future__ import annotations

import re

import polars as pl

from cbi_stream import source
from handlers.ingest.lines import NUMBER, body_of, has_columns
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line

_WEEKLY = ("date", "price_usd_per_mt", "volume_mt")
_MONTHLY = ("month", "arb_monthly_average_credit_price_usd", "credits_transacted_mt")
_PARTS = ("price", "volume")


def _rows(data: bytes, columns: tuple[str, ...], *, per: str) -> pl.DataFrame:
    header = has_columns(*columns)
    _, lines = body_of(data, header, expected=",".join(columns))
    found = Observations()
    for line, text in lines.iter_rows():
        cells = [cell.strip() for cell in text.split(",")]
        day = day_in(cells[0])
        if day is None or len(cells) != len(columns):
            problem = f"date: expected a day like 2024-01-30 and two numbers; found {text[:80]!r}"
            found.unreadable("", text, problem, line=cell_line(line, 1))
            continue
        if per == "month":
            day = day.replace(day=1)  # what day of its month a row bears says nothing
        for column, (part, cell) in enumerate(zip(_PARTS, cells[1:], strict=True), 2):
            at, series = cell_line(line, column), f"{per}.{part}"
            if cell and not re.fullmatch(NUMBER, cell):
                problem = (
                    f"number: {part}: expected a number or nothing; found {cell[:40]!r}"
                )
                found.unreadable(series, text, problem, line=at)
            else:
                found.add(series, day, cell, line=at)
    return found.frame(expected=f"credit prices by {per}")


@source("lcfs", headers=(",".join(_WEEKLY),), recognises=has_columns(*_WEEKLY))
def weekly(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the prices and volumes of the weekly log, typed off by a person."""
    return _rows(data, _WEEKLY, per="week")


@source("lcfs", headers=(",".join(_MONTHLY),), recognises=has_columns(*_MONTHLY))
def monthly(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the monthly means and volumes of the agency's history."""
    return _rows(data, _MONTHLY, per="month")
