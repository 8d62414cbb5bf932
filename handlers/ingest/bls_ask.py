"""How BLS is asked: many series and years in one question, which goes as a POST.

A series that BLS does not know is asked for alone as well, so that its failure has its
name and stops no other. It never asks for more years than an answer would hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

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
from handlers.ingest.bls import series_in
from handlers.ingest.windows import years

_URL = "https://api.bls.gov/publicAPI/v2/timeseries/data/"
_DONE = "REQUEST_SUCCEEDED"
_YEARS = {True: 20, False: 10}
_SERIES = {True: 50, False: 25}


@connector("bls")
def bls(poll: Poll) -> Iterator[Want]:
    """Ask for all series, in groups and windows of as many as a key allows."""
    series, most = poll.source.living, _SERIES[poll.keyed]
    for group, start in enumerate(range(0, len(series), most), start=1):
        for name, first, last in years(
            poll, partial("bls_{}_{}_{}.json".format, group), size=_YEARS[poll.keyed]
        ):
            part = series[start : start + most]
            yield _Question(name, part, first, last, poll.keyed).want()


@dataclass(frozen=True, slots=True)
class _Question:
    """Some series over some years."""

    name: str
    series: tuple[str, ...]
    first: date
    last: date
    keyed: bool

    def want(self) -> Want:
        """Return the question."""
        key = {"registrationkey": SECRET} if self.keyed else {}
        body = {
            "seriesid": list(self.series),
            "startyear": str(self.first.year),
            "endyear": str(self.last.year),
            **key,
        }
        return Want(
            self.name, _URL, body=body, judge=self._judged, follow=self._unknown
        )

    def _judged(self, answer: Answer) -> Any:
        said = _processed(answer)
        entries = [each for _, part in _series_in(said) for each in part]
        alone = len(self.series) == 1
        if alone and not entries and self._missing(said):
            msg = f"bls: {self.series[0]}: BLS does not know it: {' '.join(said['message'])}"
            raise SourceRefused(msg)
        reduced = [m for m in said.get("message", ()) if "year range" in m.lower()]
        if reduced:
            msg = (
                f"expected {self.first.year} to {self.last.year}; BLS says {reduced[0]}"
            )
            raise SourceRefused(msg)
        return "data" if entries else "empty"

    def _missing(self, said: Any) -> list[str]:
        """Return the series that BLS says it does not know."""
        told = " ".join(map(str, said.get("message", ())))
        known = {series for series, part in _series_in(said) if part}
        lost = [s for s in self.series if s not in known and s in told]
        return lost if "does not exist" in told else []

    def _unknown(self, answer: Answer) -> Iterable[Want]:
        if len(self.series) == 1:
            return
        for series in self._missing(_processed(answer)):
            name = self.name.replace("bls_", f"bls_{series}_", 1)
            yield _Question(name, (series,), self.first, self.last, self.keyed).want()


def _processed(answer: Answer) -> Any:
    """Return what BLS says.

    Raises:
        SourceRefused: it does not take the key, or the question.
        SourceUnavailable: the questions of the day are used up, or it is no JSON.
    """
    try:
        said = json.loads(answer.data)
    except ValueError:
        msg = f"bls: expected JSON from BLS; found {answer.data[:80]!r}"
        raise SourceUnavailable(msg) from None
    if isinstance(said, dict) and said.get("status") == _DONE:
        return said
    told = said.get("message", said) if isinstance(said, dict) else said
    words = " ".join(map(str, told)) if isinstance(told, list) else str(told)[:200]
    if "threshold" in words.lower():
        msg = f"bls: BLS answers no more questions today: {words}"
        raise SourceUnavailable(msg)
    mend = " Mend: set BLS_API_KEY to yours" if "key" in words.lower() else ""
    msg = f"bls: BLS refuses: {words}{mend}"
    raise SourceRefused(msg)


def _series_in(said: Any) -> list[tuple[str, list[Any]]]:
    try:
        return series_in(said)
    except BadInput as error:
        msg = f"bls: {error}"
        raise SourceRefused(msg) from None
