"""US Treasury: tables of Fiscal Data (JSON or CSV), and the daily par yield curve (CSV).

The word null is a missing value there. It never adds up rows, and never fills a maturity
that was not issued yet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import cut
from handlers.ingest.lines import NUMBER, text_of
from handlers.ingest.observed import Observations, day_in, one_of
from handlers.ingest.packed import cell_line, json_of
from handlers.ingest.table import date_expected, number_expected

_PAGE = '{"data": [{"record_date": ..., "country_currency_desc": ..., "exchange_rate": ...}]}'
_TABLE = "record_date,country_currency_desc,exchange_rate"
_CURVE = 'Date,"1 Mo","2 Mo",...,"30 Yr"'
_IS_CURVE = re.compile(r'"?Date"?(,"?[0-9.]+ (Mo|Month|Yr)"?)+')
_DATES = "%m/%d/%Y"
_NULLS = ("", "null", "N/A")
_DAY = ("record_date", "Record Date")
# (what begins the id, columns that name it, columns with its value)
_KINDS = (
    (
        "exchange",
        ("country_currency_desc", "Country - Currency Description"),
        ("exchange_rate", "Exchange Rate"),
    ),
    (
        "interest",
        ("security_desc", "Security Description"),
        ("avg_interest_rate_amt", "Average Interest Rate Amount"),
    ),
)


def _is_page(head: str) -> bool:
    return '"record_date"' in head and any(f'"{v[0]}"' in head for _, _, v in _KINDS)


@source("treasury", form="json", headers=(_PAGE,), recognises=_is_page)
def treasury(data: bytes, _: str | None) -> pl.DataFrame:
    """Return the observations of one page of a table.

    Raises:
        BadInput: it is no such page, or a field has another name.
    """
    page = json_of(data)
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list):
        msg = f"expected {_PAGE}; found {str(page)[:200]}"
        raise BadInput(msg)
    found = Observations()
    for row in rows:
        _add(found, row)
    return found.frame(expected="rows of Fiscal Data")


def _cells(line: str) -> list[str]:
    return cut(line) or [line]


def _is_table(header: str) -> bool:
    cells = _cells(header)
    named = any(v in cells for _, _, values in _KINDS for v in values)
    return named and any(name in cells for name in _DAY)


@source("treasury", headers=(_TABLE,), recognises=_is_table)
def treasury_table(data: bytes, _: str | None) -> pl.DataFrame:
    """Return the observations of a table as the site exports it.

    Raises:
        BadInput: a column has another name, or most lines cannot be read.
    """
    header, lines = _lines(data, expected=_TABLE)
    found = Observations()
    for number, text in lines:
        cells = cut(text)
        if cells is None or len(cells) != len(header):
            problem = (
                f"cells: expected {len(header)} in closed quotes; found {text[:80]!r}"
            )
            found.unreadable("", text, problem, line=number)
            continue
        _add(found, dict(zip(header, cells, strict=True)), line=number)
    return found.frame(expected=f"lines below {_TABLE}")


@source(
    "treasury", headers=(_CURVE,), recognises=lambda h: bool(_IS_CURVE.fullmatch(h))
)
def treasury_curve(data: bytes, _: str | None) -> pl.DataFrame:
    """Return one row per day and maturity; `line` is 1000 x the line + the column.

    Raises:
        BadInput: it is no yield curve, or most of it cannot be read.
    """
    header, lines = _lines(data, expected=_CURVE)
    if not _IS_CURVE.fullmatch(",".join(header)):
        msg = f"line 1: expected {_CURVE}; found {','.join(header)[:80]!r}"
        raise BadInput(msg)
    found = Observations()
    for number, text in lines:
        cells = _cells(text)
        day = day_in(cells[0], _DATES)
        if day is None or len(cells) != len(header):
            problem = (
                f"date: {date_expected(cells[0], _DATES)}, and {len(header)} cells"
            )
            found.unreadable("", text, problem, line=cell_line(number, 1))
            continue
        for column, (name, cell) in enumerate(
            zip(header[1:], cells[1:], strict=True), 2
        ):
            series = f"par_yield.{_word(name.replace('Month', 'Mo'))}"
            _value(found, series, day, cell, line=cell_line(number, column))
    return found.frame(expected=f"lines below {_CURVE}")


def _lines(data: bytes, *, expected: str) -> tuple[list[str], list[tuple[int, str]]]:
    numbered = enumerate(text_of(data).split("\n"), start=1)
    lines = [(n, t) for n, t in numbered if t.strip() and not t.startswith("#")]
    if not lines or lines[0][1].lstrip()[:1] in ("<", "{", "["):
        msg = f"line 1: expected the header {expected}; found {str(lines[:1])[:90]}"
        raise BadInput(msg)
    return _cells(lines[0][1]), lines[1:]


def _word(name: str) -> str:
    """Return a name of the source as a part of an id: brazil_real for Brazil-Real."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def _add(found: Observations, row: Any, line: int | None = None) -> None:
    """Add a row of a table, or why it cannot be read.

    Raises:
        BadInput: its fields are not those of a table that is known.
    """
    held: Mapping[str, Any] = row if isinstance(row, dict) else {}
    day_name = one_of(_DAY, held, what="the day")
    kind, about, values = _kind_of(held)
    about_name = one_of(about, held, what="what it is about")
    series = f"{kind}.{_word(str(held[about_name]))}"
    day = day_in(held[day_name])
    if day is None:
        problem = f"date: {date_expected(str(held[day_name]))}"
        found.unreadable(series, row, problem, line=line)
    else:
        _value(found, series, day, held[one_of(values, held, what="")], line=line)


def _kind_of(row: Mapping[str, Any]) -> tuple[str, Sequence[str], Sequence[str]]:
    for kind in _KINDS:
        if any(name in row for name in kind[2]):
            return kind
    wanted = " or ".join(values[0] for _, _, values in _KINDS)
    msg = f"expected a value under {wanted}; found {', '.join(row)}"
    raise BadInput(msg)


def _value(
    found: Observations, series: str, day: Any, cell: Any, *, line: int | None
) -> None:
    text = "" if cell is None else str(cell).strip()
    if text not in _NULLS and not re.fullmatch(NUMBER, text):
        said = number_expected(series, text, pattern=NUMBER, nulls=_NULLS)
        found.unreadable(series, f"{day} {text}", f"number: {said}", line=line)
    else:
        found.add(series, day, "" if text in _NULLS else text, line=line)
