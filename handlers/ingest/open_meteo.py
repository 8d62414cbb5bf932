"""Open-Meteo's archive: daily weather of one place out of the ERA5 reanalysis.

The model is pinned, so that no day comes from another one. What is not computed yet, at
the end of an answer, is no observation; a hole in the middle stays a missing value. It
never tells the place by its coordinates: an answer names its grid cell, not the place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from cbi_stream import (
    SECRET,
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
    source,
)
from handlers.ingest.answers import Verdict, said_in, shown
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import json_of
from handlers.ingest.places import place_of

_URL = "https://archive-api.open-meteo.com/v1/archive"
_PAID = "https://customer-archive-api.open-meteo.com/v1/archive"
_NAMES = {
    "temperature_2m_max": ("tmax", "°C"),
    "temperature_2m_min": ("tmin", "°C"),
    "precipitation_sum": ("prcp", "mm"),
}


def _is_archive(head: str) -> bool:
    return '"daily_units"' in head and '"utc_offset_seconds"' in head


@source(
    "open_meteo",
    form="json",
    headers=('{"latitude":..,"daily_units":..,"daily":..}',),
    recognises=_is_archive,
)
def open_meteo(data: bytes, place: str | None) -> pl.DataFrame:
    """Return a row per day and element of one place, numbered as they stand.

    Raises:
        BadInput: it is an error, a list of places, or in other units or names.
    """
    said = json_of(data)
    if not isinstance(said, dict) or said.get("error"):
        why = said.get("reason") if isinstance(said, dict) else "a list of places"
        msg = f"expected the days of one place; found {shown(why)}"
        raise BadInput(msg)
    if place is None:
        msg = "expected the place in the file's name, like open_meteo_br_sorriso.json"
        raise BadInput(msg)
    daily, units = said.get("daily") or {}, said.get("daily_units") or {}
    found = Observations()
    for name, (element, unit) in _NAMES.items():
        if units.get(name) != unit or "time" not in daily:
            known = ", ".join(f"{n} in {u}" for n, u in units.items())
            msg = f"expected time, and {name} in {unit}; found {known or 'nothing'}"
            raise BadInput(msg)
        _add(found, f"{place}.{element}", daily["time"], daily.get(name))
    return found.frame(expected="days with a number each")


def _add(found: Observations, series: str, days: list[Any], values: Any) -> None:
    """Add one element's days, up to the last one that has a value."""
    if not isinstance(values, list) or len(values) != len(days):
        held = len(values) if isinstance(values, list) else "no"
        msg = f"expected {len(days)} values of {series}, one per day; found {held}"
        raise BadInput(msg)
    pairs = [(str(day), value) for day, value in zip(days, values, strict=True)]
    newest = max((day for day, value in pairs if value is not None), default="")
    for said, value in pairs:
        if said > newest:
            continue  # not computed yet
        day = day_in(said)
        if day is None:
            problem = f"date: expected a day like 2024-01-31; found {said!r}"
            found.unreadable(series, said, problem)
        else:
            found.add(series, day, value)


@connector("open_meteo")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for all days of each place, of the keyed host where there is a key."""
    for each in poll.source.fetch.options["places"]:
        place = place_of(each)
        name = f"open_meteo_{place.name}.json"
        yield Want(
            name,
            _PAID if poll.keyed else _URL,
            (
                ("latitude", place.latitude),
                ("longitude", place.longitude),
                ("start_date", poll.since(name).isoformat()),
                ("end_date", poll.today.isoformat()),
                ("daily", ",".join(_NAMES)),
                ("timezone", place.zone),
                ("models", "era5"),
                *((("apikey", SECRET),) if poll.keyed else ()),
            ),
            key=place.name,
            accept=(200, 400),
            judge=_judged,
        )


def _judged(answer: Answer) -> Verdict:
    """Judge by what it says: an error may come with status 200, too."""
    said = said_in(answer, "open_meteo")
    if not isinstance(said, dict) or "daily" not in said or said.get("error"):
        reason = said.get("reason") if isinstance(said, dict) else said
        msg = f"open_meteo: expected daily values of {answer.url}; it says {shown(reason or said)}"
        if "limit exceeded" in str(reason) or "concurrent" in str(reason):
            raise SourceUnavailable(msg)
        raise SourceRefused(msg)
    units = {name: said.get("daily_units", {}).get(name) for name in _NAMES}
    if units != {name: unit for name, (_, unit) in _NAMES.items()}:
        msg = f"open_meteo: expected {', '.join(_NAMES)} in degrees C and mm; found {units}"
        raise SourceRefused(msg)
    told = [v for n in _NAMES for v in said["daily"].get(n) or () if v is not None]
    return "data" if told else "empty"
