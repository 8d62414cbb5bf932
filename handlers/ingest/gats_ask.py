"""How US exports are asked of the Census: one product a question, month by month, with a key.

A month that is not out is answered with no content, which is a true answer. It never
asks FAS, whose fields of the same figures nobody has written down.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

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

_URL = "https://api.census.gov/data/timeseries/intltrade/exports/hs"
_GET = "E_COMMODITY,CTY_CODE,CTY_NAME,QTY_1_MO,UNIT_QY1,ALL_VAL_MO"
_NOTHING = 204


@connector("gats")
def gats(poll: Poll) -> Iterator[Want]:
    """Ask for each product since the look-back."""
    for product in poll.source.fetch.options["products"]:
        name = f"census_exports_{product}.json"
        yield Want(
            name=name,
            url=_URL,
            params=(
                ("get", _GET),
                ("time", f"from {poll.since(name):%Y-%m}"),
                ("COMM_LVL", "HS10"),
                ("E_COMMODITY", product),
                ("key", SECRET),
            ),
            accept=(200, 204, 400),
            judge=judge,
        )


def judge(answer: Answer) -> Literal["data", "empty"]:
    """Tell rows from a month that is not out and from a refusal.

    Raises:
        SourceRefused: a bad key, or a question that is not understood.
        SourceUnavailable: something else than a list.
    """
    if answer.status == _NOTHING:
        return "empty"
    said = answer.data[:300].decode(errors="replace")
    if answer.status != 200:
        msg = f"gats: {answer.url}: expected rows; found {answer.status} {said}"
        raise SourceRefused(msg)
    try:
        told = json_of(answer.data)
    except BadInput as error:
        msg = f"gats: {answer.url}: {error}"
        raise SourceUnavailable(msg) from None
    if not isinstance(told, list):
        msg = f"gats: {answer.url}: expected a list of lists; found {said[:120]}"
        raise SourceUnavailable(msg)
    return "data" if sum(isinstance(row, list) for row in told) > 1 else "empty"
