"""NASA POWER: daily weather of one place, out of satellites and a reanalysis.

A day without a value holds the fill value that the file's own header names; it is never
read as a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from cbi_stream import Answer, BadInput, Poll, SourceRefused, Want, connector, source
from handlers.ingest.answers import Verdict, said_in, shown
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import json_of
from handlers.ingest.places import place_of

_URL = "https://power.larc.nasa.gov/api/temporal/daily/point"
_NAMES = {"T2M_MAX": "tmax", "T2M_MIN": "tmin", "PRECTOTCORR": "prcp"}


def _is_power(head: str) -> bool:
    return '"Feature"' in head and '"parameter"' in head


@source(
    "nasa_power",
    form="json",
    headers=('{"type":"Feature",..,"properties":{"parameter":..},"header":..}',),
    recognises=_is_power,
)
def nasa_power(data: bytes, place: str | None) -> pl.DataFrame:
    """Return a row per day and element of one place, numbered as they stand.

    Raises:
        BadInput: nobody says which place it is, or a field is missing.
    """
    said = json_of(data)
    try:
        parameters = dict(said["properties"]["parameter"])
        fill = float(said["header"]["fill_value"])
    except (KeyError, TypeError, ValueError) as error:
        msg = f"expected properties.parameter and header.fill_value; {error!r}"
        raise BadInput(msg) from None
    if place is None:
        msg = "expected the place in the file's name, like nasa_power_br_sorriso.json"
        raise BadInput(msg)
    missing = [name for name in _NAMES if name not in parameters]
    if missing:
        msg = f"expected {', '.join(missing)}; found {', '.join(parameters)[:200]}"
        raise BadInput(msg)
    found = Observations()
    for name, element in _NAMES.items():
        _add(found, f"{place}.{element}", parameters[name], fill)
    return found.frame(expected="days with a number each")


def _add(found: Observations, series: str, days: Any, fill: float) -> None:
    """Add one element's days, up to the last one that has a value."""
    values = {day: None if _is(value, fill) else value for day, value in days.items()}
    newest = max(
        (day for day, value in values.items() if value is not None), default=""
    )
    for said, value in values.items():
        if said > newest:
            continue  # not there yet
        day = day_in(said, "%Y%m%d")
        if day is None:
            problem = f"date: expected a day like 20240131; found {said!r}"
            found.unreadable(series, said, problem)
        else:
            found.add(series, day, value)


def _is(value: object, fill: float) -> bool:
    try:
        return value is None or float(str(value)) == fill
    except ValueError:
        return False  # no number at all: the rule of numbers turns it away


@connector("nasa_power")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for the days of each place."""
    for each in poll.source.fetch.options["places"]:
        place = place_of(each)
        name = f"nasa_power_{place.name}.json"
        yield Want(
            name,
            _URL,
            (
                ("latitude", place.latitude),
                ("longitude", place.longitude),
                ("start", f"{poll.since(name):%Y%m%d}"),
                ("end", f"{poll.today:%Y%m%d}"),
                ("parameters", ",".join(_NAMES)),
                ("community", "AG"),
                ("format", "JSON"),
            ),
            key=place.name,
            accept=(200, 422),
            judge=_judged,
        )


def _judged(answer: Answer) -> Verdict:
    said = said_in(answer, "nasa_power")
    try:
        parameters, fill = said["properties"]["parameter"], said["header"]["fill_value"]
        told = [v for n in _NAMES for v in parameters[n].values() if v != fill]
    except (KeyError, TypeError, AttributeError):
        msg = f"nasa_power: expected {', '.join(_NAMES)} of {answer.url}; it says {shown(said)}"
        raise SourceRefused(msg) from None
    return "data" if told else "empty"
