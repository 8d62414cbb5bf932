"""How the EIA is asked: one series at a time, of the API with a key, else its workbooks.

It never takes a code that the route does not know for one without news: a series that
has never been answered and is empty is refused.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

from cbi_stream import (
    SECRET,
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.packed import member_of

_API = "https://api.eia.gov/v2/{}/data/"
_BOOKS = "https://www.eia.gov/dnav/{}/hist_xls/{}{}.xls"
_BULK = "https://www.eia.gov/opendata/bulk/STEO.zip"
_MOST_ROWS = 5000
_FOLDERS = {"petroleum": "pet", "natural-gas": "ng"}


@connector("eia")
def eia(poll: Poll) -> Iterator[Want]:
    """Ask for each series whose route the registry names."""
    for series, said in poll.source.fetch.options.items():
        frequency, _, route = str(said).partition(" ")
        if poll.keyed:
            yield _rows(poll, series, frequency, route=route, offset=0)
        else:
            folder = _FOLDERS[route.partition("/")[0]]
            name = f"{series}{frequency[0]}.xls"
            url = _BOOKS.format(folder, series, frequency[0])
            yield Want(name, url, expect="xls")


@connector("eia_steo")
def outlook(_poll: Poll) -> Iterator[Want]:
    """Ask for the newest issue: the one before it is gone from there."""
    yield Want("STEO.zip", _BULK, expect="zip", judge=_forecast)


def _forecast(answer: Answer) -> Literal["data", "empty"]:
    try:
        text = member_of(answer.data, lambda _: True, expected="the outlook")
    except BadInput as error:
        msg = f"eia_steo: {error}: it may be cut short"
        raise SourceUnavailable(msg) from None
    return "data" if b'"series_id"' in text else "empty"


def _rows(poll: Poll, series: str, frequency: str, *, route: str, offset: int) -> Want:
    first = f"eia_{series}.json"
    since = poll.since(first).isoformat()

    def judged(answer: Answer) -> Literal["data", "empty"]:
        return _judged(answer, series, route, known=first in poll.landed)

    def more(answer: Answer) -> Iterator[Want]:
        response = _response(answer)
        reached = offset + len(response["data"])
        if response["data"] and reached < int(response["total"]):
            yield _rows(poll, series, frequency, route=route, offset=reached)

    return Want(
        first if offset == 0 else f"eia_{series}_from_{offset}.json",
        _API.format(route),
        params=(
            ("api_key", SECRET),
            ("frequency", frequency),
            ("data[0]", "value"),
            ("facets[series][]", series),
            ("start", since[:7] if frequency == "monthly" else since),
            ("sort[0][column]", "period"),
            ("sort[0][direction]", "asc"),
            ("offset", str(offset)),
            ("length", str(_MOST_ROWS)),
        ),
        accept=(200, 400, 403, 404),
        judge=judged,
        follow=more,
    )


def _response(answer: Answer) -> dict[str, Any]:
    """Return what an answer says.

    Raises:
        SourceRefused: it says why it says nothing: a bad key, a wrong route.
        SourceUnavailable: it is no such answer.
    """
    try:
        said = json.loads(answer.data)
    except ValueError:
        msg = f"eia: expected JSON; found {answer.data[:80]!r}: it may be cut short"
        raise SourceUnavailable(msg) from None
    response = said.get("response") if isinstance(said, dict) else None
    if answer.status == 200 and isinstance(response, dict):
        if isinstance(response.get("data"), list) and "total" in response:
            return response
        msg = (
            f"eia: expected response.total and .data; found {', '.join(response)[:200]}"
        )
        raise SourceRefused(msg)
    error = said.get("error", said) if isinstance(said, dict) else said
    why = error
    if isinstance(error, dict):
        why = f"{error.get('code', '')} {error.get('message', '')}".strip() or error
    msg = f"eia: expected rows; the API answered {answer.status}: {str(why)[:300]}"
    raise SourceRefused(msg)


def _judged(
    answer: Answer, series: str, route: str, *, known: bool
) -> Literal["data", "empty"]:
    rows = _response(answer)["data"]
    if not rows and known:
        return "empty"
    if not rows:
        msg = (
            f"eia: expected rows of {series}; the route {route} has none: is the code right? "
            f"{_API.format(route).removesuffix('data/')}facet/series lists those it knows"
        )
        raise SourceRefused(msg)
    lost = [name for name in ("period", "series", "value") if name not in rows[0]]
    if lost:
        found = ", ".join(rows[0])[:200]
        msg = f"eia: expected the fields {', '.join(lost)} in a row; found {found}"
        raise SourceRefused(msg)
    others = {row["series"] for row in rows} - {series}
    if others:
        msg = (
            f"expected rows of {series} alone; found {', '.join(sorted(others))[:200]}"
        )
        raise SourceRefused(msg)
    return "data"
