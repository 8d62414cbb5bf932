"""Asks Yahoo for charts: one symbol in a question, all of its history the first time.

Which symbols there are, and what Yahoo calls them, is in data_sources.yaml (`aliases`). It
never asks for a symbol that is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from urllib.parse import quote

from cbi_stream import (
    Answer,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)

_PATH = "/v8/finance/chart/"
_SAID = (200, 400, 404, 422)
"""The statuses whose body says why."""
_AWAY = (500, 502, 503, 504)
"""Those of a host that is out: its neighbour may be up."""
_AGENT = "Mozilla/5.0"
"""Some of its machines turn away what does not look like a browser."""
_SHOWN = 120


@connector("yahoo")
def yahoo(poll: Poll) -> Iterator[Want]:
    """Ask for the bars of each symbol since it was last answered."""
    for theirs, ours in poll.source.aliases.items():
        since = poll.since(f"{theirs}.json")
        yield _want(poll, theirs, ours, since=since, hosts=poll.source.fetch.hosts)


def _want(
    poll: Poll, theirs: str, ours: str, *, since: date, hosts: tuple[str, ...]
) -> Want:
    """Return the question to the first of these hosts; the others are the way out."""
    host, *others = hosts
    fetch = poll.source.fetch

    def follow(answer: Answer) -> Iterable[Want]:
        if answer.status in _AWAY:
            yield _want(poll, theirs, ours, since=since, hosts=tuple(others))
        # After a split all earlier prices are other ones: then the whole past is asked.
        elif since > fetch.history_from and _has_splits(answer):
            yield _want(poll, theirs, ours, since=fetch.history_from, hosts=hosts)

    def judged(answer: Answer) -> Literal["data", "empty"]:
        # There is nothing in it but that somebody else must be asked.
        return "empty" if answer.status in _AWAY else judge(answer)

    return Want(
        f"{theirs}.json",
        f"https://{host}{_PATH}{quote(theirs, safe='')}",
        params=(
            ("period1", _seconds(since)),
            # The end is not included, and in the evening the next session trades.
            ("period2", _seconds(poll.today + timedelta(days=2))),
            ("interval", "1d"),
            ("events", "div,splits,capitalGains"),
            ("includePrePost", "false"),
        ),
        headers={"User-Agent": _AGENT},
        key=ours,
        # The last host that is left is asked again and again instead.
        accept=(*_SAID, *_AWAY) if others else _SAID,
        judge=judged,
        follow=follow,
    )


def _seconds(day: date) -> str:
    return str(int(datetime.combine(day, time(), UTC).timestamp()))


def judge(answer: Answer) -> Literal["data", "empty"]:
    """Tell bars from a window without any.

    Raises:
        SourceRefused: Yahoo does not know the symbol, or the question.
        SourceUnavailable: it has no answer now.
    """
    chart = _chart(answer)
    error = chart.get("error")
    if error:
        code, said = error.get("code"), str(error.get("description"))[:_SHOWN]
        msg = f"{answer.url}: status {answer.status}: {code}: {said}"
        raise SourceRefused(msg)
    results = chart.get("result")
    if answer.status != 200 or not results:
        msg = (
            f"{answer.url}: expected a chart; found status {answer.status} without one"
        )
        raise SourceUnavailable(msg)
    if results[0].get("timestamp"):
        return "data"
    quotes = (results[0].get("indicators") or {}).get("quote") or [{}]
    if any(quotes[0].values()):
        msg = f"{answer.url}: expected the field 'timestamp' beside bars; found none"
        raise SourceRefused(msg)
    return "empty"


def _chart(answer: Answer) -> dict[str, Any]:
    try:
        content = json.loads(answer.data)
    except ValueError:
        content = None
    chart = content.get("chart") if isinstance(content, dict) else None
    if isinstance(chart, dict):
        return chart
    msg = f"{answer.url}: expected a chart; found {answer.data[:_SHOWN]!r}"
    raise SourceUnavailable(msg)


def _has_splits(answer: Answer) -> bool:
    results = _chart(answer).get("result") or [{}]
    return bool((results[0].get("events") or {}).get("splits"))
