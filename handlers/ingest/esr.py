"""Weekly export sales of USDA's FAS: one row per country and week, eight measures.

A season is called by the year in which it ends: 2026 is 2025/26. Countries are told by
code, never by their cut names. Nothing is summed over countries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import as_written, names_in, records_in
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line, json_of

MEASURES = {
    "weeklyExports": "weekly_exports",
    "accumulatedExports": "accumulated_exports",
    "outstandingSales": "outstanding_sales",
    "grossNewSales": "gross_new_sales",
    "currentMYNetSales": "net_sales",
    "currentMYTotalCommitment": "total_commitment",
    "nextMYOutstandingSales": "next_outstanding_sales",
    "nextMYNetSales": "next_net_sales",
}
_TOLD = ("commodityCode", "countryCode", "weekEndingDate", "unitId")
_FIELDS = (*_TOLD, *MEASURES)
_TONNES = "1"
_OCTOBER = ("901", "902")
"""Meal and oil: their season begins in October, that of the other crops in September."""
_OUTSIDE = ".other_season"
_PART = re.compile(r"esr_(?P<commodity>\d+)_(?P<season>\d{4})")
_EXPECTED = "weekly export sales with " + ", ".join(_FIELDS)


def season_of(day: date, commodity: str) -> int:
    """Return the season in which a day lies, by the year in which it ends."""
    first = 10 if commodity in _OCTOBER else 9
    return day.year + (day.month >= first)


def _names_fields(header: str) -> bool:
    return {"commodityCode", "weekEndingDate", "outstandingSales"} <= set(
        names_in(header)
    )


@source(
    "esr",
    form="json",
    headers=('[{"commodityCode":801,"countryCode":5700,...}]',),
    recognises=lambda head: (
        '"weekEndingDate"' in head and '"outstandingSales"' in head.replace(" ", "")
    ),
)
def esr(data: bytes, part: str | None) -> pl.DataFrame:
    """Return eight rows per country and week of an answer of the service.

    Raises:
        BadInput: it is no list of records, or a field is missing.
    """
    told = json_of(data)
    if not isinstance(told, list):
        msg = f"expected a list of {_EXPECTED}; found {str(told)[:120]}"
        raise BadInput(msg)
    return _rows(Observations(), enumerate(told, start=1), part)


@source("esr", headers=(",".join(_FIELDS),), recognises=_names_fields)
def esr_csv(data: bytes, part: str | None) -> pl.DataFrame:
    """Return eight rows per line of a CSV with the service's field names.

    Raises:
        BadInput: a column is missing.
    """
    found = Observations()
    return _rows(found, records_in(data, found), part)


def _rows(
    found: Observations, records: Iterable[tuple[int, Any]], part: str | None
) -> pl.DataFrame:
    for number, record in records:
        if not isinstance(record, Mapping):
            msg = f"entry {number}: expected {_EXPECTED}; found {str(record)[:120]}"
            raise BadInput(msg)
        missing = [name for name in _FIELDS if name not in record]
        if missing:
            held = ", ".join(map(str, record))
            msg = (
                f"entry {number}: expected {_EXPECTED}; found no {missing[0]} in {held}"
            )
            raise BadInput(msg)
        _add(found, record, number, part=part)
    rows = found.frame(expected=_EXPECTED)
    outside = rows["series"].str.ends_with(_OUTSIDE).sum()
    if outside * 2 > rows.height:
        msg = (
            f"expected weeks of the season that ends in the year of {part}; found "
            f"{outside} of {rows.height} figures of another: archives of the old "
            "service count by the year in which a season begins"
        )
        raise BadInput(msg)
    return rows


def _add(
    found: Observations, record: Mapping[str, Any], number: int, *, part: str | None
) -> None:
    commodity, country = (as_written(record[n]) for n in _TOLD[:2])
    week = day_in(str(record["weekEndingDate"])[:10])
    unit = as_written(record["unitId"])
    problem = None
    if week is None:
        problem = (
            "date: weekEndingDate: expected a day like 2026-07-23; found "
            f"{record['weekEndingDate']!r}"
        )
    elif not (commodity.isdigit() and country.isdigit()):
        problem = f"code: expected numbers like 902 and 5700; found {commodity!r}, {country!r}"
    elif unit != _TONNES:
        problem = f"unit: expected unitId 1 (metric tons); found {unit!r}"
    if week is None or problem:
        words = ",".join(str(record[name]) for name in _FIELDS)
        found.unreadable("", words, str(problem), line=cell_line(number, 1))
        return
    tail = _of_season(part, commodity, week)
    for place, (name, measure) in enumerate(MEASURES.items(), start=1):
        series = f"{commodity}.{country}.{measure}{tail}"
        found.add(series, week, record[name], line=cell_line(number, place))


def _of_season(part: str | None, commodity: str, week: date) -> str:
    """Return what is added to a series where the week is of another season.

    The week in which one season ends and the next begins stands in the answers of both,
    each with its own share: were they one series, each answer would restate the other.
    """
    told = _PART.search(part or "")
    if told is None or int(told["season"]) == season_of(week, commodity):
        return ""
    return _OUTSIDE
