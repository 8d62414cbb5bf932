"""NOAA's Climate Data Online, version 2: daily station values as JSON, with a token.

It always asks for `units=metric`, and never takes an answer that looks like raw tenths.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

import polars as pl

from cbi_stream import (
    SECRET,
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    Want,
    connector,
    source,
)
from handlers.ingest.answers import Verdict, said_in, shown, since
from handlers.ingest.packed import json_of
from handlers.ingest.stations import rows_of

_URL = "https://www.ncei.noaa.gov/cdo-web/api/v2/data"
_PAGE = 1000
_TELLING = 10
"""So many whole numbers in a row are no metric values."""
_NAMES = ("station", "day", "element", "value", "qflag", "text")
_SCHEMA = {"line": pl.Int64, **dict.fromkeys(_NAMES, pl.String)}


def _is_cdo(head: str) -> bool:
    return '"datatype"' in head and '"station"' in head and '"results"' in head


@source(
    "cdo", form="json", headers=('{"metadata":..,"results":[..]}',), recognises=_is_cdo
)
def cdo(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per result, numbered as they stand."""
    said = json_of(data)
    results = said.get("results") if isinstance(said, dict) else None
    if not isinstance(results, list):
        msg = f"expected an object with the list `results`; found {str(said)[:80]}"
        raise BadInput(msg)
    parts = [(n, *_row(each)) for n, each in enumerate(results, start=1)]
    frame = pl.DataFrame(parts, schema=_SCHEMA, orient="row")
    told = frame["value"].filter(~frame["value"].is_in(["0", "0.0"])).drop_nulls()
    if len(told) >= _TELLING and not told.str.contains(".", literal=True).any():
        msg = (
            f"expected degrees C and mm; none of {len(told)} values has a decimal, as in "
            "an answer in raw tenths: ask again with units=metric"
        )
        raise BadInput(msg)
    return rows_of(frame, tenths=False)


def _row(each: Any) -> tuple[str | None, ...]:
    try:
        station = str(each["station"]).removeprefix("GHCND:")
        day = str(each["date"]).removesuffix("T00:00:00")
        flags = str(each["attributes"]).split(",")
        value, element = str(each["value"]), str(each["datatype"])
    except (KeyError, TypeError):
        return (None, None, None, None, None, str(each))
    quality = flags[1] if len(flags) > 1 else ""
    return (station, day, element, value, quality, str(each))


@connector("cdo")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for each station's year, page by page."""
    options = poll.source.fetch.options
    for station in options["stations"]:
        code = station.split(" ")[0]
        years = (poll.today.year, poll.today.year - 1)
        first = since(poll, [f"cdo_{code}_{year}_1.json" for year in years])
        for start, last in _years(first, poll.today):
            yield _page(code, start, last, offset=1)


def _years(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Cut a span into calendar years: the service gives no more in one call."""
    while first <= last:
        end = min(last, date(first.year, 12, 31))
        yield first, end
        first = end + timedelta(days=1)


def _page(station: str, first: date, last: date, *, offset: int) -> Want:
    def more(answer: Answer) -> Iterable[Want]:
        told = said_in(answer, "cdo").get("metadata", {}).get("resultset", {})
        if offset + _PAGE <= int(told.get("count", 0)):
            yield _page(station, first, last, offset=offset + _PAGE)

    return Want(
        f"cdo_{station}_{first.year}_{offset}.json",
        _URL,
        (
            ("datasetid", "GHCND"),
            ("stationid", f"GHCND:{station}"),
            *(("datatypeid", each) for each in ("TMAX", "TMIN", "PRCP")),
            ("startdate", first.isoformat()),
            ("enddate", last.isoformat()),
            ("units", "metric"),
            ("limit", str(_PAGE)),
            ("offset", str(offset)),
        ),
        headers={"token": SECRET},
        accept=(200, 400),
        judge=_judged,
        follow=more,
    )


def _judged(answer: Answer) -> Verdict:
    said = said_in(answer, "cdo")
    if answer.status == 400:
        told = said.get("message") or said.get("developerMessage") or said
        msg = f"cdo: expected data of the Climate Data Online; it says {shown(told)}"
        raise SourceRefused(msg)
    if isinstance(said, dict) and not said.keys() - {"note"}:
        return "empty"  # `{}`, or signed by the replay server
    if not isinstance(said, dict) or not isinstance(said.get("results"), list):
        msg = f"cdo: expected the list `results`; found {shown(said)}"
        raise SourceRefused(msg)
    return "data" if said["results"] else "empty"
