"""Economic policy uncertainty of the United States: daily, monthly, and trade policy.

Notes of the authors under the data are no data. It never smooths, and fills no month.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Literal

import polars as pl

from cbi_stream import Answer, BadInput, Poll, SourceRefused, Want, connector, source
from handlers.ingest import calendar_cells, named_cells
from handlers.ingest.lines import body_of
from handlers.ingest.observed import Observations
from handlers.ingest.packed import cell_line, sheets_of
from handlers.ingest.sheet_cells import below, cell, header_in

_MEDIA = "https://www.policyuncertainty.com/media"
_DAILY = ("day", "month", "year", "daily_policy_index")
_THREE, _NEWS = "Three_Component_Index", "News_Based_Policy_Uncert_Index"
_MONTHLY = ("Year", "Month", _THREE, _NEWS)
_SERIES = {_THREE: "us.monthly_three_component", _NEWS: "us.monthly_news"}
_TRADE = "7. Trade policy"
_BOOKS = r"(US_Policy_Uncertainty_Data|Categorical_EPU_Data).*\.xlsx"


def _is_its_book(name: str) -> bool:
    return re.fullmatch(_BOOKS, name) is not None


@source("epu", headers=(",".join(_DAILY),), recognises=named_cells.has(_DAILY))
def epu(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of the daily file."""
    return calendar_cells.days_of(data, _DAILY, series="us.daily")


@source("epu", headers=(",".join(_MONTHLY),), recognises=named_cells.has(_MONTHLY))
def epu_months(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of the monthly file, two numbers each."""
    return calendar_cells.months_of(data, _MONTHLY, series=_SERIES)


@source("epu", form="xlsx", headers=(_BOOKS,), recognises=_is_its_book)
def epu_books(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a workbook: the monthly indices, or that of trade policy.

    Raises:
        BadInput: it has neither.
    """
    sheets = sheets_of(data)
    cells = {str(c).strip() for rows in sheets.values() for row in rows for c in row}
    series = {_TRADE: "us.monthly_trade_policy"} if _TRADE in cells else _SERIES
    needed = ("Year", "Month", *series)
    sheet, header, places = header_in(sheets, needed, what="policy uncertainty")
    found = Observations()
    for number, row in below(sheets[sheet], header):
        day = calendar_cells.month_in(
            cell(row, places["Year"]), cell(row, places["Month"])
        )
        for column, name in series.items():
            value, at = cell(row, places[column]), cell_line(number, places[column] + 1)
            if day is not None:
                named_cells.add_number(
                    found, name, day, column=column, cell=value, line=at
                )
            elif value:
                said = f"date: expected Year and Month; found {row[:2]}"
                found.unreadable("", row, said, line=at)
    return found.frame(expected="months of policy uncertainty")


@connector("epu")
def epu_asked(_: Poll) -> Iterator[Want]:
    """Ask for the three files; each holds its whole history."""
    for name, columns in {
        "All_Daily_Policy_Data.csv": _DAILY,
        "US_Policy_Uncertainty_Data.csv": _MONTHLY,
    }.items():
        judge = partial(_has_its_header, columns)
        yield Want(name, f"{_MEDIA}/{name}", expect="text", judge=judge)
    name = "Categorical_EPU_Data.xlsx"
    yield Want(name, f"{_MEDIA}/{name}", expect="xlsx")


def _has_its_header(
    columns: tuple[str, ...], answer: Answer
) -> Literal["data", "empty"]:
    """Tell a file from a drifted one: its header is the first line without a mark.

    Raises:
        SourceRefused: a column is missing or was renamed.
    """
    try:
        _, lines = body_of(
            answer.data, named_cells.has(columns), expected=",".join(columns)
        )
    except BadInput as error:
        msg = f"epu: {answer.url}: {error}"
        raise SourceRefused(msg) from None
    return "data" if lines.height else "empty"
