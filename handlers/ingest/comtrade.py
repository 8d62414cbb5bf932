"""UN Comtrade, version 1: monthly trade of one country with another, by HS code.

Only totals over modes of transport, customs procedures and second partners are read:
rows that are broken down are turned away, and nothing is ever summed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import polars as pl

from cbi_stream import (
    SECRET,
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
    source,
)
from handlers.ingest.answers import Verdict, said_in, shown, since
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import json_of

_KEYED = "https://comtradeapi.un.org/data/v1/get/C/M/HS"
_KEYLESS = "https://comtradeapi.un.org/public/v1/preview/C/M/HS"
_CUT = 500
"""So many rows a question without a key gets, and nobody says how many there are."""
_TOTALS = {"motCode": "0", "customsCode": "C00", "partner2Code": "0"}
_KILOGRAM = "8"
_FIELDS = (
    "period", "reporterCode", "flowCode", "cmdCode", "partnerCode", "netWgt", "qty",
    "qtyUnitCode", "primaryValue", "freqCode", *_TOTALS,
)  # fmt: skip
_CUT_SHORT = (
    "expected fewer than 500 rows; found 500, where an answer without a key is cut "
    "short: ask for fewer months or partners"
)


def _is_comtrade(head: str) -> bool:
    return '"elapsedTime"' in head and '"data"' in head


@source(
    "comtrade",
    form="json",
    headers=('{"elapsedTime":..,"count":..,"data":[..]}',),
    recognises=_is_comtrade,
)
def comtrade(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return kilograms and dollars of each row, two rows for each.

    Raises:
        BadInput: a field was renamed, or the answer is not whole.
    """
    said = json_of(data)
    rows, count = said.get("data"), str(said.get("count"))
    if not isinstance(rows, list) or count != str(len(rows)):
        held = len(rows) if isinstance(rows, list) else "none"
        msg = f"expected `data` with {count} rows, as `count` says; found {held}"
        raise BadInput(msg)
    if len(rows) == _CUT:
        raise BadInput(_CUT_SHORT)
    found = Observations()
    for each in rows:
        missing = [name for name in _FIELDS if name not in each]
        if missing:
            msg = f"expected {', '.join(missing)}; found {', '.join(each)[:300]}"
            raise BadInput(msg)
        _add(found, each)
    return found.frame(expected="monthly totals of trade")


def _add(found: Observations, each: dict[str, Any]) -> None:
    series = ".".join(
        str(each[name])
        for name in ("reporterCode", "flowCode", "cmdCode", "partnerCode")
    )
    apart = {n: str(each[n]) for n, total in _TOTALS.items() if str(each[n]) != total}
    month = day_in(str(each["period"]), "%Y%m")
    if apart:
        told = ", ".join(f"{name} {value}" for name, value in apart.items())
        problem = f"broken_down: expected motCode 0, customsCode C00, partner2Code 0; found {told}"
        found.unreadable(series, each, problem)
    elif each["freqCode"] != "M" or month is None:
        problem = f"period: expected a month like 202401; found {each['period']}"
        found.unreadable(series, each, problem)
    else:
        found.add(f"{series}.kg", month, _kilograms(each))
        found.add(f"{series}.usd", month, each["primaryValue"])


def _kilograms(each: dict[str, Any]) -> str | None:
    """Return the net weight; where that is none, the quantity if it is in kilograms."""
    weight, unit = each["netWgt"], str(each["qtyUnitCode"])
    if weight is not None and float(weight) > 0:
        return str(weight)
    quantity = each["qty"] if unit == _KILOGRAM else None
    return str(quantity) if quantity is not None and float(quantity) > 0 else None


@connector("comtrade")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask for each reporter and direction, a calendar year at a time."""
    for line in poll.source.fetch.options["trades"]:
        reporter, flow, codes, partners = line.split(" ")
        stem = f"comtrade_{reporter}_{flow}"
        years = range(poll.today.year, poll.today.year - 3, -1)
        first = since(poll, [f"{stem}_{year}.json" for year in years])
        for year in range(first.year, poll.today.year + 1):
            periods = _months(year, poll.today)
            if periods:
                yield _want(poll, f"{stem}_{year}.json", periods, (
                    ("reporterCode", reporter),
                    ("flowCode", flow),
                    ("cmdCode", codes),
                    ("partnerCode", partners),
                ))  # fmt: skip


def _months(year: int, today: date) -> str:
    """Return the months of a year that are over, with commas."""
    last = 12 if year < today.year else today.month - 1
    return ",".join(f"{year}{month:02d}" for month in range(1, last + 1))


def _want(
    poll: Poll, name: str, periods: str, about: tuple[tuple[str, str], ...]
) -> Want:
    totals = (("partner2Code", "0"), ("customsCode", "C00"), ("motCode", "0"))
    return Want(
        name,
        _KEYED if poll.keyed else _KEYLESS,
        (*about, ("period", periods), *totals),
        headers={"Ocp-Apim-Subscription-Key": SECRET} if poll.keyed else {},
        judge=_judged,
    )


def _judged(answer: Answer) -> Verdict:
    said = said_in(answer, "comtrade")
    rows = said.get("data") if isinstance(said, dict) else None
    told = said.get("error") if isinstance(said, dict) else said
    if not isinstance(rows, list) or told:
        msg = f"comtrade: expected the list `data` and no error; it says {shown(told or said)}"
        raise SourceUnavailable(msg) if rows is None else SourceRefused(msg)
    if "preview" in answer.url and len(rows) >= _CUT:
        msg = f"comtrade: {_CUT_SHORT}"
        raise SourceRefused(msg)
    missing = [name for name in _FIELDS if rows and name not in rows[0]]
    if missing:
        msg = (
            f"comtrade: expected {', '.join(missing)}; found {', '.join(rows[0])[:300]}"
        )
        raise SourceRefused(msg)
    return "data" if rows else "empty"
