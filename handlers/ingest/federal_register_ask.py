"""How the Federal Register is asked: one topic at a time, by windows of publication.

It never asks behind the ten thousandth document of a window, where the service gives
page 1 again without a word.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any, Literal
from urllib.parse import parse_qsl

from cbi_stream import Answer, Poll, SourceRefused, SourceUnavailable, Want, connector
from handlers.ingest.federal_register import FIELDS

_URL = "https://www.federalregister.gov/api/v1/documents.json"
_FEWEST_A_PAGE, _MOST_A_PAGE = 2, 2000
"""Any other number silently becomes 20."""
_A_PAGE, _REACHED = 1000, 10_000
_Window = tuple[date, date]


@dataclass(frozen=True, slots=True)
class _Topic:
    """One topic, and the conditions that find its documents."""

    name: str
    conditions: tuple[tuple[str, str], ...]

    @property
    def question(self) -> str:
        """The name of its last question: with it all before are answered."""
        return f"federal_register_{self.name}.json"


@connector("federal_register")
def federal_register_asked(poll: Poll) -> Iterator[Want]:
    """Ask for each topic's documents since it was last answered: first how many.

    The last day is part of the question: the service keeps an answer for a day.
    """
    for name, words in poll.source.fetch.options.items():
        topic = _Topic(name, tuple(parse_qsl(str(words), strict_parsing=True)))
        yield _count(topic, [(poll.since(topic.question), poll.today)])


def asked_of(
    window: _Window, *, page: int, per_page: int
) -> tuple[tuple[str, str], ...]:
    """Return the parameters of one page of a window.

    Raises:
        ValueError: the service would give another page than that.
    """
    fits = _FEWEST_A_PAGE <= per_page <= _MOST_A_PAGE
    if not fits or page < 1 or page * per_page > _REACHED:
        msg = f"expected 2 to 2000 a page and at most 10000 in all; got {page} of {per_page}"
        raise ValueError(msg)
    first, last = window
    return (
        ("conditions[publication_date][gte]", first.isoformat()),
        ("conditions[publication_date][lte]", last.isoformat()),
        ("order", "oldest"),
        ("per_page", str(per_page)),
        ("page", str(page)),
        *(("fields[]", name) for name in FIELDS),
    )


def _count(topic: _Topic, windows: list[_Window]) -> Want:
    """Ask how many documents the first window holds."""
    first, last = windows[0]
    stem = topic.question.removesuffix(".json")
    return Want(
        name=f"{stem}_count_{first}_{last}.json",
        url=_URL,
        params=(*topic.conditions, *asked_of(windows[0], page=1, per_page=2)),
        accept=(200, 400),
        judge=_counted,
        follow=partial(_after_count, topic, windows),
        lands=False,
    )


def _after_count(
    topic: _Topic, windows: list[_Window], answer: Answer
) -> Iterable[Want]:
    """Ask for the pages of a window, the last one first, or for its halves."""
    count = _count_in(answer)
    first, last = windows[0]
    if count >= _REACHED and first < last:
        middle = first + (last - first) // 2
        after = middle + timedelta(days=1)
        yield _count(topic, [(first, middle), (after, last), *windows[1:]])
    elif count == 0 and windows[1:]:
        yield _count(topic, windows[1:])
    else:
        pages = min(-(-count // _A_PAGE), _REACHED // _A_PAGE)
        yield _page(topic, windows, page=max(pages, 1))


def _page(topic: _Topic, windows: list[_Window], *, page: int) -> Want:
    """Ask for one page; the pages before it are asked for once it is there.

    The page that bears the topic's own name comes last of all: while one before it
    fails, the next poll begins where this one began.
    """
    first, last = windows[0]
    name = topic.question
    if page > 1 or windows[1:]:
        name = name.removesuffix(".json") + f"_{first}_{last}_page{page}.json"
    return Want(
        name=name,
        url=_URL,
        key=topic.name,
        params=(*topic.conditions, *asked_of(windows[0], page=page, per_page=_A_PAGE)),
        accept=(200, 400),
        judge=judge,
        follow=partial(_after_page, topic, windows, page),
    )


def _after_page(
    topic: _Topic, windows: list[_Window], page: int, _: Answer
) -> Iterable[Want]:
    """Ask for the page before this one, else for the next window."""
    if page > 1:
        yield _page(topic, windows, page=page - 1)
    elif windows[1:]:
        yield _count(topic, windows[1:])


def _counted(answer: Answer) -> Literal["data", "empty"]:
    """Tell a number of documents, also none, from a refusal."""
    judge(answer)
    return "data"


def judge(answer: Answer) -> Literal["data", "empty"]:
    """Tell documents from a true answer that there are none.

    Raises:
        SourceRefused: the question is wrong, or the answer has no documents any more.
        SourceUnavailable: it is no JSON.
    """
    said = _said_in(answer)
    if answer.status != 200 or "errors" in said or "error" in said:
        told = json.dumps(said.get("errors") or said.get("error") or said)[:200]
        msg = f"federal_register: the question was refused: {told}"
        raise SourceRefused(msg)
    if _count_in(answer) == 0 and not said.get("results"):
        return "empty"
    if not isinstance(said.get("results"), list):
        msg = f"federal_register: expected results; found {', '.join(said)}"
        raise SourceRefused(msg)
    return "data" if said["results"] else "empty"


def _count_in(answer: Answer) -> int:
    said = _said_in(answer)
    try:
        return int(said["count"])
    except (KeyError, TypeError, ValueError):
        msg = f"federal_register: expected count; found {', '.join(said)}"
        raise SourceRefused(msg) from None


def _said_in(answer: Answer) -> dict[str, Any]:
    try:
        said = json.loads(answer.data)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        msg = f"federal_register: expected a JSON object; found {answer.data[:80]!r}"
        raise SourceUnavailable(msg)
    return said
