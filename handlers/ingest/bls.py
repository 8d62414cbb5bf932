"""BLS answers as JSON, and its tables as text: series, year, period, value.

It never mixes an annual average with the months: that is a series of its own, called
`<id>.annual`, which stays unused unless somebody registers it.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import cut
from handlers.ingest.lines import NUMBER, text_of
from handlers.ingest.observed import Observations, one_of
from handlers.ingest.packed import json_of
from handlers.ingest.table import number_expected

_ANSWER = '{"status": ..., "Results": {"series": [{"seriesID": ..., "data": [...]}]}}'
_COLUMNS = "Series ID,Year,Period,Label,Value"
_SERIES = ("series_id", "Series ID")
_YEAR, _PERIOD, _VALUE = ("year", "Year"), ("period", "Period"), ("value", "Value")
_NULLS = ("", "-")
_MONTHS = {"M": 1, "Q": 3, "S": 6}
_MEANS = {"M13", "Q05", "S03", "A01"}
_LINE = re.compile(r"[\t,]")


def _is_answer(head: str) -> bool:
    return '"seriesID"' in head and '"Results"' in head


@source("bls", form="json", headers=(_ANSWER,), recognises=_is_answer)
def bls(data: bytes, _: str | None) -> pl.DataFrame:
    """Return the observations of every series of an answer.

    Raises:
        BadInput: it is no such answer, or one of a question that was not processed.
    """
    found = Observations()
    for series, entries in series_in(json_of(data)):
        for entry in entries:
            _add(found, series, entry)
    return found.frame(expected="observations of BLS")


def series_in(answer: Any) -> list[tuple[str, list[Any]]]:
    """Return each series of an answer with its entries, the newest first.

    Raises:
        BadInput: it is no answer with series.
    """
    results = answer.get("Results") if isinstance(answer, dict) else None
    held = results.get("series") if isinstance(results, dict) else None
    if not isinstance(held, list):
        said = answer.get("message") if isinstance(answer, dict) else None
        msg = f"expected {_ANSWER}; found {str(said or answer)[:200]}"
        raise BadInput(msg)
    for each in held:
        for name in ("seriesID", "data"):
            one_of([name], each, what="a field of a series")
    return [(str(each["seriesID"]), list(each["data"])) for each in held]


def _cells(header: str) -> list[str]:
    return [cell.strip().strip('"') for cell in _LINE.split(header)]


def _is_header(header: str) -> bool:
    cells = _cells(header)
    return cells[0] in _SERIES and any(name in cells for name in _PERIOD)


_NOTES = ("footnote_codes", "footnotes")


@source(
    "bls",
    headers=(_COLUMNS, "series_id\tyear\tperiod\tvalue\tfootnote_codes"),
    recognises=_is_header,
)
def bls_table(data: bytes, _: str | None) -> pl.DataFrame:
    """Return the observations of a table, with commas or tabs, as the site gives it.

    Raises:
        BadInput: a column is missing, or most lines cannot be read.
    """
    numbered = enumerate(text_of(data).split("\n"), start=1)
    lines = [(n, t) for n, t in numbered if t.strip() and not t.startswith("#")]
    if not lines or not _is_header(lines[0][1]):
        msg = f"line 1: expected the header {_COLUMNS}; found {lines[:1]}"
        raise BadInput(msg)
    header = _cells(lines[0][1])
    names = [
        one_of(n, header, what="a column") for n in (_SERIES, _YEAR, _PERIOD, _VALUE)
    ]
    tabs = "\t" if "\t" in lines[0][1] else ","
    found = Observations()
    for number, text in lines[1:]:
        cells = cut(text, tabs)
        # The site leaves a last footnote out where there is none.
        if cells is not None and header[-1] in _NOTES and len(cells) == len(header) - 1:
            cells.append("")
        if cells is None or len(cells) != len(header):
            problem = (
                f"cells: expected {len(header)} in closed quotes; found {text[:80]!r}"
            )
            found.unreadable("", text, problem, line=number)
            continue
        entry = dict(zip(header, cells, strict=True))
        series, year, period, value = (entry.get(name) for name in names)
        said = {"year": year, "period": period, "value": value}
        _add(found, series or "", said, line=number)
    return found.frame(expected=f"lines below {_COLUMNS}")


def _add(found: Observations, series: str, entry: Any, line: int | None = None) -> None:
    """Add one entry, or why it cannot be read.

    Raises:
        BadInput: its fields are not those of BLS.
    """
    for name in ("year", "period", "value"):
        one_of([name], entry, what="a field of an observation")
    year, period = str(entry["year"]), str(entry["period"])
    value = "" if entry["value"] is None else str(entry["value"]).strip()
    day = _first_of(year, period)
    if day is None:
        problem = f"date: expected a period like 2024 M01; found {year!r} {period!r}"
        found.unreadable(series, entry, problem, line=line)
    elif value not in _NULLS and not re.fullmatch(NUMBER, value):
        said = number_expected("value", value, pattern=NUMBER, nulls=_NULLS)
        found.unreadable(series, entry, f"number: {said}", line=line)
    else:
        name = f"{series}.annual" if period in _MEANS else series
        found.add(name, day, "" if value == "-" else value, line=line)


def _first_of(year: str, period: str) -> date | None:
    """Return the first day of a period; None where there is no such one."""
    match = re.fullmatch(r"([MQS])([0-9]{2})", period)
    if not re.fullmatch(r"(19|20)[0-9]{2}", year):
        return None
    if period in _MEANS:
        return date(int(year), 1, 1)
    month = 1 + (int(match[2]) - 1) * _MONTHS[match[1]] if match else 0
    return date(int(year), month, 1) if 1 <= month <= 12 else None
