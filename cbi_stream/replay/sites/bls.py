"""The US Bureau of Labor Statistics as it answers: a POST of series and years.

It never says with its status that something is wrong: that stands in the answer.

What is odd about the source, and kept: the newest row comes first; a note that is none is
an empty object; a series that it does not know has no rows, and a message says so; years
beyond the window that a key allows are left out with a message.
"""

from __future__ import annotations

from calendar import month_name
from datetime import date, timedelta
from typing import Any, Final

from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_body,
    json_reply,
    no_such_page,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PATH: Final = "/publicAPI/v2/timeseries/data/"
_YEARS, _SERIES = {True: 20, False: 10}, {True: 50, False: 25}
_MONTHS: Final = tuple(month_name)
_LEVELS: Final = {
    "CUUR0000SA0": (160, 320),
    "CUUR0000SAF1": (160, 330),
    "CUUR0000SEFS": (150, 300),
    "APU0000701111": (0.3, 0.6),
    "WPU027": (120, 420),
    "PCU311224311224": (110, 400),
}
_RESTATED: Final = ("WPU", "PCU")
SERIES: Final = {
    name: Statistic(
        "bls",
        name,
        low=low,
        high=high,
        decimals=3,
        cadence="monthly",
        lag=timedelta(days=44),
        restated=(timedelta(days=120),) if name.startswith(_RESTATED) else (),
        begins=date(1995, 1, 1),
    )
    for name, (low, high) in _LEVELS.items()
}


def answer(question: Question, world: World) -> Reply:
    """Return the series that are asked for, each with its rows."""
    if question.path != _PATH:
        return no_such_page(question)
    form = question.form()
    keyed = bool(form.get("registrationkey"))
    names = form.get("seriesid", [])[: _SERIES[keyed]]
    first, last = int(form["startyear"]), int(form["endyear"])
    told = []
    if last - first >= _YEARS[keyed]:
        last = first + _YEARS[keyed] - 1
        told.append(
            f"Year range has been reduced to the system-allowed limit of {_YEARS[keyed]} years."
        )
    told += [f"Series does not exist for Series {n}" for n in names if n not in SERIES]
    found = [
        {"seriesID": name, "data": _rows(name, world, (first, last))} for name in names
    ]
    return _said("REQUEST_SUCCEEDED", told, {"series": found})


def _rows(name: str, world: World, years: tuple[int, int]) -> list[dict[str, Any]]:
    if name not in SERIES:
        return []
    statistic = SERIES[name]
    first, last = date(years[0], 1, 1), date(years[1], 12, 31)
    told = world.vintages(statistic, first=first, last=min(last, world.today))
    newest = {day: (value, 0) for day, _, value in told}
    counted: dict[date, int] = {}
    for day, _, _ in told:
        counted[day] = counted.get(day, 0) + 1
    fresh = bool(statistic.restated)
    rows: list[dict[str, Any]] = []
    for day in sorted(newest, reverse=True):
        early = fresh and counted[day] <= len(statistic.restated)
        rows.append(
            {
                "year": str(day.year),
                "period": f"M{day.month:02d}",
                "periodName": _MONTHS[day.month],
                **({} if rows else {"latest": "true"}),
                "value": f"{newest[day][0]:.{statistic.decimals}f}",
                "footnotes": [{"code": "P", "text": "Preliminary."}] if early else [{}],
            }
        )
    return rows


def empty(question: Question) -> Reply:
    """Return the series that are asked for, without rows."""
    names = question.form().get("seriesid", [])
    held = [{"seriesID": name, "data": []} for name in names]
    return _said("REQUEST_SUCCEEDED", [], {"series": held})


def bad_key(question: Question) -> Reply:
    """Return what is said of a key that nobody registered."""
    key = question.form().get("registrationkey", "")
    return _said(
        "REQUEST_NOT_PROCESSED", [f"The key:{key} provided by the User is invalid."], {}
    )


def too_many(_: Question) -> Reply:
    """Return what a gateway says before the service is asked."""
    reply = _said("REQUEST_NOT_PROCESSED", ["Too many requests."], {})
    return Reply(reply.data, reply.content_type, 429)


def used_up(_: Question) -> Reply:
    """Return what is said when the day's questions are used up: with status 200."""
    said = "Request could not be serviced, as the daily threshold for total number of requests"
    return _said(
        "REQUEST_NOT_PROCESSED", [f"{said} allocated to the user has been reached."], {}
    )


def _said(status: str, message: list[str], results: dict[str, Any]) -> Reply:
    return json_reply(
        {"status": status, "responseTime": 42, "message": message, "Results": results}
    )


SITE = Site(
    hosts=("api.bls.gov",),
    answer=answer,
    empty=empty,
    too_many=too_many,
    bad_key=bad_key,
    key_in=in_body("registrationkey"),
)
