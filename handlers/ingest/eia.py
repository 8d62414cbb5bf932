"""EIA figures in the forms in which they come, under one id whatever the form.

Answers of the API, tables that the API's page exports, history workbooks, tables of the
Monthly Energy Review. It never takes a forecast for an observation.

An id is the EIA's own. Where the agency gives one series in several frequencies under
the same id, the plain id is the frequency in which it is collected, and the others have
theirs behind a point: `RWTC` is daily, `RWTC.monthly` its mean of the month.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.observed import Observations, day_in, one_of
from handlers.ingest.packed import json_of, sheets_of

_NOTHING = (
    "",
    "W",
    "NA",
    "--",
    "-",
    "Not Available",
    "Not Applicable",
    "Not Meaningful",
)
"""Withheld, not available, not collected: no value is told."""
_COLLECTED = (
    (r"EER_|R[A-Z]+", "daily"),
    (r"W|EM[DM]_", "weekly"),
    (r"M_", "monthly"),
)
_DAYS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
_MONTH, _YEAR = "%Y-%m", "%Y"
_MER = ("MSN", "YYYYMM", "Value")
_ANNUAL_MONTH = 13
_EXPORT = {"period", "series", "value"}
_KNOWN_BESIDE = {"duoarea", "area-name", "product", "product-name", "process",
                 "process-name", "series-description", "units"}  # fmt: skip


_WRITTEN = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]{1,2})?")


def series_id(series: str, frequency: str | None) -> str:
    """Return the id of a series in one frequency; see the top of this file."""
    collected = next((f for p, f in _COLLECTED if re.match(p, series)), frequency)
    return series if frequency in (None, collected) else f"{series}.{frequency}"


def value_of(cell: object) -> str | None:
    """Return a cell as a number's text, empty where none is told; None for no number."""
    text = "" if cell is None else str(cell).strip()
    if text in _NOTHING:
        return ""
    if not _WRITTEN.fullmatch(text):
        return None
    number = Decimal(text)
    # One form writes 3 where another writes 3.0, and sheets write the smallest as 1e-05:
    # a value that is written otherwise is no other value.
    plain = format(number.normalize(), "f")
    return plain if re.fullmatch(NUMBER, plain) else None


def add(
    found: Observations,
    series: str,
    day: date | None,
    cell: object,
    *,
    line: int | None = None,
    whole: object = None,
) -> None:
    """Add one observation, or an entry that cannot be read, with its problem.

    Args:
        found: where it is added.
        series: its id.
        day: its date; None where none can be read.
        cell: its value as written.
        line: the line that holds it, if one does.
        whole: the entry as it stands.
    """
    value = value_of(cell)
    if day is None:
        problem = f"date: expected a day, a month or a year; found {str(whole)[:80]!r}"
    elif value is None:
        problem = f"number: expected a number, or a word for none; found {cell!r}"
    else:
        found.add(series, day, value, line=line)
        return
    found.unreadable(series, whole, problem, line=line)


def _is_answer(head: str) -> bool:
    said = re.search(r'"response"\s*:', head) and re.search(r'"period"\s*:', head)
    told = r'"(apiVersion|dateFormat|series-description|product-name|seriesId)"\s*:'
    return bool(said and re.search(told, head))


