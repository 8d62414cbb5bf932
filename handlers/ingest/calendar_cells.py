"""CSV files whose dates stand in columns of their own: day, month and year.

Notes under the data are passed over, as remarks are; a line of data never is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from handlers.ingest import named_cells
from handlers.ingest.observed import Observations
from handlers.ingest.packed import cell_line

_YEAR_DIGITS = 4


def days_of(data: bytes, columns: Sequence[str], *, series: str) -> pl.DataFrame:
    """Return the lines of a file with one number a day.

    Args:
        data: the file.
        columns: day, month, year and the number's, as the header names them.
        series: the id of the series.

    Raises:
        BadInput: a column is missing, or most lines cannot be read.
    """
    *_, value = columns
    found = Observations()
    for line in named_cells.without_notes(named_cells.lines_of(data, columns), "day"):
        cells = line.cells
        day = _date(cells.get("year"), cells.get("month"), cells.get("day"))
        problem = line.problem or named_cells.not_a_number(value, cells[value])
        if not problem and day is not None:
            found.add(series, day, cells[value], line=line.number)
            continue
        problem = problem or _not_a_date(cells, ("day", "month", "year"))
        found.unreadable(series, line.text, problem, line=line.number)
    return found.frame(expected=f"days of {series}")


def months_of(
    data: bytes, columns: Sequence[str], *, series: dict[str, str]
) -> pl.DataFrame:
    """Return the lines of a file with some numbers a month.

    Args:
        data: the file.
        columns: all of its columns, Year and Month first.
        series: column to the id of its series.

    Raises:
        BadInput: a column is missing, or most lines cannot be read.
    """
    found = Observations()
    lines = named_cells.lines_of(data, columns)
    for line in named_cells.without_notes(lines, "Year"):
        cells = line.cells
        day = _date(cells.get("Year"), cells.get("Month"), "1")
        if line.problem or day is None:
            problem = line.problem or _not_a_date(cells, ("Year", "Month"))
            at = cell_line(line.number, 1)
            found.unreadable("", line.text, problem, line=at)
            continue
        for place, (column, name) in enumerate(series.items(), start=2):
            at = cell_line(line.number, place)
            named_cells.add_number(
                found, name, day, column=column, cell=cells[column], line=at
            )
    return found.frame(expected=f"months of {', '.join(series.values())}")


def month_in(year: str, month: str) -> date | None:
    """Return the first day of a month; a sheet may write 2024 as 2024.0."""
    return _date(year.removesuffix(".0"), month.removesuffix(".0"), "1")


def _date(year: str | None, month: str | None, day: str | None) -> date | None:
    if year is None or month is None or day is None or len(year) != _YEAR_DIGITS:
        return None
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _not_a_date(cells: dict[str, str], names: Sequence[str]) -> str:
    said = ", ".join(f"{name} {cells[name]!r}" for name in names)
    return f"date: expected a date with a year of four digits; found {said}"
