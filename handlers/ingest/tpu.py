"""Trade policy uncertainty: the authors' workbook, and the daily CSV of another index.

The two are built in different ways, so they are different series. It never splices them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from cbi_stream import BadInput, Poll, Want, connector, source
from handlers.ingest import calendar_cells, named_cells
from handlers.ingest.observed import Observations
from handlers.ingest.packed import cell_line, sheets_of
from handlers.ingest.sheet_cells import Row, below, cell, day_of_cell, header_in
from handlers.ingest.table import date_expected

_BOOK = "tpu_web_latest.xlsx"
_SHEETS = {
    "TPU_MONTHLY": "TPU",
    "TPU_QUARTERLY": "TPUQ",
    "TPU_DAILY": "TPUD_index",
}
_CSV = ("day", "month", "year", "daily_tpu_index")


def _is_its_book(name: str) -> bool:
    return re.fullmatch(r"tpu_web_.*\.xlsx", name) is not None


@source("tpu", form="xlsx", headers=(_BOOK,), recognises=_is_its_book)
def tpu(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the monthly, quarterly and daily index, each under its column's name.

    Raises:
        BadInput: a sheet or a column is missing.
    """
    sheets = sheets_of(data)
    missing = [name for name in _SHEETS if name not in sheets]
    if missing:
        held = ", ".join(sheets)
        msg = f"expected the sheets {', '.join(_SHEETS)}; found {held}"
        raise BadInput(msg)
    found = Observations()
    for place, (name, column) in enumerate(_SHEETS.items(), start=1):
        _add(found, name, sheets[name], column=column, place=place)
    return found.frame(expected="trade policy uncertainty")


@source("tpu", headers=(",".join(_CSV),), recognises=named_cells.has(_CSV))
def tpu_lines(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of the daily CSV."""
    return calendar_cells.days_of(data, _CSV, series="daily_tpu_index")


def _add(
    found: Observations, name: str, rows: list[Row], *, column: str, place: int
) -> None:
    """Add the rows of one sheet; its cells count in columns of their own."""
    _, header, places = header_in({name: rows}, ("DATE", column), what=name)
    for number, row in below(rows, header):
        said, value = cell(row, places["DATE"]), cell(row, places[column])
        if not said and not value:
            continue
        day, at = day_of_cell(said), cell_line(number, place)
        if day is None:
            problem = f"date: {date_expected(said)}"
            found.unreadable(column.lower(), row, problem, line=at)
        else:
            named_cells.add_number(
                found, column.lower(), day, column=column, cell=value, line=at
            )


@connector("tpu")
def tpu_asked(_: Poll) -> Iterator[Want]:
    """Ask for the workbook; it holds the whole history."""
    url = f"https://www.matteoiacoviello.com/tpu_files/{_BOOK}"
    yield Want(_BOOK, url, expect="xlsx")
