"""Series of the Brazilian central bank (SGS), as JSON or CSV: a day and a value.

The file's name says which series it is; no line does. Days come first in its dates.
It never takes a decimal comma for a thousand.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import cut
from handlers.ingest.lines import NUMBER
from handlers.ingest.observed import Observations, day_in, one_of
from handlers.ingest.packed import json_of
from handlers.ingest.table import date_expected, number_expected

_DATES = "%d/%m/%Y"
_LIST = '[{"data": "31/01/2024", "valor": "5.1234"}]'
_HEADER = '"data";"valor"'
_CSV = re.compile(r'"?data"?;"?valor"?(;"?datafim"?)?', re.I)
_ENTRY = re.compile(r'\[\s*\{[^{}]*"data"\s*:\s*"\d\d?/\d\d?/\d{4}"')


def _is_list(head: str) -> bool:
    return _ENTRY.match(head.lstrip()) is not None and '"valor"' in head


@source("bcb", form="json", headers=(_LIST,), recognises=_is_list)
def bcb(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the observations of one series.

    Raises:
        BadInput: it is no list of days and values, or nothing names the series.
    """
    entries = json_of(data)
    if not isinstance(entries, list):
        msg = f"expected {_LIST}; found {str(entries)[:200]}"
        raise BadInput(msg)
    found = Observations()
    for entry in entries:
        for name in ("data", "valor"):
            one_of([name], entry, what="a field of an observation")
        _add(found, _named(series), entry["data"], entry["valor"])
    return found.frame(expected="observations of SGS")


@source("bcb", headers=(_HEADER,), recognises=lambda h: _CSV.fullmatch(h) is not None)
def bcb_csv(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the observations of one series.

    Raises:
        BadInput: another header, or nothing names the series.
    """
    text = _text(data).replace("\r\n", "\n").replace("\r", "\n")
    lines = [
        (n, t) for n, t in enumerate(text.split("\n"), 1) if t.strip() and t[0] != "#"
    ]
    if not lines or not _CSV.fullmatch(lines[0][1]):
        msg = f"line 1: expected the header {_HEADER}; found {lines[:1]}"
        raise BadInput(msg)
    found = Observations()
    width = lines[0][1].count(";") + 1
    for number, line in lines[1:]:
        cells = cut(line, ";")
        if cells is None or len(cells) != width:
            problem = f"cells: expected {width} between semicolons; found {line[:80]!r}"
            found.unreadable(_named(series), line, problem, line=number)
            continue
        _add(found, _named(series), cells[0], cells[1].replace(",", "."), line=number)
    return found.frame(expected=f"lines below {_HEADER}")


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _named(series: str | None) -> str:
    if series is None:
        msg = "expected to be told the series: name the file like bcb_sgs_1.json"
        raise BadInput(msg)
    return series


def _add(
    found: Observations, series: str, day: Any, value: Any, *, line: int | None = None
) -> None:
    read = day_in(day, _DATES)
    cell = "" if value is None else str(value).strip()
    if read is None:
        problem = f"date: {date_expected(str(day), _DATES)}"
        found.unreadable(series, f"{day} {cell}", problem, line=line)
    elif cell and not re.fullmatch(NUMBER, cell):
        said = number_expected("valor", cell, pattern=NUMBER, nulls=("",))
        found.unreadable(series, f"{day} {cell}", f"number: {said}", line=line)
    else:
        found.add(series, read, cell, line=line)
