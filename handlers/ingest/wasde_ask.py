"""How WASDE is asked: the catalogue of releases, page by page, then each report.

The catalogue says a time of release in the wrong zone: only its day is used, as the
first part of the file's name. It never asks for a report that has landed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import partial
from typing import Any, Literal
from urllib.parse import urlsplit

from cbi_stream import (
    Answer,
    BadInput,
    Poll,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.observed import day_in
from handlers.ingest.packed import json_of

_URL = "https://esmis.nal.usda.gov/api/v1/release/findByIdentifier/wasde"
_READ = ("xml", "csv")
"""The forms of a report that can be read, best first."""


@connector("wasde")
def wasde(poll: Poll) -> Iterator[Want]:
    """Ask for every report since the start that has not landed, newest first."""
    yield _page(poll, 0)


def _page(poll: Poll, number: int) -> Want:
    return Want(
        name=f"wasde_catalogue_{number}.json",
        url=_URL,
        params=(("latest", "false"), ("page", str(number))),
        judge=_judge,
        follow=partial(_next, poll, number),
        lands=False,
    )


def _catalogue(answer: Answer) -> dict[str, Any]:
    try:
        told = json_of(answer.data)
    except BadInput as error:
        msg = f"the WASDE catalogue: {error}"
        raise SourceUnavailable(msg) from None
    if not isinstance(told, dict) or not isinstance(told.get("results"), list):
        msg = f"the WASDE catalogue: expected results; found {str(told)[:120]}"
        raise SourceUnavailable(msg)
    return told


def _judge(answer: Answer) -> Literal["data", "empty"]:
    return "data" if _catalogue(answer)["results"] else "empty"


def _next(poll: Poll, number: int, answer: Answer) -> Iterable[Want]:
    told = _catalogue(answer)
    since = poll.asked_since or poll.source.fetch.history_from
    days: list[date] = []
    for release in told["results"]:
        day = _day_of(release)
        days.append(day)
        want = _report(poll, release, day)
        if want and day >= since and (want.name not in poll.landed or poll.whole):
            yield want
    last = int(told.get("pager", {}).get("total_pages") or 0) - 1
    if days and min(days) >= since and number < last:
        yield _page(poll, number + 1)


def _day_of(release: Any) -> date:
    said = release.get("release_datetime") if isinstance(release, dict) else None
    day = day_in(str(said)[:10])
    if day is None:
        msg = f"the WASDE catalogue: expected release_datetime; found {release!r:.200}"
        raise SourceUnavailable(msg)
    return day


def _report(poll: Poll, release: dict[str, Any], day: date) -> Want | None:
    """Return the question for a report; None where only pictures of it are offered."""
    files = [str(each) for each in release.get("files") or []]
    for kind in _READ:
        for url in files:
            place = urlsplit(url)
            name = place.path.rpartition("/")[2]
            if not re.fullmatch(rf"wasde\d{{4}}(v\d+)?\.{kind}", name):
                continue
            if place.hostname not in poll.source.fetch.hosts:
                msg = f"the WASDE catalogue: expected a file of its own; found {url}"
                raise SourceUnavailable(msg)
            named = f"{day.isoformat()}_{name}"
            stem = named.rpartition(".")[0]
            return Want(named, url, key=stem, expect="xml" if kind == "xml" else "text")
    return None
