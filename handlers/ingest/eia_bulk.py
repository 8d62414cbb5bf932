"""The EIA's bulk files: one JSON object per line, each a series with all of its values.

Petroleum and gas are observations. The Short-Term Energy Outlook is forecasts: each is
dated by the day of its issue and told by how many months it looks ahead, and never
stands among observations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.eia import add, series_id, value_of
from handlers.ingest.lines import text_of
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import json_of, member_of

_MOST_BYTES = 64 << 20
_FREQUENCIES = {
    "D": "daily",
    "W": "weekly",
    "M": "monthly",
    "Q": "quarterly",
    "A": "annual",
}
_FORMATS = ("%Y%m%d", "%Y%m", "%Y")
_EASTERN = ZoneInfo("America/New_York")
_LINE = '{"series_id": "PET....", "f": ..., "data": [[...]]}'
_STEO_LINE = '{"series_id": "STEO....", "f": ..., "last_updated": ..., "data": [[...]]}'


def _is_bulk(head: str, *sets: str) -> bool:
    return bool(re.search(rf'"series_id"\s*:\s*"({"|".join(sets)})\.', head))


def _entries(data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each series with the number of its line; lines of categories hold none.

    Raises:
        BadInput: the file is a whole bulk file of petroleum, or no such file.
    """
    if len(data) > _MOST_BYTES:
        msg = (
            f"expected at most {_MOST_BYTES} bytes of series; found {len(data)}: a whole "
            "bulk file holds hundreds of thousands of series: keep the lines of those "
            "that are registered, and hand these in"
        )
        raise BadInput(msg)
    for number, text in enumerate(text_of(data).split("\n"), start=1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            entry = json_of(text.encode())
        except BadInput as error:
            msg = f"line {number}: expected a series as JSON; {error}: it may be cut"
            raise BadInput(msg) from None
        if "series_id" in entry:
            yield number, entry


def _pairs(entry: dict[str, Any], number: int) -> list[Any]:
    pairs = entry.get("data")
    if not isinstance(pairs, list):
        fields = ", ".join(entry)[:200]
        msg = f"line {number}: expected a series with `data`; found the fields {fields}"
        raise BadInput(msg)
    return pairs


def _observed(data: bytes) -> pl.DataFrame:
    found = Observations()
    for number, entry in _entries(data):
        _, _, rest = str(entry["series_id"]).partition(".")
        name, _, letter = rest.rpartition(".")
        series = series_id(name or rest, _FREQUENCIES.get(letter))
        for day, cell in _pairs(entry, number):
            add(found, series, day_in(day, *_FORMATS), cell, whole=[day, cell])
    return found.frame(expected="series of a bulk file of the EIA")


@source(
    "eia",
    form="json",
    headers=(_LINE,),
    recognises=lambda head: _is_bulk(head, "PET", "NG"),
)
def bulk(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the observations of a bulk file, or of some lines of one."""
    return _observed(data)


@source(
    "eia",
    form="zip",
    headers=("PET.txt or NG.txt in a zip archive",),
    recognises=lambda name: name in ("PET.txt", "NG.txt"),
)
def bulk_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the observations of a bulk archive."""
    return _observed(_text_in(data))


def _text_in(data: bytes) -> bytes:
    return member_of(data, lambda name: name.endswith(".txt"), expected="a bulk text")


def _issued(data: bytes) -> pl.DataFrame:
    """Return what an issue says of the months from its own on, by months ahead."""
    found = Observations()
    for number, entry in _entries(data):
        if entry.get("f") != "M":
            continue  # quarters and years are sums of the months
        issue = _instant(entry.get("last_updated"), number)
        day = issue.astimezone(_EASTERN).date()
        name = str(entry["series_id"]).split(".")[1]
        for month, cell in _pairs(entry, number):
            when = day_in(month, "%Y%m")
            value = value_of(cell)
            if when is None or value is None:
                problem = (
                    f"number: expected a month and a number; found {month}, {cell}"
                )
                found.unreadable(name, [month, cell], problem)
            elif when >= day.replace(day=1):
                series = f"{name}.ahead_{_months(day, when):02d}"
                found.add(series, day, value, stamp=issue)
    return found.frame(expected="an issue of the Short-Term Energy Outlook")


def _months(issue: date, month: date) -> int:
    return (month.year - issue.year) * 12 + month.month - issue.month


def _instant(said: object, number: int) -> datetime:
    """Return when an issue came out, as UTC.

    Raises:
        BadInput: it does not say so: a forecast without its date is none.
    """
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"line {number}: expected last_updated with its zone; found {said!r}"
        raise BadInput(msg)
    return moment.astimezone(UTC)


@source(
    "eia_steo",
    form="json",
    headers=(_STEO_LINE,),
    recognises=lambda head: _is_bulk(head, "STEO"),
)
def outlook(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the forecasts of an issue of the outlook."""
    return _issued(data)


@source(
    "eia_steo",
    form="zip",
    headers=("STEO.txt in a zip archive",),
    recognises=lambda name: name == "STEO.txt",
)
def outlook_zip(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the forecasts of an issue of the outlook, as it is offered."""
    return _issued(_text_in(data))
