"""FRED files: CSV in four layouts, and the answers of its API as JSON.

Each is about one series. It never drops a missing value, and never takes the day on
which a value was asked for as the day on which it was released.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.observed import Observations, day_in, end_of_day, one_of
from handlers.ingest.packed import json_of
from handlers.ingest.table import number_expected, table_of

_NAMED = re.compile(r"(?:observation_date|DATE),([A-Z0-9]+)")
_UNNAMED = ("Date,Value", "date,value")
_HEADERS = ("observation_date,SERIES", "DATE,SERIES", *_UNNAMED)
_ANSWER = '{"realtime_start": ..., "observations": [{"date": ..., "value": ...}]}'
_ZONE = "America/Chicago"
_BEGINNING, _NO_END = date(1776, 7, 4), date(9999, 12, 31)
_BY_VINTAGE = ("2", "3")
_NULLS = ("", ".")


def _is_header(header: str) -> bool:
    return header in _UNNAMED or _NAMED.fullmatch(header) is not None


def _series_of(header: str) -> str | None:
    match = _NAMED.fullmatch(header)
    return match[1] if match else None


@source("fred", headers=_HEADERS, recognises=_is_header, key_of=_series_of)
def fred(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of one series' file, cells as written.

    Raises:
        BadInput: the header names another series, or nothing names one.
    """
    header, lines = body_of(data, _is_header, expected=" or ".join(_HEADERS))
    named = _series_of(header) or series
    if named is None or series not in (named, None):
        msg = f"expected a file of the series {series}; its header says {header!r}"
        raise BadInput(msg)
    rows = table_of(lines, columns={"value": NUMBER}, nulls=_NULLS)
    return rows.select(pl.lit(named, pl.String).alias("series"), pl.all())


def _is_answer(head: str) -> bool:
    return '"realtime_start"' in head and '"observations"' in head


@source("fred", form="json", headers=(_ANSWER,), recognises=_is_answer)
def fred_json(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the observations of one answer, with the day of release where it says it.

    Raises:
        BadInput: it is no such answer, is transformed, or nothing names its series.
    """
    if series is None:
        msg = "expected to be told the series: FRED's JSON does not name it"
        raise BadInput(msg)
    answer = json_of(data)
    asked = _asked_of(answer)
    found = Observations()
    for entry in answer["observations"]:
        _add(found, series, entry, asked)
    return found.frame(expected="observations of FRED")


@source(
    "fred",
    form="xml",
    headers=("<observations ...>",),
    recognises=lambda head: "<observations" in head,
)
def fred_xml(data: bytes, series: str | None) -> pl.DataFrame:
    """Refuse FRED's XML: it says nothing that its JSON does not.

    Raises:
        BadInput: always.
    """
    msg = (
        f"expected FRED's JSON or CSV; found its XML ({len(data)} bytes of "
        f"{series or 'an unnamed series'}): ask for it again with file_type=json"
    )
    raise BadInput(msg)


@dataclass(frozen=True, slots=True)
class _Asked:
    """Over which days of the database a question went, and what follows from that."""

    start: date
    end: date
    first_vintage: date | None
    """The first day of which the whole answer knows anything; None where it is a part."""

    def stamp(self, began: date, ended: date) -> tuple[date | None, bool | None]:
        """Return the day of release of a row, and whether that is only a bulk load's.

        A row that begins where the question begins was cut there: it stood on that day,
        and may be decades older. Where it still stands it was seen when it was asked
        for; where it was replaced later, that day is the latest by which it was out.
        """
        if self.start == self.end or began <= _BEGINNING:
            return None, None  # the day is only that of a question
        if began == self.start:
            return (None, None) if ended >= _NO_END else (began, True)
        return began, True if began == self.first_vintage else None


def _asked_of(answer: Any) -> _Asked:
    """Return what was asked, from the frame of an answer.

    Raises:
        BadInput: it lacks its frame, or its values are not those of the series.
    """
    if not isinstance(answer, dict):
        msg = f"expected {_ANSWER}; found a list"
        raise BadInput(msg)
    one_of(["observations"], answer, what="the observations")
    days = {}
    for name in ("realtime_start", "realtime_end"):
        one_of([name], answer, what="the days of the question")
        days[name] = day_in(answer[name])
    start, end = days["realtime_start"], days["realtime_end"]
    entries = answer["observations"]
    if start is None or end is None or not isinstance(entries, list):
        msg = f"expected {_ANSWER}; found {str(answer)[:200]}"
        raise BadInput(msg)
    units, shape = answer.get("units", "lin"), str(answer.get("output_type", "1"))
    if units != "lin" or shape in _BY_VINTAGE:
        msg = (
            f"expected plain values (units lin, output_type 1); found units {units}, "
            f"output_type {shape}: ask again without these parameters"
        )
        raise BadInput(msg)
    whole = start <= _BEGINNING and int(answer.get("count", 0)) <= len(entries)
    began = [_day(str(e.get("realtime_start"))) for e in entries if isinstance(e, dict)]
    first = min((day for day in began if day is not None), default=None)
    return _Asked(start, end, first if whole else None)


def _add(found: Observations, series: str, entry: Any, asked: _Asked) -> None:
    """Add one row of an answer, or why it cannot be read.

    Raises:
        BadInput: its fields are not those of FRED.
    """
    for name in ("date", "value", "realtime_start", "realtime_end"):
        one_of([name], entry, what="a field of an observation")
    day, began, ended = (
        _day(str(entry[n])) for n in ("date", "realtime_start", "realtime_end")
    )
    value = "" if entry["value"] is None else str(entry["value"]).strip()
    if day is None or began is None or ended is None:
        problem = f"date: expected days like 2024-01-31; found {entry}"
        found.unreadable(series, entry, problem)
    elif value not in _NULLS and not re.fullmatch(NUMBER, value):
        said = number_expected("value", value, pattern=NUMBER, nulls=_NULLS)
        found.unreadable(series, entry, f"number: {said}")
    else:
        stamp, loaded = asked.stamp(began, ended)
        out = None if stamp is None else _end_of(stamp)
        found.add(series, day, value, stamp=out, loaded=loaded)


@lru_cache(maxsize=1 << 15)
def _day(text: str) -> date | None:
    return day_in(text)


@lru_cache(maxsize=1 << 15)
def _end_of(day: date) -> datetime:
    return end_of_day(day, _ZONE)
