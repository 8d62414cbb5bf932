"""NOAA's station days: files in tenths, the access data service, Climate Data Online 2.

It never gives a value with its unit: without `units` both services give raw tenths.

What is odd about the source, and kept: a station's file is wide, quoted and padded with
blanks; the access service gives strings and leaves out what is missing; Climate Data
Online numbers its results from 1, gives 25 of them unless asked for more, and says `{}`
where there is nothing.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_header,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_FILES: Final = "/data/global-historical-climatology-network-daily/access/"
_SERVICE: Final = "/access/services/data/v1"
_CDO: Final = "/cdo-web/api/v2/data"
_BEGINS: Final = date(2023, 1, 1)
_ELEMENTS: Final = {
    "PRCP": (0.0, 400.0),
    "TMAX": (160.0, 400.0),
    "TMIN": (-250.0, 150.0),
}
_AIRPORT, _OTHER = timedelta(days=2), timedelta(days=5)
_PLACE: Final = '"42.95500","-87.90440","204.2","SIMULATED AIRPORT, US"'
_HEADER: Final = '"STATION","DATE","LATITUDE","LONGITUDE","ELEVATION","NAME"'
_FEW: Final = "25"
_LONGEST: Final = 366

Days = dict[date, dict[str, int]]


def answer(question: Question, world: World) -> Reply:
    """Return a file, an answer of the access service, or one of Climate Data Online."""
    if question.path.startswith(_FILES) and question.path.endswith(".csv"):
        return _file(question, world)
    if question.path == _SERVICE:
        return _service(question, world)
    if question.path == _CDO:
        return _results(question, world)
    return no_such_page(question)


def empty(question: Question) -> Reply:
    """Return what each of the three says where there is nothing."""
    if question.path == _CDO:
        return json_reply({})
    if question.path == _SERVICE:
        return json_reply([])
    return text_reply(_head(), content_type="text/csv")


def _head() -> str:
    more = "".join(f',"{n}","{n}_ATTRIBUTES"' for n in _ELEMENTS)
    return f"{_HEADER}{more}\n"


def _days(station: str, world: World, first: date, last: date) -> Days:
    """Return the tenths of each day, by element."""
    found: Days = {}
    for name, (low, high) in _ELEMENTS.items():
        statistic = Statistic(
            source="noaa",
            series=f"{station}.{name}",
            low=low,
            high=high,
            decimals=0,
            lag=_AIRPORT if station.startswith("USW") else _OTHER,
            begins=_BEGINS,
        )
        for day, value in world.observations(statistic, first=first, last=last):
            found.setdefault(day, {})[name] = round(value)
    return found


def _file(question: Question, world: World) -> Reply:
    name = question.path.removeprefix(_FILES)
    station = name.removesuffix(".csv")
    held = saved(world, name, f"{name}.gz", content_type="text/csv")
    if held is not None or world.folder is not None:
        return held or no_such_page(question)
    lines = [_head()]
    for day, values in _days(station, world, _BEGINS, world.today).items():
        cells = "".join(f',"{values[n]:5d}",",,W"' for n in _ELEMENTS)
        lines.append(f'"{station}","{day}",{_PLACE}{cells}\n')
    return text_reply("".join(lines), content_type="text/csv")


def _service(question: Question, world: World) -> Reply:
    try:
        first = date.fromisoformat(question.param("startDate"))
        last = date.fromisoformat(question.param("endDate"))
    except ValueError:
        errors = [{"field": "startDate", "message": "is not a date", "value": ""}]
        said = {"errorMessage": "The request is invalid.", "errorCode": 400}
        return json_reply({**said, "errors": errors}, status=400)
    station = question.param("stations")
    wanted = question.param("dataTypes").split(",")
    rows = [
        {
            "DATE": str(day),
            "STATION": station,
            **{
                name: _written(value, question).rjust(6)
                for name, value in values.items()
                if name in wanted
            },
        }
        for day, values in _days(station, world, first, last).items()
    ]
    return json_reply(rows)


def _written(tenths: int, question: Question) -> str:
    """Return a value in the units that were asked for; raw tenths where none were."""
    return f"{tenths / 10:.1f}" if question.param("units") == "metric" else str(tenths)


def _results(question: Question, world: World) -> Reply:
    try:
        first = date.fromisoformat(question.param("startdate"))
        last = date.fromisoformat(question.param("enddate"))
    except ValueError:
        return _bad("There was an error with the request.", "startdate is no date")
    if (last - first).days > _LONGEST:
        return _bad(
            "There was an error with the request.", "The date range is too long"
        )
    names = [value for name, value in question.params if name == "datatypeid"]
    results = [
        {
            "date": f"{day}T00:00:00",
            "datatype": name,
            "station": question.param("stationid"),
            "attributes": ",,W,2400",
            "value": float(_written(value, question)),
        }
        for day, values in _days(
            question.param("stationid").removeprefix("GHCND:"), world, first, last
        ).items()
        for name, value in values.items()
        if not names or name in names
    ]
    if not results:
        return json_reply({})
    limit, offset = (
        int(question.param("limit", _FEW)),
        int(question.param("offset", "1")),
    )
    told = {"offset": offset, "count": len(results), "limit": limit}
    page = results[offset - 1 : offset - 1 + limit]
    return json_reply({"metadata": {"resultset": told}, "results": page})


def _bad(user: str, developer: str) -> Reply:
    said = {"statusCode": "400", "userMessage": user, "developerMessage": developer}
    return json_reply(said, status=400)


_TOO_MANY: Final = (
    '{"status" : "429", "message" : "This token has reached its temporary request limit '
    'of 5 per second."}'
)

SITE: Final = Site(
    hosts=("www.ncei.noaa.gov",),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply(
        _TOO_MANY, content_type="application/json", status=429
    ),
    bad_key=lambda _: json_reply(
        {"status": "400", "message": "Token parameter is required."}, status=400
    ),
    key_in=in_header("token"),
)
