"""NASA POWER: daily values of one point under their days, with a fill value.

It never leaves a day out: one that is not there yet holds the fill value.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from cbi_stream.replay import releases
from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PATH: Final = "/api/temporal/daily/point"
_FILL: Final = -999.0
_RANGES: Final = {
    "T2M_MAX": (18.0, 38.0),
    "T2M_MIN": (-5.0, 17.0),
    "PRECTOTCORR": (0.0, 40.0),
}
_LAG: Final = timedelta(days=5)


def answer(question: Question, world: World) -> Reply:
    """Return the days of a point, or what is wrong with the question."""
    if question.path != _PATH:
        return no_such_page(question)
    held = saved(world, "nasa_power_*.json", content_type="application/json")
    if held is not None:
        return held
    try:
        first, last = (_day(question.param(name)) for name in ("start", "end"))
        at = [float(question.param(n)) for n in ("longitude", "latitude")]
        names = question.param("parameters").split(",")
        ranges = {name: _RANGES[name] for name in names}
    except (ValueError, KeyError) as error:
        said = {"header": "Unprocessable", "messages": [f"{error!r}"]}
        return json_reply(said, status=422)
    days = releases.every_day(first, min(last, world.today))
    parameters = {}
    for name, (low, high) in ranges.items():
        statistic = Statistic(
            "nasa_power", f"{at}.{name}", low=low, high=high, lag=_LAG,
            begins=date(1981, 1, 1),
        )  # fmt: skip
        told = dict(world.observations(statistic, first=first, last=last))
        parameters[name] = {f"{day:%Y%m%d}": told.get(day, _FILL) for day in days}
    return _feature(question, at, parameters)


def _day(text: str) -> date:
    return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007


def _feature(
    question: Question, at: list[float], parameters: dict[str, dict[str, float]]
) -> Reply:
    return json_reply(
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [*at, 360.72]},
            "properties": {"parameter": parameters},
            "header": {
                "title": "NASA/POWER Source Native Resolution Daily Data",
                "api": {"version": "v2.8.10", "name": "POWER Daily API"},
                "fill_value": _FILL,
                "start": question.param("start"),
                "end": question.param("end"),
            },
        }
    )


def empty(question: Question) -> Reply:
    """Return days that all hold the fill value."""
    names = question.param("parameters").split(",")
    day = question.param("end", "20240101")
    return _feature(question, [0.0, 0.0], {name: {day: _FILL} for name in names})


SITE: Final = Site(
    hosts=("power.larc.nasa.gov",),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
