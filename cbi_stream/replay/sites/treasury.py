"""The US Treasury as it answers: tables of Fiscal Data page by page, and yields as CSV.

It never gives a number as a number: every value is a string, and null is the word null.

What is odd about the source, and kept: the link to the next page is the end of an
address; counts have a hyphen in their names; the yield curve has the newest day first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.statistics import Statistic, quarters
from cbi_stream.replay.world import World

_API: Final = "/services/api/fiscal_service/"
_CURVE: Final = re.compile(r"/.*/daily-treasury-rates\.csv/(\d{4})/all")
_SINCE: Final = re.compile(r"record_date:gte:(\d{4}-\d\d-\d\d)")
_MATURITIES: Final = (
    "1 Mo", "2 Mo", "3 Mo", "6 Mo", "1 Yr", "2 Yr", "5 Yr", "10 Yr", "20 Yr", "30 Yr",
)  # fmt: skip
_ADDED: Final = ("1.5 Month", 2025)
_COUNTRIES: Final = (
    "Argentina-Peso", "Brazil-Real", "Canada-Dollar", "China-Renminbi", "Euro Zone-Euro",
    "India-Rupee", "Indonesia-Rupiah", "Malaysia-Ringgit", "Mexico-Peso", "Paraguay-Guarani",
)  # fmt: skip
_DEBT: Final = {
    "Treasury Bills": "Marketable",
    "Treasury Notes": "Marketable",
    "Treasury Bonds": "Marketable",
    "Total Marketable": "Marketable",
    "Total Interest-bearing Debt": "Interest-bearing Debt",
}


def _ends(first: date, last: date, *, months: int) -> list[date]:
    """Return the last days of quarters or months between two days."""
    starts = quarters(first.replace(day=1), last + timedelta(days=93))
    if months == 1:
        starts = [
            date(y, m, 1)
            for y in range(first.year, last.year + 2)
            for m in range(1, 13)
        ]
    found = [start - timedelta(days=1) for start in starts]
    return [day for day in found if first <= day <= last]


def _statistic(name: str, low: float, high: float, *, months: int) -> Statistic:
    return Statistic(
        "treasury",
        name,
        low=low,
        high=high,
        decimals=3,
        cadence=lambda first, last: _ends(first, last, months=months),
        lag=timedelta(days=6),
        begins=date(2000, 1, 1),
    )


_RATES: Final = {name: _statistic(name, 1, 9, months=3) for name in _COUNTRIES}
_INTEREST: Final = {name: _statistic(name, 0, 6, months=1) for name in _DEBT}
_YIELDS: Final = {
    name: Statistic(
        "treasury",
        name,
        low=0,
        high=6,
        decimals=2,
        cadence="business",
        lag=timedelta(days=0),
        begins=date(2000, 1, 3),
    )
    for name in (*_MATURITIES, _ADDED[0])
}


def answer(question: Question, world: World) -> Reply:
    """Return a page of a table, or the yields of a year."""
    curve = _CURVE.fullmatch(question.path)
    if curve is not None:
        return _yields(int(curve[1]), world)
    table = question.path.removeprefix(_API)
    since = _SINCE.fullmatch(question.param("filter"))
    first = date.fromisoformat(since[1]) if since else date(2000, 1, 1)
    odd = [name for name, _ in question.params if name not in _KNOWN]
    if odd:
        said = f"Invalid query parameter '{odd[0]}'.  For more information please see"
        said += " the documentation."
        return json_reply({"error": "Invalid Query Param", "message": said}, status=400)
    if table.endswith("/rates_of_exchange"):
        return _page(question, _exchange(world, first))
    if table.endswith("/avg_interest_rates"):
        return _page(question, _interest(world, first))
    return no_such_page(question)


_KNOWN: Final = {"fields", "filter", "sort", "format", "page[number]", "page[size]"}


def _exchange(world: World, first: date) -> list[dict[str, str]]:
    rows = [
        (day, name, f"{value:.3f}")
        for name, statistic in _RATES.items()
        for day, value in world.observations(statistic, first=first, last=world.today)
    ]
    return [
        {"record_date": str(d), "country_currency_desc": n, "exchange_rate": v}
        for d, n, v in sorted(rows)
    ]


def _interest(world: World, first: date) -> list[dict[str, str]]:
    rows = [
        (day, name, f"{value:.3f}")
        for name, statistic in _INTEREST.items()
        for day, value in world.observations(statistic, first=first, last=world.today)
    ]
    return [
        {
            "record_date": str(day),
            "security_type_desc": _DEBT[name],
            "security_desc": name,
            # The first month of bonds was not worked out: that is the word null.
            "avg_interest_rate_amt": "null"
            if (day.year, name) == (2000, "Treasury Bonds")
            else value,
        }
        for day, name, value in sorted(rows)
    ]


def _page(question: Question, rows: list[dict[str, str]]) -> Reply:
    number, size = (
        int(question.param(f"page[{n}]", d))
        for n, d in (("number", "1"), ("size", "100"))
    )
    pages = -(-len(rows) // size)
    part = rows[(number - 1) * size : number * size]

    def link(to: int) -> str | None:
        return (
            f"&{urlencode({'page[number]': to, 'page[size]': size})}"
            if 1 <= to <= pages
            else None
        )

    links = {"self": link(number), "first": link(1), "prev": link(number - 1)}
    links |= {"next": link(number + 1), "last": link(pages)}
    return json_reply(
        {"data": part, "meta": _meta(part, len(rows), pages), "links": links}
    )


def _meta(part: list[dict[str, str]], total: int, pages: int) -> dict[str, Any]:
    names: Iterable[str] = part[0] if part else ()
    labels = {name: name.replace("_", " ").title() for name in names}
    return {
        "count": len(part),
        "labels": labels,
        "total-count": total,
        "total-pages": pages,
    }


def _yields(year: int, world: World) -> Reply:
    names = list(_MATURITIES)
    if year >= _ADDED[1]:
        names.insert(1, str(_ADDED[0]))
    first, last = date(year, 1, 1), date(year, 12, 31)
    held = {
        name: dict(world.observations(_YIELDS[name], first=first, last=last))
        for name in names
    }
    days = sorted({day for each in held.values() for day in each}, reverse=True)
    lines = [
        ",".join(
            [
                f"{day:%m/%d/%Y}",
                *(f"{held[n][day]:.2f}" if day in held[n] else "" for n in names),
            ]
        )
        for day in days
    ]
    header = ",".join(["Date", *(f'"{name}"' for name in names)])
    return text_reply("\n".join([header, *lines]) + "\n", content_type="text/csv")


def empty(question: Question) -> Reply:
    """Return a page or a table without rows."""
    if _CURVE.fullmatch(question.path):
        header = ",".join(["Date", *(f'"{name}"' for name in _MATURITIES)])
        return text_reply(f"{header}\n", content_type="text/csv")
    return _page(question, [])


def too_many(_: Question) -> Reply:
    """Return what is said to those who ask too often."""
    return json_reply(
        {"error": "Too Many Requests", "message": "Slow down."}, status=429
    )


SITE = Site(
    hosts=("api.fiscaldata.treasury.gov", "home.treasury.gov"),
    answer=answer,
    empty=empty,
    too_many=too_many,
)
