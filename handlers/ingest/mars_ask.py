"""How market news is asked: one report a question, by HTTP Basic, year by year.

A year that has passed is asked once. It never takes a part of an answer for the whole:
the service cuts what is longer than it allows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal
from urllib.parse import quote

from cbi_stream import (
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.packed import json_of

_URL = "https://marsapi.ams.usda.gov/services/v1.2/reports"


@connector("mars")
def mars(poll: Poll) -> Iterator[Want]:
    """Ask for each report's rows of this year, and of the years not asked yet."""
    for slug, section in poll.source.fetch.options.items():
        start = poll.source.fetch.history_from
        for year in range(poll.today.year, start.year - 1, -1):
            name = f"mars_{slug}_{year}.json"
            if date(year, 12, 31) >= poll.since(name):
                first = max(date(year, 1, 1), poll.since(name))
                last = min(date(year, 12, 31), poll.today)
                yield _report(slug, str(section), name, (first, last))


def _report(slug: str, section: str, name: str, days: tuple[date, date]) -> Want:
    window = ":".join(f"{day:%m/%d/%Y}" for day in days)
    return Want(
        name=name,
        url=f"{_URL}/{slug}/{quote(section)}",
        params=(("q", f"report_begin_date={window}"),),
        basic=True,
        accept=(200, 401, 403),
        judge=judge,
    )


def judge(answer: Answer) -> Literal["data", "empty"]:
    """Tell rows from none and from a refusal.

    Raises:
        SourceRefused: a bad key, or more rows than one answer holds.
        SourceUnavailable: something else than a report.
    """
    if answer.status != 200:
        said = answer.data[:200].decode(errors="replace")
        msg = (
            f"{answer.url}: expected a report; found {answer.status} {said}: is "
            "MARS_API_KEY right?"
        )
        raise SourceRefused(msg)
    try:
        told = json_of(answer.data)
    except BadInput as error:
        msg = f"{answer.url}: {error}"
        raise SourceUnavailable(msg) from None
    sections: list[Any] = told if isinstance(told, list) else [told]
    if not all(isinstance(s, dict) and "results" in s for s in sections):
        msg = f"{answer.url}: expected results; found {str(told)[:120]}"
        raise SourceUnavailable(msg)
    for section in sections:
        stats = section.get("stats") or {}
        held, whole = (int(stats.get(n) or 0) for n in ("returnedRows", "totalRows"))
        if held < whole:
            msg = f"{answer.url}: expected all of {whole} rows; found {held}: ask for less"
            raise SourceRefused(msg)
    return "data" if any(section["results"] for section in sections) else "empty"
