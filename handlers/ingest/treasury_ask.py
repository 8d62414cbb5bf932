"""How the US Treasury is asked: tables of Fiscal Data page by page, yields year by year.

It asks for every field that names a row: without one of them the service would add rows
up. It never follows a link to another place.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qs

from cbi_stream import (
    Answer,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
)
from handlers.ingest.windows import years

_API = "https://api.fiscaldata.treasury.gov/services/api/fiscal_service/"
_CURVE = (
    "https://home.treasury.gov/resource-center/data-chart-center/interest-rates/"
    "daily-treasury-rates.csv/{}/all"
)
_ROWS = 10_000
_TABLES = {
    "rates_of_exchange": (
        "v1/accounting/od/rates_of_exchange",
        "record_date,country_currency_desc,exchange_rate",
    ),
    "avg_interest_rates": (
        "v2/accounting/od/avg_interest_rates",
        "record_date,security_type_desc,security_desc,avg_interest_rate_amt",
    ),
}


@connector("treasury")
def treasury(poll: Poll) -> Iterator[Want]:
    """Ask for the tables, then for the yield curve of each year."""
    for table in _TABLES:
        yield _Page(table, poll.since(f"treasury_{table}.json")).want()
    for name, first, _ in years(poll, lambda year, _: f"par_yield_{year}.csv", size=1):
        yield _curve(name, first.year)


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of a table of Fiscal Data."""

    table: str
    since: date
    number: int = 1

    def want(self) -> Want:
        """Return the question."""
        path, fields = _TABLES[self.table]
        piece = "" if self.number == 1 else f".{self.number}"
        return Want(
            f"treasury_{self.table}{piece}.json",
            f"{_API}{path}",
            (
                ("fields", fields),
                ("filter", f"record_date:gte:{self.since}"),
                ("sort", "record_date"),
                ("format", "json"),
                ("page[number]", str(self.number)),
                ("page[size]", str(_ROWS)),
            ),
            accept=(200, 400, 403, 404),
            judge=lambda answer: "data" if _said(answer)["data"] else "empty",
            follow=self._next,
        )

    def _next(self, answer: Answer) -> Iterable[Want]:
        links = _said(answer).get("links") or {}
        # A fragment like &page%5Bnumber%5D=2, and no address.
        following = parse_qs(str(links.get("next") or "").lstrip("&"))
        for number in following.get("page[number]", ()):
            if number.isdigit() and int(number) > self.number:
                yield replace(self, number=int(number)).want()


def _said(answer: Answer) -> dict[str, Any]:
    """Return a page.

    Raises:
        SourceRefused: the question is turned down, or the page has no data.
        SourceUnavailable: it is no JSON.
    """
    try:
        said = json.loads(answer.data)
    except ValueError:
        msg = f"treasury: expected JSON from Fiscal Data; found {answer.data[:80]!r}"
        raise SourceUnavailable(msg) from None
    if answer.status == 200 and isinstance(said, dict) and "data" in said:
        return said
    told = f"{said.get('error')}: {said.get('message')}" if "error" in said else said
    msg = f"treasury: expected data from Fiscal Data; it says {answer.status}: {str(told)[:200]}"
    raise SourceRefused(msg)


def _curve(name: str, year: int) -> Want:
    return Want(
        name,
        _CURVE.format(year),
        (
            ("type", "daily_treasury_yield_curve"),
            ("field_tdr_date_value", str(year)),
            ("page", ""),
            ("_format", "csv"),
        ),
        expect="text",
        header=r'"?Date"?,.*',
        judge=_judged_curve,
    )


def _judged_curve(answer: Answer) -> Any:
    lines = [line for line in answer.data.split(b"\n") if line.strip()]
    lines = [line for line in lines if not line.startswith(b"#")]
    if not lines or not lines[0].lstrip(b'\xef\xbb\xbf"').startswith(b"Date"):
        msg = f"treasury: expected the header Date,...; found {answer.data[:80]!r}"
        raise SourceUnavailable(msg)
    return "data" if len(lines) > 1 else "empty"
