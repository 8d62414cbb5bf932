"""How GHCN-Daily is asked: whole station files once a week, the last weeks each day.

It never asks for a value without its unit, and one station that fails stops no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cbi_stream import Answer, Poll, SourceRefused, Want, connector
from handlers.ingest.answers import Verdict, has_lines, said_in, shown

_FILES = (
    "https://www.ncei.noaa.gov/data/global-historical-climatology-network-daily/access/"
)
_SERVICE = "https://www.ncei.noaa.gov/access/services/data/v1"
_WEEK = timedelta(days=7)


@connector("ghcn")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for each station's whole file, then for its last weeks.

    The whole file is reprocessed weekly, with changed values and flags far back.
    """
    stations = [each.split(" ")[0] for each in poll.source.fetch.options["stations"]]
    for station in stations:
        last = poll.landed.get(f"{station}.csv")
        if last is None or poll.whole or last + _WEEK <= poll.today:
            yield Want(
                f"{station}.csv",
                f"{_FILES}{station}.csv",
                expect="text",
                header=r'"?STATION"?,"?DATE"?,.*',
                judge=has_lines,
            )
    for station in stations:
        name = f"ghcn_{station}_recent.json"
        first = max(poll.since(name), poll.today - poll.source.fetch.looks_back)
        yield _recent(name, station, poll.asked_since or first, poll.today)


def _recent(name: str, station: str, first: date, last: date) -> Want:
    return Want(
        name,
        _SERVICE,
        (
            ("dataset", "daily-summaries"),
            ("stations", station),
            ("startDate", first.isoformat()),
            ("endDate", last.isoformat()),
            ("dataTypes", "TMAX,TMIN,PRCP"),
            ("units", "metric"),
            ("format", "json"),
            ("includeAttributes", "true"),
        ),
        accept=(200, 400),
        judge=_judged,
    )


def _judged(answer: Answer) -> Verdict:
    said = said_in(answer, "ghcn")
    if isinstance(said, list) and answer.status == 200:
        return "data" if said else "empty"
    told = said.get("errorMessage") if isinstance(said, dict) else None
    msg = f"ghcn: expected a list of days; found {shown(told or said)}"
    raise SourceRefused(msg)
