"""How QuickStats is asked: first how many rows there are, then for them, with a key.

A question that worked before and is now called invalid has no rows: the service says
both in the same words. It never asks for more rows than one answer may hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl

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
from handlers.ingest.packed import json_of

_URL = "https://quickstats.nass.usda.gov/api"
_MOST = 50_000
_BIG_YEARS = 3
"""From so many years on it is asked how many rows there are."""
_INVALID = "bad request - invalid query"
_Params = tuple[tuple[str, str], ...]


@connector("nass")
def nass(poll: Poll) -> Iterator[Want]:
    """Ask each question of the registry, for the years since it was last answered."""
    for name, words in poll.source.fetch.options.items():
        question = tuple(parse_qsl(str(words), strict_parsing=True))
        first = poll.since(_name(name)).year
        if poll.today.year - first + 1 < _BIG_YEARS:
            yield _rows(poll, name, question, (first, None))
        else:
            yield _counts(poll, name, question, first)


def _name(question: str, first: int | None = None) -> str:
    return f"nass_{question}{f'_{first}' if first else ''}.json"


def _with_key(question: _Params) -> _Params:
    return (("key", SECRET), *question, ("format", "JSON"))


def _between(first: int, last: int | None) -> _Params:
    begin = (("year__GE", str(first)),)
    return begin if last is None else (*begin, ("year__LE", str(last)))


def _counts(poll: Poll, name: str, question: _Params, first: int) -> Want:
    return Want(
        name=f"nass_{name}_count.json",
        url=f"{_URL}/get_counts/",
        params=_with_key((*question, *_between(first, None))),
        accept=(200, 400, 401, 413),
        judge=partial(judge, asked_before=_name(name) in poll.landed),
        follow=partial(_split, poll, name, question, first),
        lands=False,
    )


def _split(
    poll: Poll, name: str, question: _Params, first: int, answer: Answer
) -> Iterable[Want]:
    """Ask for everything at once, or in as many spans of years as the count needs."""
    count = _told(answer).get("count")
    try:
        rows = int(str(count).replace(",", ""))
    except ValueError:
        msg = f"{answer.url}: expected a count; found {str(_told(answer))[:120]}"
        raise SourceUnavailable(msg) from None
    years = poll.today.year - first + 1
    # Newer years have more rows than older ones: twice as many spans as the mean needs.
    spans = 1 if rows <= _MOST else -(-rows * 2 // _MOST)
    step = max(1, years // spans)
    for begin in range(first, poll.today.year + 1, step):
        end = begin + step - 1
        newest = end >= poll.today.year
        yield _rows(poll, name, question, (begin, None if newest else end))


def _rows(
    poll: Poll, name: str, question: _Params, years: tuple[int, int | None]
) -> Want:
    first, last = years
    # The span that is still open has the plain name: it is asked again each time.
    named = _name(name, first if last is not None else None)
    return Want(
        name=named,
        url=f"{_URL}/api_GET/",
        params=_with_key((*question, *_between(first, last))),
        accept=(200, 400, 401, 413),
        judge=partial(judge, asked_before=_name(name) in poll.landed),
    )


def _told(answer: Answer) -> dict[str, Any]:
    try:
        told = json_of(answer.data)
    except BadInput as error:
        if answer.status == 401:
            return {"error": answer.data[:100].decode(errors="replace")}
        msg = f"{answer.url}: {error}"
        raise SourceUnavailable(msg) from None
    if not isinstance(told, dict):
        msg = f"{answer.url}: expected an object; found {str(told)[:120]}"
        raise SourceUnavailable(msg)
    return told


def judge(answer: Answer, *, asked_before: bool) -> Literal["data", "empty"]:
    """Tell rows from none and from a refusal.

    Args:
        answer: of the service.
        asked_before: whether this very question was answered with rows before: then
            "invalid query" means that there are none.

    Raises:
        SourceRefused: a bad key, too many rows, or a question that never worked.
        SourceUnavailable: something else than JSON.
    """
    told = _told(answer)
    error = told.get("error")
    if error is None and answer.status == 200:
        return "data" if told.get("data") or told.get("count") else "empty"
    said = str(error)
    if answer.status == 400 and _INVALID in said and asked_before:
        return "empty"
    mend = {
        400: "is each name of the question spelled as in QuickStats?",
        401: "is NASS_API_KEY right?",
        413: "ask for fewer years",
    }.get(answer.status, "look at the answer")
    msg = f"{answer.url}: expected rows; found {answer.status} {said[:200]}: {mend}"
    raise SourceRefused(msg)
