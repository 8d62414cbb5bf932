"""How PSD is asked: the bulk zip of oilseeds, without a key.

With a key the world's own figures are asked too, which the zip does not hold. It never
asks for the figures of one country: the zip has them all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cbi_stream import (
    SECRET,
    Answer,
    BadInput,
    Poll,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.esr_ask import judge
from handlers.ingest.packed import member_of

_BULK = "https://apps.fas.usda.gov/psdonline/downloads/psd_oilseeds_csv.zip"
_SERVICE = "https://api.fas.usda.gov/api/psd/commodity"
_PROJECTED_FROM = 5


@connector("psd")
def psd(poll: Poll) -> Iterator[Want]:
    """Ask for the world by commodity and season, and for the bulk zip."""
    if poll.keyed:
        yield from _worlds(poll)
    yield Want("psd_oilseeds_csv.zip", _BULK, expect="zip", judge=judge_bulk)


def judge_bulk(answer: Answer) -> Literal["data", "empty"]:
    """Tell a zip with lines from one with none.

    Raises:
        SourceUnavailable: the zip holds no CSV.
    """
    try:
        plain = member_of(
            answer.data, lambda name: name.lower().endswith(".csv"), expected="a CSV"
        )
    except BadInput as error:
        msg = f"psd: {answer.url}: {error}"
        raise SourceUnavailable(msg) from None
    return "data" if len(plain.splitlines()) > 1 else "empty"


def _worlds(poll: Poll) -> Iterator[Want]:
    # A season is projected from May on, before it begins.
    newest = poll.today.year - (poll.today.month < _PROJECTED_FROM)
    for commodity in poll.source.fetch.options["commodities"]:
        for season in range(newest, poll.source.fetch.history_from.year - 1, -1):
            name = f"psd_{commodity}_world_{season}.json"
            if season >= poll.since(name).year:
                yield Want(
                    name=name,
                    url=f"{_SERVICE}/{commodity}/world/year/{season}",
                    headers={"X-Api-Key": SECRET},
                    accept=(200, 401, 403),
                    judge=judge,
                )
