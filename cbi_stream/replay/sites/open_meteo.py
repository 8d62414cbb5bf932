"""Open-Meteo's archive: daily arrays of one place, the newest days null.

It never names the place that was asked for: latitude and longitude of an answer are
those of its grid cell.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from cbi_stream.replay import releases
from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_param,
    json_reply,
    no_such_page,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PATH: Final = "/v1/archive"
_UNITS: Final = {
    "temperature_2m_max": ("°C", 18.0, 38.0),
    "temperature_2m_min": ("°C", -5.0, 17.0),
    "precipitation_sum": ("mm", 0.0, 40.0),
}
_FIRST: Final = date(1940, 1, 1)
_LAG: Final = timedelta(days=6)
_CELL: Final = 0.25
_MOST: Final = "Minutely API request limit exceeded. Please try again in one minute."


def answer(question: Question, world: World) -> Reply:
    """Return the days of a place, or what is wrong with the question."""
    if question.path != _PATH:
        return no_such_page(question)
    try:
        first, last = (
            date.fromisoformat(question.param(n)) for n in ("start_date", "end_date")
        )
        latitude, longitude = (
            float(question.param(n)) for n in ("latitude", "longitude")
        )
    except ValueError:
        return _error("Data corrupted at path ''. Cannot parse the question.")
    for name, day in (("start_date", first), ("end_date", last)):
        if not _FIRST <= day <= world.today + timedelta(days=1):
            allowed = f"from {_FIRST} to {world.today}"
            return _error(f"Parameter '{name}' is out of allowed range {allowed}")
    held = saved(world, "open_meteo_*.json", content_type="application/json")
    if held is not None:
        return held
    names = question.param("daily").split(",")
    if any(name not in _UNITS for name in names):
        return _error(f"Data corrupted at path 'daily'. Cannot initialize from {names}")
    days = releases.every_day(first, last)
    daily: dict[str, list[object]] = {"time": [str(day) for day in days]}
    for name in names:
        daily[name] = _values(world, f"{latitude},{longitude}.{name}", name, days)
    return json_reply(
        {
            "latitude": round(latitude / _CELL) * _CELL,
            "longitude": round(longitude / _CELL) * _CELL,
            "generationtime_ms": 1.2,
            "utc_offset_seconds": -10800,
            "timezone": question.param("timezone", "GMT"),
            "timezone_abbreviation": "GMT-3",
            "elevation": 361.0,
            "daily_units": {
                "time": "iso8601",
                **{name: _UNITS[name][0] for name in names},
            },
            "daily": daily,
        }
    )


def _values(world: World, series: str, name: str, days: list[date]) -> list[object]:
    _, low, high = _UNITS[name]
    statistic = Statistic(
        "open_meteo", series, low=low, high=high, decimals=1, lag=_LAG, begins=_FIRST
    )
    rows = world.observations(statistic, first=days[0], last=days[-1]) if days else []
    told = dict(rows)
    return [told.get(day) for day in days]


def empty(question: Question) -> Reply:
    """Return days that are all null: none is computed yet."""
    names = question.param("daily", "temperature_2m_max").split(",")
    units = {name: _UNITS[name][0] for name in names if name in _UNITS}
    day = question.param("end_date", "2024-01-01")
    return json_reply(
        {
            "latitude": 0.0,
            "longitude": 0.0,
            "utc_offset_seconds": 0,
            "daily_units": {"time": "iso8601", **units},
            "daily": {"time": [day], **{name: [None] for name in names}},
        }
    )


def _error(reason: str, status: int = 400) -> Reply:
    return json_reply({"error": True, "reason": reason}, status=status)


SITE: Final = Site(
    hosts=("archive-api.open-meteo.com", "customer-archive-api.open-meteo.com"),
    answer=answer,
    empty=empty,
    too_many=lambda _: _error(_MOST, 429),
    bad_key=lambda _: _error("The supplied API key is invalid."),
    key_in=in_param("apikey"),
)
