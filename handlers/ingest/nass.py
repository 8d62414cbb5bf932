"""NASS QuickStats in three forms, and two compiled tables of crop weeks by slot.

A load time is taken as a release only where it lies close behind its period: history is
loaded again in bulk. A withheld value is a published gap. It never adds categories up.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import (
    as_written,
    columns_of,
    names_in,
    number_in,
    records_in,
    told,
    with_made,
)
from handlers.ingest.lines import finished
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import json_of

_ZONE = "America/New_York"
_FIELDS = (
    "short_desc", "agg_level_desc", "state_alpha", "location_desc", "domain_desc",
    "domaincat_desc", "freq_desc", "begin_code", "reference_period_desc", "week_ending",
    "year", "load_time", "Value",
)  # fmt: skip
_ABOUT = (
    "short_desc", "agg_level_desc", "state_alpha", "location_desc", "domain_desc",
    "domaincat_desc", "freq_desc", "reference_period_desc",
)  # fmt: skip
_PERIOD = ("freq_desc", "year", "begin_code", "week_ending")
_GAPS = ("", "(D)", "(Z)", "(NA)", "(S)", "(X)", "(H)", "(L)")
"""Withheld, less than half a unit, not available, too few reports, and the like."""
_SOON = {"WEEKLY": 10, "MONTHLY": 75, "POINT IN TIME": 45}
"""How many days after its period's date a load can be the release of it."""
_WHOLE_YEAR = ("ANNUAL", "MARKETING YEAR", "SEASON")
_EXPECTED = "QuickStats rows with " + ", ".join(_FIELDS)
_SLOTS = {
    "pct_good_plus_excellent": "us.soybeans_condition_good_excellent_by_slot",
    "pct_planted": "us.soybeans_planted_by_slot",
}
_SLOT = "week_slot_mm_dd_of_reference_year"
_SUNDAY = 6


def _is_quickstats(header: str) -> bool:
    mark = "\t" if "\t" in header else ","
    held = {name.lower() for name in names_in(header, separator=mark)}
    return {"short_desc", "load_time", "value"} <= held


