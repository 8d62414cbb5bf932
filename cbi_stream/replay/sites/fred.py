"""FRED as it answers: its API with every vintage as JSON, and its graph's CSV.

It never answers the API without a key, and knows no vintage before the day on which it
began to keep them: what is older all begins on that day.

What is odd about the source, and kept: every value is a string, and a missing one is a
point; a plain question's days are those of the question; rows are cut to the days that
are asked for; more than 2000 vintages at once are refused; errors have two blanks.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from cbi_stream.replay import releases
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_param,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Dates, Statistic
from cbi_stream.replay.world import World

_API: Final = "/fred/"
_KEPT_SINCE: Final = date(2018, 1, 2)
_BEGINNING, _NO_END = date(1776, 7, 4), date(9999, 12, 31)
_MOST_VINTAGES: Final = 2000
_KEY: Final = re.compile(r"[a-z0-9]{32}")
Row = tuple[date, date, date, str]
"""Date, first and last day on which the value stood, and the value."""


def _on(weekday: int) -> Dates:
    def between(first: date, last: date) -> list[date]:
        days = releases.every_day(first, last)
        return [day for day in days if day.weekday() == weekday]

    return between


# Ids; lowest, highest, decimals, cadence, days until it is out, and until it is restated.
_GROUPS: Final[tuple[tuple[str, float, float, int, str | Dates, int, tuple[int, ...]], ...]] = (
    ("VIXCLS DGS10 DCOILWTICO T10Y2Y T5YIE", 0, 6, 2, "business", 1, ()),
    ("DGS3MO DGS1 DGS2 DGS5 DGS30 T10Y3M T10YIE BAA10Y", 0, 6, 2, "business", 1, ()),
    ("BAMLC0A0CM BAMLH0A0HYM2 SOFR EFFR", 0, 6, 2, "business", 1, ()),
    ("RRPONTSYD DCOILBRENTEU DHHNGSP DDFUELNYH", 1, 90, 3, "business", 6, ()),
    ("DEXUSEU DEXBZUS DEXCHUS DEXMXUS DEXMAUS DEXCAUS DEXJPUS", 1, 9, 4, "business", 7, ()),
    ("DTWEXBGS DTWEXEMEGS", 90, 130, 4, "business", 7, ()),
    ("DFF DFEDTARU DFEDTARL", 0, 6, 2, "daily", 1, ()),
    ("USEPUINDXD WLEMUINDXD", 20, 400, 2, "daily", 2, (7, 30)),
    ("GASREGW GASDESW", 1, 5, 3, _on(0), 1, ()),
    ("WALCL", 4e6, 8e6, 0, _on(2), 1, ()),
    ("MORTGAGE30US", 2, 8, 2, _on(3), 1, ()),
    ("NFCI STLFSI4", -1, 3, 3, "weekly", 5, (7, 28)),
    ("ICSA", 2e5, 9e5, 0, _on(5), 5, (7,)),
    ("CCSA", 1e6, 5e6, 0, _on(5), 12, (7,)),
    ("FEDFUNDS BAAFFM USREC", 0, 6, 2, "monthly", 34, ()),
    ("UNRATE CIVPART EMRATIO TCU", 3, 80, 1, "monthly", 36, (30,)),
    ("PAYEMS RSXFS DGORDER", 1e5, 3e5, 0, "monthly", 38, (28, 56)),
    ("CPIAUCSL CPIAUCNS CPILFESL", 150, 330, 3, "monthly", 43, ()),
    ("PPIACO PPIIDC PPIFIS", 120, 280, 3, "monthly", 44, (120,)),
    ("PCEPI PCEPILFE INDPRO", 80, 130, 3, "monthly", 58, (30,)),
    ("HOUST", 900, 1700, 0, "monthly", 48, (30,)),
    ("M1SL M2SL BOGMBASE", 5e3, 2e4, 1, "monthly", 56, (28,)),
    ("UMCSENT", 50, 110, 1, "monthly", 60, ()),
    ("CFNAI", -3, 3, 2, "monthly", 55, (28,)),
    ("CSUSHPISA", 100, 330, 3, "monthly", 90, (30,)),
    ("PSOILUSDM PPOILUSDM PROILUSDM PSUNOUSDM POLVOILUSDM", 400, 2000, 4, "monthly", 60, ()),
    ("PSOYBUSDM PSMEAUSDM PMAIZMTUSDM PCOPPUSDM", 150, 900, 4, "monthly", 60, ()),
    ("POILBREUSDM PALLFNFINDEXM USEPUINDXM EPUTRADE", 40, 200, 4, "monthly", 35, ()),
    ("GDP GDPC1", 1e4, 3e4, 3, "quarterly", 120, (30, 60)),
    ("DPCCRV1Q225SBEA", 0, 9, 1, "quarterly", 120, (30,)),
)  # fmt: skip
SERIES: Final = {
    name: Statistic(
        "fred",
        name,
        low=low,
        high=high,
        decimals=decimals,
        cadence=cadence,
        lag=timedelta(days=lag),
        restated=tuple(timedelta(days=n) for n in restated),
        begins=date(2015, 1, 2),
    )
    for names, low, high, decimals, cadence, lag, restated in _GROUPS
    for name in names.split()
}


def answer(question: Question, world: World) -> Reply:
    """Return observations or days of vintages of one series, or why there are none."""
    if question.host.startswith("fred."):
        return _graph(question, world)
    wrong = _wrong_key(question)
    if wrong is not None:
        return wrong
    kind = question.path.removeprefix(_API)
    if kind not in ("series/observations", "series/vintagedates"):
        return no_such_page(question)
    name = question.param("series_id")
    if name not in SERIES:
        return _error(400, "Bad Request.  The series does not exist.", question)
    return _told(question, kind.removeprefix("series/"), _rows_of(name, world), world)


def _told(question: Question, kind: str, rows: tuple[Row, ...], world: World) -> Reply:
    try:
        asked = _days_asked(question, world)
    except ValueError:
        return _error(
            400, "Bad Request.  Value of realtime_start is no date.", question
        )
    days = sorted({row[1] for row in rows if asked[0] <= row[1] <= asked[1]})
    if kind == "vintagedates":
        return json_reply(_page(question, asked, "vintage_dates", list(map(str, days))))
    if len(days) > _MOST_VINTAGES:
        said = (
            f"Bad Request.  There are {len(days)} vintage dates in the specified "
            f"real-time period: {asked[0]} to {asked[1]}.  This exceeds the maximum "
            f"number of vintage dates allowed ({_MOST_VINTAGES})."
        )
        return _error(400, said, question)
    found = _observed(question, rows, asked)
    return json_reply(_page(question, asked, "observations", found))


def empty(question: Question) -> Reply:
    """Return a true answer without rows."""
    if question.host.startswith("fred."):
        return text_reply(
            f"observation_date,{question.param('id')}\n", content_type="text/csv"
        )
    kind = "observations" if question.path.endswith("observations") else "vintage_dates"
    return json_reply(_page(question, (_BEGINNING, _NO_END), kind, []))


def bad_key(question: Question) -> Reply:
    """Return what is said of a key that nobody registered."""
    said = "Bad Request.  The value for variable api_key is not registered."
    return _wrong_key(question) or _error(400, said, question)


def too_many(question: Question) -> Reply:
    """Return what is said to those who ask more than 120 times a minute."""
    return _error(429, "Too Many Requests.  Exceeded Rate Limit", question)


def _wrong_key(question: Question) -> Reply | None:
    if question.host.startswith("fred.") or _KEY.fullmatch(question.param("api_key")):
        return None
    said = (
        "Bad Request.  The value for variable api_key is not a 32 character "
        "alpha-numeric lower-case string.  Read "
        "https://fred.stlouisfed.org/docs/api/api_key.html for more information."
    )
    return _error(400, said, question)


def _error(status: int, said: str, question: Question) -> Reply:
    if question.param("file_type") != "json":
        xml = f'<?xml version="1.0" encoding="utf-8" ?>\n<error code="{status}" message="{said}"/>'
        return text_reply(xml, content_type="text/xml", status=status)
    return json_reply({"error_code": status, "error_message": said}, status=status)


def _days_asked(question: Question, world: World) -> tuple[date, date]:
    today = world.today.isoformat()
    names = ("realtime_start", "realtime_end")
    start, end = (date.fromisoformat(question.param(n, today)) for n in names)
    return start, end


def _page(
    question: Question, asked: tuple[date, date], kind: str, all_rows: list[Any]
) -> Any:
    most = 100_000 if kind == "observations" else 10_000
    offset, limit = (
        int(question.param("offset", "0")),
        int(question.param("limit", str(most))),
    )
    head = {"realtime_start": str(asked[0]), "realtime_end": str(asked[1])}
    if kind == "observations":
        begins = question.param("observation_start", "1600-01-01")
        head |= {"observation_start": begins, "observation_end": str(_NO_END)}
        head |= {"units": "lin", "output_type": 1, "file_type": "json"}  # type: ignore[dict-item]
    order = "observation_date" if kind == "observations" else "vintage_date"
    counted = {"count": len(all_rows), "offset": offset, "limit": limit}
    rows = all_rows[offset : offset + limit]
    return {**head, "order_by": order, "sort_order": "asc", **counted, kind: rows}


def _observed(
    question: Question, rows: Iterable[Row], asked: tuple[date, date]
) -> list[dict[str, str]]:
    """Return the rows that stood on a day that is asked for, cut to these days."""
    first = date.fromisoformat(question.param("observation_start", "1600-01-01"))
    start, end = asked
    return [
        {
            "realtime_start": str(max(began, start)),
            "realtime_end": str(min(ended, end)),
            "date": str(day),
            "value": value,
        }
        for day, began, ended, value in rows
        if day >= first and began <= end and ended >= start
    ]


@lru_cache(maxsize=512)
def _rows_of(name: str, world: World) -> tuple[Row, ...]:
    """Return every value of a series with the days on which it stood."""
    statistic = SERIES[name]
    told: dict[date, dict[date, str]] = {}
    for day, stamp, value in world.vintages(
        statistic, first=statistic.begins, last=world.today
    ):
        began = max(stamp, _KEPT_SINCE)
        told.setdefault(day, {})[began] = f"{value:.{statistic.decimals}f}"
    rows = []
    for day in sorted(told):
        stamps = sorted(told[day])
        ends = [stamp - timedelta(days=1) for stamp in stamps[1:]] + [_NO_END]
        rows += [(day, s, e, told[day][s]) for s, e in zip(stamps, ends, strict=True)]
    return tuple(rows)


def _graph(question: Question, world: World) -> Reply:
    """Return the values of now as CSV; a weekday without one has an empty cell."""
    name = question.param("id")
    if name not in SERIES or not question.path.endswith("/fredgraph.csv"):
        return no_such_page(question)
    rows = [(row[0], row[3]) for row in _rows_of(name, world) if row[2] == _NO_END]
    first = question.param("cosd", "1600-01-01")
    days = [day for day, _ in rows]
    held = dict(rows)
    if SERIES[name].cadence == "business" and days:
        days = releases.weekdays(days[0], days[-1])
    at = bisect_left(days, date.fromisoformat(first))
    last = bisect_right(days, world.today)
    lines = [f"{day},{held.get(day, '')}" for day in days[at:last]]
    text = "\n".join([f"observation_date,{name}", *lines]) + "\n"
    return text_reply(text, content_type="text/csv")


SITE = Site(
    hosts=("api.stlouisfed.org", "fred.stlouisfed.org"),
    answer=answer,
    empty=empty,
    too_many=too_many,
    bad_key=bad_key,
    key_in=in_param("api_key"),
    # The graph's CSV needs none; the API says so itself.
    keyless=True,
)
