"""Market news of USDA's AMS (MARS): bids and prices of one report, row by row.

A series is the report's number, the words that tell a row, and what is measured. Of a
day's preliminary and final report each is a release with its own stamp. A row's text is
never taken for a price.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.observed import Observations, day_in, instant
from handlers.ingest.packed import cell_line, json_of

_ZONE = "America/Chicago"
_DAY = "%m/%d/%Y"
_TELLING = (
    "commodity", "class", "variety", "grade", "protein", "location", "trade_loc",
    "delivery_point", "region", "sale_type", "quote_type", "application", "freight",
    "trans_mode", "current",
)  # fmt: skip
"""The fields that tell one row of a report from another, in the order of a series' id."""
_NEEDED = (
    "slug_id", "report_date", "published_date", "commodity", "quote_type", "freight",
    "trans_mode", "current", "delivery_start", "basis Min", "basis Max", "avg_price",
)  # fmt: skip
"""What every row of bids has, null where nothing was quoted."""
_NO_MEASURE = re.compile(r"ago|date|_id$|year|^office|code")
_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_EXPECTED = "results with " + ", ".join(_NEEDED)


@source(
    "mars",
    form="json",
    headers=('{"reportSection":...,"results":[{"slug_id":...}]}',),
    recognises=lambda head: '"slug_id"' in head and '"published_date"' in head,
)
def mars(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per figure of an answer: of one section, or a list of sections.

    Raises:
        BadInput: there are no results, or a field is missing.
    """
    found = Observations()
    for number, record in enumerate(_records(json_of(data)), start=1):
        lacking = [name for name in _NEEDED if name not in record]
        if lacking:
            held = ", ".join(list(record)[:30])
            msg = f"result {number}: expected {_EXPECTED}; found no {lacking[0]} in {held}"
            raise BadInput(msg)
        _add(found, record, number)
    return found.frame(expected=_EXPECTED)


def _records(told: Any) -> Iterator[Mapping[str, Any]]:
    sections = told if isinstance(told, list) else [told]
    for section in sections:
        rows = section.get("results") if isinstance(section, dict) else None
        if not isinstance(rows, list) or not all(isinstance(r, dict) for r in rows):
            msg = f"expected a section with results; found {str(section)[:120]}"
            raise BadInput(msg)
        yield from rows


def _add(found: Observations, record: Mapping[str, Any], number: int) -> None:
    day = day_in(record["report_date"], _DAY)
    stamp = _published(str(record["published_date"]))
    if day is None or stamp is None:
        name = "published_date" if day else "report_date"
        looks = "08/11/2026 12:48:13" if day else "08/11/2026"
        problem = f"date: {name}: expected {looks}; found {record[name]!r}"
        found.unreadable("", dict(record), problem, line=cell_line(number, 1))
        return
    words = [_slug(str(record[n])) for n in _TELLING if record.get(n) not in (None, "")]
    ahead = _months_ahead(day, record.get("delivery_start"))
    stem = ".".join([str(record["slug_id"]), *words, *ahead])
    for place, (name, value) in enumerate(record.items(), start=1):
        if _is_measure(name, value):
            series = f"{stem}.{_slug(name)}"
            line = cell_line(number, place)
            found.add(series, day, value, stamp=stamp, line=line)


def _is_measure(name: str, value: object) -> bool:
    if name in _TELLING or _NO_MEASURE.search(name.lower()):
        return False
    return isinstance(value, str) and _NUMBER.fullmatch(value.strip()) is not None


def _published(text: str) -> datetime | None:
    """Return the moment of publication, said in Central time without a zone."""
    day, _, hour = text.strip().partition(" ")
    found = day_in(day, _DAY)
    if found is None or not re.fullmatch(r"([01]\d|2[0-3])(:[0-5]\d){2}", hour):
        return None
    return instant(found, hour, _ZONE)


def _months_ahead(day: date, delivery: object) -> list[str]:
    """Return how many months after the report delivery begins, where that is said."""
    begins = day_in(delivery, "%Y-%m-%d", _DAY) if delivery else None
    if begins is None:
        return []
    return [f"plus_{12 * (begins.year - day.year) + begins.month - day.month}"]


def _slug(text: str) -> str:
    return "_".join(re.findall(r"[a-z0-9]+", text.lower()))