@source(
    "nass",
    form="json",
    headers=('{"data":[{"short_desc":...,"Value":...}]}',),
    recognises=lambda head: '"short_desc"' in head and '"load_time"' in head,
)
def nass(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per record of an answer.

    Raises:
        BadInput: it is no answer with `data`, or a field is missing.
    """
    said = json_of(data)
    records = said.get("data") if isinstance(said, dict) else None
    if not isinstance(records, list) or not all(isinstance(r, dict) for r in records):
        msg = f'expected {{"data": [...]}} of {_EXPECTED}; found {str(said)[:120]}'
        raise BadInput(msg)
    lacking = next((f for r in records for f in _FIELDS if f not in r), None)
    if lacking is not None:
        msg = f"expected {_EXPECTED}; found a record without {lacking}"
        raise BadInput(msg)
    cells = {name: [as_written(r[name]) for r in records] for name in _FIELDS}
    frame = pl.DataFrame(cells, schema=dict.fromkeys(_FIELDS, pl.String))
    numbered = frame.with_row_index("line", offset=1).cast({"line": pl.Int64})
    text = pl.concat_str(_FIELDS, separator=",")
    return _rows(numbered.with_columns(text=text, rule=pl.lit(None, pl.String)))


@source(
    "nass",
    headers=('"source_desc",...,"load_time","Value"',),
    recognises=_is_quickstats,
)
def nass_csv(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of a CSV, or of a tab-separated bulk file.

    Raises:
        BadInput: a column is missing, or most lines cannot be read.
    """
    mark = "\t" if b"SHORT_DESC" in data[:4096] and b"\t" in data[:4096] else ","
    return _rows(columns_of(data, _FIELDS, expected=_EXPECTED, separator=mark))


def _rows(cells: pl.DataFrame) -> pl.DataFrame:
    named = with_made(cells, _ABOUT, "series", _series)
    dated = with_made(named, _PERIOD, "date", _date_of, kind=pl.Date)
    stamp = pl.col("load_time").str.slice(0, 19)
    local = stamp.str.to_datetime("%Y-%m-%d %H:%M:%S", time_unit="us", strict=False)
    soon = pl.col("freq_desc").replace_strict(_SOON, default=-1, return_dtype=pl.Int64)
    age = (local.dt.date() - pl.col("date")).dt.total_days()
    at = local.dt.replace_time_zone(_ZONE, non_existent="null", ambiguous="latest")
    rows = dated.with_columns(
        stamp=at.dt.convert_time_zone("UTC"),
        loaded=~age.is_between(0, soon).fill_null(value=False),
        value=number_in("Value", nothing=_GAPS),
        rule=pl.coalesce(
            "rule", pl.when(pl.col("date").is_null()).then(pl.lit("date"))
        ),
    )
    done = finished(rows, told(_sentence), cells=["value", "stamp", "loaded"])
    return done.select(
        "series", "date", "value", "stamp", "loaded", "line", "problem", "text"
    )


def _slug(text: str) -> str:
    plain = text.replace("MEASURED IN", "").lower()
    return "_".join(re.findall(r"[a-z0-9]+", plain.replace("%", " pct ")))


def _series(
    short: str,
    level: str,
    state: str,
    place: str,
    *more: str,
) -> str:
    """Return a row's series: where, what, and how it is cut, if it is no total."""
    domain, category, frequency, reference = more
    where = "us" if level == "NATIONAL" else _slug(state)
    if level not in ("NATIONAL", "STATE"):
        where = _slug(place)
    parts = [where, _slug(short)]
    if domain not in ("TOTAL", ""):
        parts.append(_slug(category or domain))
    if frequency in _WHOLE_YEAR and reference not in ("YEAR", "MARKETING YEAR", ""):
        # "YEAR - AUG FORECAST" is no figure of the year, but a forecast of it.
        parts.append(_slug(reference))
    return ".".join(parts)


def _date_of(frequency: str, year: str, begin: str, week_ending: str) -> date | None:
    """Return the period: a week's last day, else the first day of its month or year."""
    if frequency == "WEEKLY":
        return day_in(week_ending)
    month = 1 if frequency in _WHOLE_YEAR else int(begin) if begin.isdigit() else 0
    if not re.fullmatch(r"(19|20)\d\d|18[6-9]\d", year) or not 1 <= month <= 12:
        return None
    return date(int(year), month, 1)


def _sentence(_rule: str, text: str) -> str:
    return (
        "expected a week_ending like 2026-06-14, or a year with a month as begin_code; "
        f"found {text[:160]!r}"
    )


def _is_slots(header: str) -> bool:
    names = names_in(header)
    return names[:2] == ["year", _SLOT] and names[2:3] != [] and names[2] in _SLOTS


@source(
    "nass",
    headers=tuple(f"year,{_SLOT},{name}" for name in _SLOTS),
    recognises=_is_slots,
)
def nass_slots(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line of a compiled table of weeks by slot.

    A slot is a Sunday of one reference year: in another year the true week lies up to
    six days off. So each is dated by the first Sunday on or after it, never earlier than
    the true one, and is a series of its own. A percent with decimals was interpolated.

    Raises:
        BadInput: more than half of the lines cannot be read.
    """
    found = Observations()
    for number, line in records_in(data, found):
        _slot(found, line, next(name for name in _SLOTS if name in line), number)
    return found.frame(expected=f"year, {_SLOT} and a percent")


def _slot(found: Observations, line: Mapping[str, str], name: str, number: int) -> None:
    cell = (line.get(name) or "").strip()
    slot = day_in(f"{line['year']}-{line[_SLOT]}")
    problem = None
    if slot is None:
        problem = f"date: expected a year and a slot like 05-25; found {line!r}"
    elif not re.fullmatch(r"\d{1,3}(\.0+)?", cell):
        problem = f"number: expected a whole percent, as published; found {cell!r}: interpolated"
    if slot is None or problem:
        found.unreadable(
            _SLOTS[name], ",".join(map(str, line.values())), str(problem), line=number
        )
        return
    sunday = slot + timedelta(days=(_SUNDAY - slot.weekday()) % 7)
    found.add(_SLOTS[name], sunday, cell, line=number)
