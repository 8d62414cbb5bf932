"""US trade by product and partner: the GATS export sheet, and answers of the Census.

One row per product, partner, month and unit. Columns of totals and changes are passed
over; a month that is not out is missing. Units are never converted into each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import as_written, lines_in, ungrouped
from handlers.ingest.observed import Observations
from handlers.ingest.packed import cell_line, json_of

_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August",
    "September", "October", "November", "December",
)  # fmt: skip
_NAMES = ("Product", "Year", "UOM", "Partner Code", "Product Code")
_UNITS = {"KG": "kilograms", "MT": "tonnes", "T": "tonnes"}
_WORLD = ("R00", "-")
"""What the two services call all partners together."""
_ASKED = ("time", "CTY_CODE", "E_COMMODITY", "QTY_1_MO", "UNIT_QY1", "ALL_VAL_MO")
_CENSUS = "a list of lists whose first has " + ", ".join(_ASKED)
_GATS = "a GATS query with Product Code, Partner Code, Year, UOM and twelve months"


@source(
    "gats",
    headers=('"Data generated on ..." above a GATS query of exports',),
    recognises=lambda header: header.lstrip('"').startswith("Data generated on "),
)
def gats(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return twelve rows per product, partner and year of an exported query.

    Raises:
        BadInput: no header of months stands in it, or it shows something else than
            quantities exported.
    """
    found = Observations()
    lines = [(number, cells or [text]) for number, text, cells in lines_in(data)]
    months, names = _headers(lines)
    last = max(*months, *names.values())
    for number, cells in lines:
        # Under the table stand notes, and what else a person typed beside them.
        if not cells[0].strip()[:1].isdigit():
            continue
        if len(cells) <= last:
            problem = f"cells: expected more than {last}; found {len(cells)}"
            words = ",".join(cells)
            found.unreadable("", words, problem, line=cell_line(number, 1))
        elif cells[0].strip().isdigit() and cells[names["Product Code"]].strip():
            _add_year(found, cells, names, months=months, number=number)
    return found.frame(expected=_GATS)


def _headers(
    lines: Sequence[tuple[int, list[str]]],
) -> tuple[list[int], dict[str, int]]:
    """Return where the twelve months stand, and where the named columns do."""
    months: list[int] = []
    words = {cell.strip() for _, cells in lines[:8] for cell in cells}
    for _, cells in lines:
        plain = [cell.strip() for cell in cells]
        if set(_MONTHS) <= set(plain):
            months = [plain.index(name) for name in _MONTHS]
        if months and set(_NAMES) <= set(plain):
            if "And Commodities Exported" not in words or "Quantities" not in words:
                msg = f"expected quantities exported; found {sorted(words)[:12]}"
                raise BadInput(msg)
            return months, {name: plain.index(name) for name in _NAMES}
    msg = f"expected {_GATS}; found no such header in {len(lines)} lines"
    raise BadInput(msg)


def _add_year(
    found: Observations,
    cells: list[str],
    names: dict[str, int],
    *,
    months: list[int],
    number: int,
) -> None:
    told = {name: cells[place].strip() for name, place in names.items()}
    years = re.fullmatch(r"(\d{4})-(\d{4})", told["Year"])
    unit = _UNITS.get(told["UOM"])
    problem = None
    if years is None or years[1] != years[2]:
        problem = f"date: expected one year like 2020-2020; found {told['Year']!r}"
    elif unit is None:
        problem = f"unit: expected one of {', '.join(_UNITS)}; found {told['UOM']!r}"
    if years is None or unit is None or problem:
        words = ",".join(cells)
        found.unreadable("", words, str(problem), line=cell_line(number, 1))
        return
    series = f"exports.{told['Product Code']}.{_partner(told['Partner Code'])}.{unit}"
    for month, place in enumerate(months, start=1):
        value = ungrouped(cells[place].strip())
        line = cell_line(number, place + 1)
        # An empty month was not out: it is no figure, and no gap in one.
        if value:
            found.add(series, date(int(years[1]), month, 1), value, line=line)


def _partner(code: str) -> str:
    return "world" if code in _WORLD else code.strip().lower()


@source(
    "gats",
    form="json",
    headers=('[["E_COMMODITY","CTY_CODE",...,"time"],[...]]',),
    recognises=lambda head: (
        '"CTY_CODE"' in head and '"E_COMMODITY"' in head and '"time"' in head
    ),
)
def gats_census(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a quantity and a value for each row of an answer of the Census.

    Raises:
        BadInput: the answer has no header row, or a column is missing.
    """
    told = json_of(data)
    # A simulated answer says so in a string among the rows.
    rows = (
        [row for row in told if isinstance(row, list)] if isinstance(told, list) else []
    )
    header: list[Any] = rows[0] if rows else []
    missing = [name for name in _ASKED if name not in header]
    if missing:
        msg = f"expected {_CENSUS}; found no {missing[0]} in {str(told)[:160]}"
        raise BadInput(msg)
    found = Observations()
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            problem = f"cells: expected {len(header)}; found {len(row)}"
            found.unreadable("", row, problem, line=cell_line(number, 1))
            continue
        _add_month(found, dict(zip(header, row, strict=True)), number)
    return found.frame(expected=_CENSUS)


def _add_month(found: Observations, told: dict[str, Any], number: int) -> None:
    month = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", str(told["time"]))
    if month is None:
        problem = f"date: expected a month like 2026-05; found {told['time']!r}"
        found.unreadable("", list(told.values()), problem, line=cell_line(number, 1))
        return
    first = date(int(month[1]), int(month[2]), 1)
    cells = {name: as_written(cell) for name, cell in told.items()}
    stem = f"exports.{cells['E_COMMODITY']}.{_partner(cells['CTY_CODE'])}"
    unit = _UNITS.get(cells["UNIT_QY1"], cells["UNIT_QY1"].lower() or "none")
    found.add(f"{stem}.{unit}", first, cells["QTY_1_MO"], line=cell_line(number, 1))
    found.add(f"{stem}.dollars", first, cells["ALL_VAL_MO"], line=cell_line(number, 2))
