"""The geopolitical risk index: its two Excel files, and a CSV that a person can save.

The words that the authors paste to the right of the data are no data. It never takes a
moving average, and fills no cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import polars as pl

from cbi_stream import Poll, Want, connector, source
from handlers.ingest import named_cells
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line, sheets_of
from handlers.ingest.sheet_cells import Row, below, cell, day_of_cell, header_in
from handlers.ingest.table import date_expected

_FILES = "https://www.matteoiacoviello.com/gpr_files"
_DAILY, _MONTHLY = "data_gpr_daily_recent.xls", "data_gpr_export.xls"
_OF_A_DAY = ("N10D", "GPRD", "GPRD_ACT", "GPRD_THREAT")
_OF_A_MONTH = ("GPR", "GPRT", "GPRA", "GPRH", "GPRHT", "GPRHA")
_COUNTRY = re.compile(r"GPRC_[A-Z]{3}")
_DROPPED = ("date", "GPRD", "GPRD_ACT", "GPRD_THREAT")


def _is_its_file(name: str) -> bool:
    return re.fullmatch(r"data_gpr_(daily_recent|export).*\.xls", name) is not None


@source("gpr", form="xls", headers=(_DAILY, _MONTHLY), recognises=_is_its_file)
def gpr(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the daily or the monthly file, one row per day and series.

    Raises:
        BadInput: it is neither, or a column was renamed.
    """
    sheets = sheets_of(data)
    names = {str(c) for rows in sheets.values() for row in rows[:1] for c in row}
    if "month" in names:
        return _monthly(sheets)
    return _daily(sheets)


@source("gpr", headers=(",".join(_DROPPED),), recognises=named_cells.has(_DROPPED))
def gpr_lines(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the lines of a CSV of the daily index."""
    found = Observations()
    for line in named_cells.lines_of(data, _DROPPED):
        day = day_in(line.cells.get("date"))
        if line.problem or day is None:
            said = line.problem or f"date: {date_expected(line.cells['date'])}"
            at = cell_line(line.number, 1)
            found.unreadable("", line.text, said, line=at)
            continue
        for column, name in enumerate(_DROPPED[1:], start=2):
            at = cell_line(line.number, column)
            named_cells.add_number(
                found, name.lower(), day, column=name, cell=line.cells[name], line=at
            )
    return found.frame(expected="days of the geopolitical risk index")


def _daily(sheets: dict[str, list[Row]]) -> pl.DataFrame:
    sheet, header, places = header_in(
        sheets, ("DAY", *_OF_A_DAY), what="the daily geopolitical risk index"
    )
    taken = [(name, places[name]) for name in _OF_A_DAY]
    found = Observations()
    for number, row in below(sheets[sheet], header):
        said = cell(row, places["DAY"])
        twin = cell(row, places.get("date", len(row)))
        if not said and not any(cell(row, at) for _, at in taken):
            continue  # the pasted dictionary may be longer than the data
        day = day_in(said.removesuffix(".0"), "%Y%m%d")
        if day is None or day_of_cell(twin) not in (day, None):
            problem = (
                f"date: expected one day in DAY and date; found {said!r}, {twin!r}"
            )
            at = cell_line(number, places["DAY"] + 1)
            found.unreadable("", row, problem, line=at)
            continue
        for name, at in taken:
            line = cell_line(number, at + 1)
            value = cell(row, at)
            named_cells.add_number(
                found, name.lower(), day, column=name, cell=value, line=line
            )
    return found.frame(expected="days of the geopolitical risk index")


def _monthly(sheets: dict[str, list[Row]]) -> pl.DataFrame:
    sheet, header, places = header_in(
        sheets, ("month", *_OF_A_MONTH), what="the monthly geopolitical risk index"
    )
    countries = sorted(name for name in places if _COUNTRY.fullmatch(name))
    found = Observations()
    for number, row in below(sheets[sheet], header):
        said = cell(row, places["month"])
        held = [n for n in (*_OF_A_MONTH, *countries) if cell(row, places[n])]
        if not held:
            continue  # the pasted dictionary, or a month without any number
        day = day_of_cell(said)
        if day is None:
            problem = f"date: {date_expected(said)}"
            at = cell_line(number, places["month"] + 1)
            found.unreadable("", row, problem, line=at)
            continue
        for name in held:
            line = cell_line(number, places[name] + 1)
            value = cell(row, places[name])
            first = day.replace(day=1)
            named_cells.add_number(
                found, name.lower(), first, column=name, cell=value, line=line
            )
    return found.frame(expected="months of the geopolitical risk index")


@connector("gpr")
def gpr_asked(_: Poll) -> Iterator[Want]:
    """Ask for both files; each holds the whole history."""
    for name in (_DAILY, _MONTHLY):
        yield Want(name, f"{_FILES}/{name}", expect="xls")
