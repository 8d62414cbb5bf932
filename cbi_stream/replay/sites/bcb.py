"""The Brazilian central bank's series as it answers: a list of days and values.

It never answers for more than ten years at once, or without both days.

What is odd about the source, and kept: dates have the day first; every value is a string
with a point in JSON and with a comma in CSV; days without a value are left out; a series
that it does not know, and days without any value, are both a 404.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Final

from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_PATH: Final = re.compile(r"/dados/serie/bcdata\.sgs\.(\d+)/dados")
_LONGEST: Final = timedelta(days=3653)
_DAYS: Final = {
    "1": (2, 6, "business", 0),
    "10813": (2, 6, "business", 0),
    "21619": (2.5, 7, "business", 0),
    "432": (2, 15, "daily", 0),
    "11": (0.01, 0.06, "business", 1),
    "433": (-0.5, 1.5, "monthly", 41),
}
SERIES: Final = {
    code: Statistic(
        "bcb",
        code,
        low=low,
        high=high,
        decimals=4,
        cadence=cadence,
        lag=timedelta(days=lag),
        begins=date(2000, 1, 3),
    )
    for code, (low, high, cadence, lag) in _DAYS.items()
}


def answer(question: Question, world: World) -> Reply:
    """Return one series between two days, or why there is nothing."""
    match = _PATH.fullmatch(question.path)
    if match is None:
        return no_such_page(question)
    first, last = (_day(question.param(n)) for n in ("dataInicial", "dataFinal"))
    if first is None or last is None or last - first > _LONGEST:
        return json_reply({"error": _TOO_LONG}, status=406)
    known = SERIES.get(match[1])
    rows = world.observations(known, first=first, last=last) if known else []
    if not rows:
        return json_reply({"erro": {"detail": "Value(s) not found"}}, status=404)
    if question.param("formato") == "csv":
        lines = [f'"{day:%d/%m/%Y}";"{value}"'.replace(".", ",") for day, value in rows]
        text = "\r\n".join(['"data";"valor"', *lines]) + "\r\n"
        return text_reply(text, content_type="text/csv")
    return json_reply(
        [{"data": f"{day:%d/%m/%Y}", "valor": str(value)} for day, value in rows]
    )


_TOO_LONG: Final = (
    "O sistema aceita uma janela de consulta de, no máximo, 10 anos em séries diárias"
)


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%d/%m/%Y").date()  # noqa: DTZ007 - a day alone
    except ValueError:
        return None


def empty(_: Question) -> Reply:
    """Return a list without entries."""
    return json_reply([])


def too_many(_: Question) -> Reply:
    """Return what a burst of questions is told."""
    return text_reply("Too Many Requests", status=429)


SITE = Site(hosts=("api.bcb.gov.br",), answer=answer, empty=empty, too_many=too_many)
