"""The Federal Register's search: documents by agency, term, type and day.

It never asks for a key, and shows no document before its edition at 8:45 in New York.

What is odd about the service, and kept: without a match the answer has no `results`;
another number per page than 2 to 2000 becomes 20, and behind the ten thousandth document
page 1 comes again, both without a word.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from cbi_stream.replay import releases
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.world import World

_HOST: Final = "www.federalregister.gov"
_SEARCH: Final = "/api/v1/documents.json"
_EDITION: Final = time(8, 45, tzinfo=ZoneInfo("America/New_York"))
_BEGINS: Final = date(1994, 1, 3)
_MOST, _REACHED, _OTHERWISE = 2000, 10_000, 20
_SHARE: Final = 0.08
"""On how many of the weekdays a topic has a document."""
_TYPES: Final = ("Notice", "Notice", "Proposed Rule", "Rule", "Presidential Document")
_ASKED_FOR: Final = {
    "NOTICE": "Notice",
    "RULE": "Rule",
    "PRORULE": "Proposed Rule",
    "PRESDOCU": "Presidential Document",
}
_DEFAULT: Final = (
    "title", "type", "abstract", "document_number", "html_url", "pdf_url",
    "public_inspection_pdf_url", "publication_date", "agencies", "excerpts",
)  # fmt: skip
_MORE: Final = (
    "effective_on", "signing_date", "comments_close_on", "action", "dates",
    "docket_ids", "executive_order_number", "topics", "citation", "start_page",
    "end_page", "raw_text_url", "json_url", "significant", "correction_of",
)  # fmt: skip
_CORRECTED: Final = 0.97


@dataclass(frozen=True, slots=True)
class _Search:
    """What is searched for."""

    first: date
    last: date
    about: str
    """Agencies and term: what the draws belong to."""
    types: tuple[str, ...]


def answer(question: Question, world: World) -> Reply:
    """Return a page of documents, or what the service says instead."""
    if question.path != _SEARCH:
        if question.path.startswith("/api/v1/documents/"):
            return json_reply(
                {"status": 404, "message": "Record Not Found"}, status=404
            )
        return no_such_page(question)
    fields = tuple(v for k, v in question.params if k == "fields[]") or _DEFAULT
    unknown = [name for name in fields if name not in (*_DEFAULT, *_MORE)]
    if unknown:
        return json_reply({"error": f"unknown field {unknown[0]}"}, status=400)
    try:
        search = _search(question, world)
    except ValueError as error:
        said = {"errors": {"conditions": {"publication_date": str(error)}}}
        return json_reply(said, status=400)
    found = _documents(search, world)
    if question.param("order", "newest") != "oldest":
        found.reverse()
    return json_reply(_page(question, found, fields))


def empty(_: Question) -> Reply:
    """Return an answer without a match: `results` is not there at all."""
    return json_reply({"count": 0, "description": "No documents match"})


SITE: Final = Site(
    hosts=(_HOST,),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Retry later\n", status=429),
)


def _search(question: Question, world: World) -> _Search:
    """Return what is searched for.

    Raises:
        ValueError: a day is none.
    """
    said = dict(question.params)
    kept: dict[str, list[str]] = {}
    for name, value in question.params:
        kept.setdefault(name, []).append(value)
    day = "conditions[publication_date]"
    first = date.fromisoformat(said.get(f"{day}[gte]", _BEGINS.isoformat()))
    last = date.fromisoformat(said.get(f"{day}[lte]", world.today.isoformat()))
    if f"{day}[is]" in said:
        first = last = date.fromisoformat(said[f"{day}[is]"])
    if f"{day}[year]" in said:
        year = int(said[f"{day}[year]"])
        first, last = date(year, 1, 1), date(year, 12, 31)
    about = json.dumps(
        [
            sorted(kept.get("conditions[agencies][]", [])),
            kept.get("conditions[term]", []),
        ]
    )
    types = tuple(_ASKED_FOR[t] for t in kept.get("conditions[type][]", []))
    return _Search(max(first, _BEGINS), min(last, world.today), about, types)


def _documents(search: _Search, world: World) -> list[dict[str, Any]]:
    """Return the documents of a search, oldest first; none in a world from a folder."""
    days = releases.weekdays(search.first, search.last)
    if not days or not world.simulated:
        return []
    drawn = world.draws("federal_register", search.about, days=days)
    found = [
        _document(day, draws, search)
        for day, draws in zip(days, drawn, strict=True)
        if draws[0] < _SHARE and datetime.combine(day, _EDITION) <= world.now
    ]
    return [d for d in found if not search.types or d["type"] in search.types]


def _document(day: date, draws: list[float], search: _Search) -> dict[str, Any]:
    kind = _TYPES[int(draws[1] * len(_TYPES))]
    if search.types:
        kind = search.types[int(draws[1] * len(search.types))]
    number = f"{day.year}-{10_000 + int(draws[2] * 10) + 10 * day.timetuple().tm_yday}"
    corrects = None
    if draws[3] > _CORRECTED:
        corrects = f"https://{_HOST}/api/v1/documents/{number}"
        number = f"C1-{number}"
    later = day + timedelta(days=30 + int(draws[4] * 60))
    [agencies, terms] = json.loads(search.about)
    plain = {
        "title": f"Simulated {kind.lower()} on {' '.join(terms) or 'nothing'}",
        "type": kind,
        "abstract": None if draws[5] < 0.1 else "No true document.",
        "document_number": number,
        "html_url": f"https://{_HOST}/documents/{day:%Y/%m/%d}/{number}/simulated",
        "pdf_url": f"https://{_HOST}/simulated/{number}.pdf",
        "public_inspection_pdf_url": f"https://{_HOST}/simulated/{number}.pdf?1",
        "publication_date": day.isoformat(),
        "agencies": [{"raw_name": name.upper(), "slug": name} for name in agencies],
        "excerpts": f'... <span class="match">{" ".join(terms)}</span> ...',
        "effective_on": later.isoformat() if kind == "Rule" else None,
        "signing_date": None,
        "action": f"{kind}.",
        "docket_ids": [f"SIM-{day.year}-{int(draws[6] * 9000):04d}"],
        "correction_of": corrects,
    }
    return dict.fromkeys(_MORE) | plain


def _page(
    question: Question, found: list[dict[str, Any]], fields: tuple[str, ...]
) -> dict[str, Any]:
    """Return one page, as the service cuts it."""
    if not found:
        return {"count": 0, "description": "No documents match"}
    per_page = _number(question, "per_page", _OTHERWISE)
    per_page = per_page if 2 <= per_page <= _MOST else _OTHERWISE
    page = max(_number(question, "page", 1), 1)
    if page * per_page > _REACHED:
        page = 1
    start = (page - 1) * per_page
    pages = -(-min(len(found), _REACHED) // per_page)
    shown = [
        {name: document[name] for name in fields}
        for document in found[start : start + per_page]
    ]
    said: dict[str, Any] = {
        "count": len(found),
        "description": "Documents matching the search",
        "total_pages": pages,
        "results": shown,
    }
    others = {"next_page_url": page + 1, "previous_page_url": page - 1}
    for name, other in others.items():
        if 1 <= other <= pages:
            kept = [(k, v) for k, v in question.params if k != "page"]
            query = urlencode([*kept, ("page", str(other))])
            said[name] = f"https://{_HOST}{_SEARCH}?{query}"
    return said


def _number(question: Question, name: str, otherwise: int) -> int:
    said = question.param(name)
    return int(said) if said.isdigit() else otherwise
