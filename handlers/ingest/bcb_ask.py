"""How the Brazilian central bank is asked: one series and at most ten years a question.

It never takes an object for a list: that is an error in disguise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from cbi_stream import (
    Answer,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.windows import years

_URL = "https://api.bcb.gov.br/dados/serie/bcdata.sgs.{}/dados"
_YEARS = 10
_NOTHING = 404


@connector("bcb")
def bcb(poll: Poll) -> Iterator[Want]:
    """Ask for each series."""
    for series in poll.source.living:
        begins = f"bcb_sgs_{series}_"
        held = any(name.startswith(begins) for name in poll.landed)
        for name, first, last in years(
            poll, partial("bcb_sgs_{}_{}_{}.json".format, series), size=_YEARS
        ):
            yield Want(
                name,
                _URL.format(series),
                (
                    ("formato", "json"),
                    ("dataInicial", f"{first:%d/%m/%Y}"),
                    ("dataFinal", f"{last:%d/%m/%Y}"),
                ),
                key=series,
                accept=(200, _NOTHING, 406),
                judge=partial(_judged, series=series, held=held),
            )


def _judged(answer: Answer, *, series: str, held: bool) -> Any:
    """Return whether there is anything in an answer.

    Raises:
        SourceRefused: SGS does not know the series, or turns the question down.
        SourceUnavailable: it is no JSON.
    """
    if answer.status == _NOTHING and held:
        return "empty"  # it is known: there is nothing in these days
    try:
        said = json.loads(answer.data)
    except ValueError:
        if answer.status != _NOTHING:
            msg = f"bcb: {series}: expected JSON from SGS; found {answer.data[:80]!r}"
            raise SourceUnavailable(msg) from None
        said = "a page"
    if answer.status == 200 and isinstance(said, list):
        return "data" if said else "empty"
    told = said.get("error", said.get("erro", said)) if isinstance(said, dict) else said
    msg = f"bcb: {series}: expected a list from SGS; it says {answer.status}: {str(told)[:200]}"
    raise SourceRefused(msg)
