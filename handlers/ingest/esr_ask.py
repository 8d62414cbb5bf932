"""How export sales are asked: one question per commodity and season, with a key.

An empty list is a true answer: a season without sales yet. It never asks for a season
that has not begun, nor again for one that ended before the look-back.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
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
from handlers.ingest.esr import season_of
from handlers.ingest.packed import json_of

_URL = "https://api.fas.usda.gov/api/esr/exports"


@connector("esr")
def esr(poll: Poll) -> Iterator[Want]:
    """Ask for each commodity's seasons, from the newest back."""
    start = poll.source.fetch.history_from
    for commodity in poll.source.fetch.options["commodities"]:
        newest = season_of(poll.today, commodity)
        for season in range(newest, season_of(start, commodity) - 1, -1):
            name = f"esr_{commodity}_{season}.json"
            if date(season, 12, 31) >= poll.since(name):
                yield _season(commodity, season, name)


def _season(commodity: str, season: int, name: str) -> Want:
    path = f"commodityCode/{commodity}/allCountries/marketYear/{season}"
    return Want(
        name=name,
        url=f"{_URL}/{path}",
        headers={"X-Api-Key": SECRET},
        key=name.removesuffix(".json"),
        accept=(200, 401, 403),
        judge=judge,
    )


def judge(answer: Answer) -> Literal["data", "empty"]:
    """Tell records from an empty season and from a refusal.

    Raises:
        SourceRefused: the key is missing, wrong or expired.
        SourceUnavailable: the answer is no list.
    """
    told = _told(answer)
    if answer.status in (401, 403) or isinstance(told, dict):
        said = told.get("error", told) if isinstance(told, dict) else told
        msg = (
            f"{answer.url}: expected export sales; found {answer.status} {said!s:.200}: "
            "is FAS_API_KEY a key of api.data.gov?"
        )
        raise SourceRefused(msg)
    if not isinstance(told, list):
        msg = f"{answer.url}: expected a list; found {str(told)[:120]}"
        raise SourceUnavailable(msg)
    return "data" if told else "empty"


def _told(answer: Answer) -> Any:
    try:
        return json_of(answer.data)
    except BadInput as error:
        if answer.status in (401, 403):
            return {"error": answer.data[:200].decode(errors="replace")}
        msg = f"{answer.url}: {error}"
        raise SourceUnavailable(msg) from None
