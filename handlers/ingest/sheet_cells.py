"""Sheets with a header somewhere above their rows: columns by name, days as they come.

It never reads a column that was not asked for, such as notes pasted beside the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from cbi_stream import BadInput
from handlers.ingest.observed import day_in

Row = tuple[str | None, ...]
_FIRST_SERIAL = date(1899, 12, 30)
_SERIAL = r"[0-9]{4,6}(\.0+)?"
_QUARTER, _MONTH = r"([0-9]{4})[Qq:]+0?([1-4])", r"([0-9]{4})[Mm]([0-9]{2})"
_LOOKED_AT = 12
_HIGHEST_MONTH = 12


def header_in(
    sheets: dict[str, list[Row]], needed: Sequence[str], *, what: str
) -> tuple[str, int, dict[str, int]]:
    """Return the sheet, the row and the columns of the header that has these names.

    Raises:
        BadInput: none has them: one was renamed, or it is another file.
    """
    seen: list[str] = []
    for name, rows in sheets.items():
        for number, row in enumerate(rows[:_LOOKED_AT]):
            places = {str(c).strip(): i for i, c in reversed(list(enumerate(row))) if c}
            if set(needed) <= places.keys():
                return name, number, places
            seen = seen or sorted(places, key=lambda name: places[name])
    shown = ", ".join(seen[:15]) or "nothing"
    msg = f"expected {what} with the columns {', '.join(needed)}; found {shown}"
    raise BadInput(msg)


def below(rows: list[Row], header: int) -> Iterator[tuple[int, Row]]:
    """Return the rows under a header with their numbers, from 1."""
    return enumerate(rows[header + 1 :], start=header + 2)


def cell(row: Row, place: int) -> str:
    """Return a cell as text; empty where there is none."""
    return (row[place] or "").strip() if place < len(row) else ""


def day_of_cell(text: str) -> date | None:
    """Return the day of a cell: a date, a serial number, a month or a quarter."""
    if re.fullmatch(_SERIAL, text):
        return _FIRST_SERIAL + timedelta(days=int(float(text)))
    for pattern, months in ((_QUARTER, 3), (_MONTH, 1)):
        if match := re.fullmatch(pattern, text):
            month = (int(match[2]) - 1) * months + 1
            fits = 1 <= month <= _HIGHEST_MONTH
            return date(int(match[1]), month, 1) if fits else None
    return day_in(text, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d")
