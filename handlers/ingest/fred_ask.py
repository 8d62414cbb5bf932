"""How FRED is asked: with a key for every vintage, without one for the values of now.

With a key it first asks on which days a series changed, and nothing more where that is
known already. It never asks for a series that has ended.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from cbi_stream import (
    SECRET,
    Answer,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)

_API = "https://api.stlouisfed.org/fred/"
_GRAPH = "https://fred.stlouisfed.org/graph/fredgraph.csv"
_MOST_VINTAGES = 2000
_MOST_DATES = 10_000
_MOST_ROWS = 100_000
_FIT_A_PAGE = 3  # a series of 33,000 days would have to change as a whole each time
_BEGINNING, _NO_END = "1776-07-04", "9999-12-31"
_REVISED = ("C", "D")
_FIELDS = {"date", "value", "realtime_start", "realtime_end"}
_Span = tuple[str, str, int]
"""First and last day of a window of vintages, and how many it holds."""


@connector("fred")
def fred(poll: Poll) -> Iterator[Want]:
    """Ask for every series that still gets observations."""
    for series in poll.source.living:
        yield _vintage_days(series, poll) if poll.keyed else _graph(series, poll)


def _graph(series: str, poll: Poll) -> Want:
    """Ask for the values as they stand now; of a revised series for all of them."""
    name = f"{series}.csv"
    revised = poll.source.series[series].pit_grade in _REVISED
    start = poll.source.fetch.history_from if revised else poll.since(name)
    return Want(
        name,
        _GRAPH,
        (("id", series), ("cosd", start.isoformat())),
        key=series,
        expect="text",
        header=rf"(observation_date|DATE),{series}",
        accept=(200, 404),
        judge=lambda answer: _judged_graph(answer, series),
    )


def _judged_graph(answer: Answer, series: str) -> Any:
    if answer.status == 404:
        msg = f"fred: expected the series {series}; FRED has no such one (status 404)"
        raise SourceRefused(msg)
    header, *rows = answer.data.decode("utf-8-sig", errors="replace").split("\n")
    if not re.fullmatch(rf"(observation_date|DATE),{series}\r?", header):
        msg = f"fred: expected observation_date,{series}; found {header[:80]!r}"
        raise SourceUnavailable(msg)
    return "data" if any(row.strip() for row in rows) else "empty"


def _vintage_days(series: str, poll: Poll, before: tuple[str, ...] = ()) -> Want:
    """Ask on which days the series changed since the newest that is known."""
    since = _since(series, poll)
    return Want(
        f"{series}.vintagedates.json",
        f"{_API}series/vintagedates",
        (
            *_asked(series),
            ("realtime_start", since or _BEGINNING),
            ("realtime_end", _NO_END),
            ("limit", str(_MOST_DATES)),
            ("offset", str(len(before))),
        ),
        key=series,
        accept=(200, 400, 404),
        judge=lambda answer: _judged_days(answer, series, since),
        follow=lambda answer: _windows(answer, series, poll, before),
        lands=False,
    )


def _since(series: str, poll: Poll) -> str | None:
    """Return the newest vintage that is known; None where all are asked for."""
    if poll.asked_since is not None and not poll.whole:
        return poll.asked_since.isoformat()
    known = [name for name in poll.cursors if name.startswith(f"{series}.vintages.")]
    found = [poll.cursor(name) for name in known]
    return max((each for each in found if each), default=None)


def _judged_days(answer: Answer, series: str, since: str | None) -> Any:
    days = _said(answer, series, "vintage_dates")["vintage_dates"]
    # A series without vintages is asked plainly: that is no empty answer.
    return "data" if since is None or any(day > since for day in days) else "empty"


def _windows(
    answer: Answer, series: str, poll: Poll, before: tuple[str, ...]
) -> Iterable[Want]:
    """Ask for what changed on these days, the oldest window first."""
    said = _said(answer, series, "vintage_dates")
    days = (*before, *said["vintage_dates"])
    since = _since(series, poll)
    if said["vintage_dates"] and len(days) < int(said.get("count", 0)):
        yield _vintage_days(series, poll, days)
    elif since is None and not days:
        yield _plain(series)
    elif any(since is None or day > since for day in days):
        known = since is not None and since not in days
        spans = _spans((since or "",) * known + days)
        yield _Window(series, spans, _first(series, poll, since)).want()


def _first(series: str, poll: Poll, since: str | None) -> str | None:
    """Return the first date of the observations to ask for; None for all of them.

    What is never revised is not asked for again as a whole each day: a look-back before
    the newest known vintage is enough. What is revised may change anywhere.
    """
    if poll.asked_since is not None:
        return poll.asked_since.isoformat()
    if since is None or poll.source.series[series].pit_grade in _REVISED:
        return None
    first: date = date.fromisoformat(since) - poll.source.fetch.looks_back
    return first.isoformat()


def _spans(days: tuple[str, ...]) -> tuple[_Span, ...]:
    """Return windows over these days, each beginning with the last day of the one before.

    So no row is lost, though rows that begin before a window are cut there.
    """
    starts = range(0, max(len(days) - 1, 1), _MOST_VINTAGES - 1)
    parts = [days[i : i + _MOST_VINTAGES] for i in starts]
    return tuple((part[0], part[-1], len(part)) for part in parts)


@dataclass(frozen=True, slots=True)
class _Window:
    """One page of the first of some windows of vintages.

    The next window is asked for once this one has landed: so the newest cursor never
    passes over a window that failed.
    """

    series: str
    spans: tuple[_Span, ...]
    first: str | None = None
    """The first date of the observations, where a person said one."""
    number: int = 1
    offset: int = 0
    count: int | None = None
    """How many rows the window has; None where that is not known yet."""

    def want(self) -> Want:
        """Return the question."""
        start, end, vintages = self.spans[0]
        # Only the last page may set the cursor; a small window is one page for sure.
        fits = vintages <= _FIT_A_PAGE
        counted = fits or self.count is not None
        last = fits or self.offset + _MOST_ROWS >= (self.count or 0)
        piece = f"vintages.{self.number}" if counted else "count"
        begin = (("observation_start", self.first),) if self.first else ()
        return Want(
            f"{self.series}.{piece}.json",
            f"{_API}series/observations",
            (
                *_asked(self.series),
                *begin,
                ("realtime_start", start),
                ("realtime_end", end if len(self.spans) > 1 else _NO_END),
                ("limit", str(_MOST_ROWS if counted else 1)),
                ("offset", str(self.offset)),
            ),
            key=self.series,
            accept=(200, 400, 404),
            judge=lambda answer: _judged(answer, self.series),
            follow=self._next if counted else self._paged,
            lands=counted,
            cursor=end if counted and last else None,
        )

    def _paged(self, answer: Answer) -> Iterable[Want]:
        said = _said(answer, self.series, "observations")
        yield replace(self, count=int(said.get("count", 0))).want()

    def _next(self, answer: Answer) -> Iterable[Want]:
        said = _said(answer, self.series, "observations")
        read = self.offset + len(said["observations"])
        on = replace(self, number=self.number + 1)
        if said["observations"] and read < int(said.get("count", 0)):
            yield replace(on, offset=read).want()
        elif len(self.spans) > 1:
            yield replace(on, spans=self.spans[1:], offset=0, count=None).want()


def _plain(series: str) -> Want:
    """Ask for the values as they stand now, of a series that has no vintages."""
    return Want(
        f"{series}.json",
        f"{_API}series/observations",
        (*_asked(series), ("limit", str(_MOST_ROWS))),
        key=series,
        accept=(200, 400, 404),
        judge=lambda answer: _judged(answer, series),
    )


def _asked(series: str) -> tuple[tuple[str, str], ...]:
    return (("series_id", series), ("api_key", SECRET), ("file_type", "json"))


def _judged(answer: Answer, series: str) -> Any:
    rows = _said(answer, series, "observations")["observations"]
    # What the parser would refuse must not lead to the windows behind it.
    odd = [row for row in rows if not isinstance(row, dict) or _FIELDS - row.keys()]
    if odd:
        msg = f"fred: {series}: expected {sorted(_FIELDS)}; found {str(odd[0])[:200]}"
        raise SourceRefused(msg)
    return "data" if rows else "empty"


def _said(answer: Answer, series: str, field: str) -> dict[str, Any]:
    """Return what an answer says.

    Raises:
        SourceRefused: a bad key, an unknown series, a question that FRED turns down, or
            an answer without the field.
        SourceUnavailable: it is no JSON, or FRED has trouble of its own.
    """
    try:
        said = json.loads(answer.data)
    except ValueError:
        said = _error_in_xml(answer.data)
    if isinstance(said, dict) and isinstance(said.get(field), list):
        return said
    told = said.get("error_message", "") if isinstance(said, dict) else ""
    code = int(said.get("error_code", answer.status)) if told else answer.status
    if told and (code == 429 or code >= 500):
        msg = f"fred: {series}: FRED says {code}: {told}"
        raise SourceUnavailable(msg)
    if not told:
        told = f"expected {field}; found {str(said)[:200]}"
    msg = f"fred: {series}: {_mend(told)}"
    raise SourceRefused(msg)


def _error_in_xml(data: bytes) -> Any:
    """Return an error that came as XML, as the JSON would say it."""
    found = re.search(rb'<error code="(\d+)" message="([^"]*)"', data)
    if found is None:
        msg = f"fred: expected JSON; found {data[:80]!r}"
        raise SourceUnavailable(msg)
    return {"error_code": int(found[1]), "error_message": found[2].decode()}


def _mend(told: str) -> str:
    said = " ".join(told.split())
    if "api_key" in said:
        return f"FRED does not take the key: {said} Mend: set FRED_API_KEY to yours"
    if "does not exist" in said:
        return f"FRED does not know it: {said} Mend: `ended` in data_sources.yaml"
    if "maximum number of vintage dates" in said:
        return f"too many vintages in one window: {said}"
    return f"FRED refuses: {said}"
