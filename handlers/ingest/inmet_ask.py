"""How INMET is asked: the years as zip archives, and with a token the last weeks as hours.

It never takes the silence of the service (204, 404) for days without rain.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from cbi_stream import SECRET, Answer, Poll, SourceRefused, Want, connector
from handlers.ingest.answers import Verdict, said_in, shown

_YEARS = "https://portal.inmet.gov.br/uploads/dadoshistoricos/"
_SERVICE = "https://apitempo.inmet.gov.br/token/estacao/"
_MONTH = timedelta(days=30)


@connector("inmet")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for the last weeks of stations, then for years: those that are over once."""
    if poll.keyed:
        yield from _hours(poll)
    first = (poll.asked_since or poll.source.fetch.history_from).year
    for year in range(first, poll.today.year + 1):
        name = f"inmet_{year}.zip"
        last = poll.landed.get(name)
        grows = year >= poll.today.year - 1
        if last is None or poll.whole or (grows and last + _MONTH <= poll.today):
            yield Want(name, f"{_YEARS}{year}.zip", expect="zip")


def _hours(poll: Poll) -> Iterator[Want]:
    for line in poll.source.fetch.options["stations"]:
        station = line.split(" ")[0]
        start = max(poll.since(f"inmet_{station}.json"), _oldest(poll))
        yield Want(
            f"inmet_{station}.json",
            f"{_SERVICE}{start}/{poll.today}/{station}/{SECRET}",
            accept=(200, 204),
            judge=_judged,
        )


def _oldest(poll: Poll) -> date:
    oldest: date = poll.asked_since or poll.today - poll.source.fetch.looks_back
    return oldest


def _judged(answer: Answer) -> Verdict:
    if answer.status == 204:
        return "empty"
    said = said_in(answer, "inmet")
    if not isinstance(said, list):
        msg = f"inmet: expected a list of hours; it says {shown(said)}"
        raise SourceRefused(msg)
    if said and not {"CHUVA", "TEM_MAX", "TEM_MIN"} <= said[0].keys():
        msg = f"inmet: expected CHUVA, TEM_MAX and TEM_MIN; found {', '.join(said[0])[:200]}"
        raise SourceRefused(msg)
    return "data" if said else "empty"