@source(
    "eia",
    form="json",
    headers=('{"response": {"data": [{"period": ..., "series": ..., "value": ...}]}}',),
    recognises=_is_answer,
)
def answer(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the rows of an answer of the API, version 2."""
    said = json_of(data)
    response = said.get("response") if isinstance(said, dict) else None
    rows = response.get("data") if isinstance(response, dict) else None
    if not isinstance(rows, list):
        msg = f"expected response.data with a list of rows; found {str(said)[:80]!r}"
        raise BadInput(msg)
    frequency = response.get("frequency") if isinstance(response, dict) else None
    found = Observations()
    for row in rows:
        if "seriesId" in row and "series" not in row:
            msg = (
                "expected observations; found forecasts of the Short-Term Energy "
                f"Outlook ({row['seriesId']}), which the answer mixes with history and "
                "does not date: hand in STEO.zip, which says when it was issued"
            )
            raise BadInput(msg)
        series = row[one_of(["series"], row, what="the id of a row")]
        day = day_in(
            row[one_of(["period"], row, what="the period of a row")],
            *(*_DAYS, _MONTH, _YEAR),
        )
        cell = row[one_of(["value"], row, what="the value of a row (data[]=value)")]
        add(found, series_id(series, frequency), day, cell, whole=row)
    return found.frame(expected="rows of the EIA's API")


def _is_export(header: str) -> bool:
    names = {cell.strip().strip('"') for cell in header.split(",")}
    return names >= _EXPORT and names <= _EXPORT | _KNOWN_BESIDE


@source("eia", headers=("period,series,value",), recognises=_is_export)
def export(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the rows of a table as the API's page exports it, or as a person types it."""
    header, lines = body_of(data, _is_export, expected="with period, series and value")
    names = next(csv.reader([header]))
    at = {name.strip(): i for i, name in enumerate(names)}
    found = Observations()
    for line, text in lines.iter_rows():
        cells = next(csv.reader([text]))
        if len(cells) != len(names):
            problem = f"cells: expected {len(names)} cells; found {len(cells)}"
            found.unreadable("", text, problem, line=line)
            continue
        period = cells[at["period"]].strip()
        monthly = day_in(period, _MONTH)
        frequency = "monthly" if monthly else "annual" if len(period) == 4 else None
        day = monthly or day_in(period, *_DAYS, _YEAR)
        series = series_id(cells[at["series"]].strip(), frequency)
        add(found, series, day, cells[at["value"]], line=line, whole=text)
    return found.frame(expected="rows of period, series and value")


def _is_review(header: str) -> bool:
    names = [cell.strip().strip('"') for cell in header.split(",")]
    return all(names.count(name) == 1 for name in _MER)


@source("eia", headers=(",".join(f'"{n}"' for n in _MER),), recognises=_is_review)
def review(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the rows of a table of the Monthly Energy Review.

    Month 13 is the year's total: it is a series of its own, dated the first of January.
    """
    header, lines = body_of(data, _is_review, expected=",".join(_MER))
    names = [name.strip() for name in next(csv.reader([header]))]
    at = {name: names.index(name) for name in _MER}
    found = Observations()
    for line, text in lines.iter_rows():
        cells = next(csv.reader([text]))
        if len(cells) != len(names):
            problem = f"cells: expected {len(names)} cells; found {len(cells)}"
            found.unreadable("", text, problem, line=line)
            continue
        series, stamp = cells[at["MSN"]].strip(), cells[at["YYYYMM"]].strip()
        if re.fullmatch(rf"\d{{4}}{_ANNUAL_MONTH}", stamp):
            series, stamp = f"{series}.annual", f"{stamp[:4]}01"
        add(
            found,
            series,
            day_in(stamp, "%Y%m"),
            cells[at["Value"]],
            line=line,
            whole=text,
        )
    return found.frame(expected="rows of the Monthly Energy Review")


_BOOK = re.compile(r"[A-Z][A-Z0-9_]{2,}[admqw]\.xls|(PET|NG)_[A-Z0-9_]+\.xls")


@source(
    "eia",
    form="xls",
    headers=("a workbook with rows `Sourcekey` and `Date`, like RWTCd.xls",),
    recognises=lambda name: bool(_BOOK.fullmatch(name)),
)
def workbook(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the observations of a history workbook, of all of its sheets.

    The cells of a series before its first value are no observations: another series of
    the sheet began earlier.
    """
    sheets = sheets_of(data)
    told = _frequencies(sheets.get("Contents", []))
    found = Observations()
    for name, rows in sheets.items():
        start = next((i for i, row in enumerate(rows) if row[0] == "Sourcekey"), None)
        if start is not None:
            _one_sheet(found, rows, start, frequency=told.get(name))
    if not len(found):
        msg = (
            f"expected a sheet with a row `Sourcekey`; found {', '.join(sheets)[:200]}"
        )
        raise BadInput(msg)
    return found.frame(expected="a history workbook of the EIA")


def _frequencies(rows: list[tuple[str | None, ...]]) -> dict[str, str]:
    """Return the frequency of each sheet, as the sheet of contents says it."""
    head = next((row for row in rows if "Frequency" in row), None)
    if head is None:
        return {}
    at = head.index("Frequency")
    return {str(row[0]): str(row[at]).lower() for row in rows if row[0] and row[at]}


def _one_sheet(
    found: Observations,
    rows: list[tuple[str | None, ...]],
    start: int,
    *,
    frequency: str | None,
) -> None:
    keys, below = rows[start], rows[start + 1 :]
    if not below or below[0][0] != "Date":
        msg = f"expected the row `Date` under `Sourcekey`; found {below[:1]}"
        raise BadInput(msg)
    days = [day_in(row[0], *_DAYS) if row[0] else None for row in below[1:]]
    frequency = frequency or _frequency_of([day for day in days if day])
    for column, series in enumerate(keys):
        if column == 0 or series is None:
            continue
        begun = False
        for row, day in zip(below[1:], days, strict=True):
            begun = begun or row[column] is not None
            if begun and row[0] is not None:
                when = _first_day(day, frequency)
                add(found, series_id(series, frequency), when, row[column], whole=row)


def _first_day(day: date | None, frequency: str | None) -> date | None:
    """Return the day that dates a period: months are at their middle in the sheets."""
    if day is None or frequency not in ("monthly", "annual"):
        return day
    return day.replace(day=1, month=day.month if frequency == "monthly" else 1)


def _frequency_of(days: list[date]) -> str | None:
    """Return the frequency of a sheet that does not say it, by the gaps of its dates."""
    gaps = sorted((later - day).days for day, later in pairwise(days))
    if not gaps:
        return None
    middle: Any = gaps[len(gaps) // 2]
    return "daily" if middle < 5 else "weekly" if middle < 20 else (
        "monthly" if middle < 80 else "annual"
    )  # fmt: skip
