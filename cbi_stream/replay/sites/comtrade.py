"""UN Comtrade: rows of trade by reporter, partner and HS code, with a key or 500 of them.

It never says that it cut an answer: the preview gives 500 rows and their number. Rows
that were not asked for as totals are broken down by mode of transport.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_header,
    json_reply,
    no_such_page,
)
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World

_KEYED: Final = "/data/v1/get/C/M/HS"
_PREVIEW: Final = "/public/v1/preview/C/M/HS"
_CUT: Final = 500
_LAG: Final = timedelta(days=100)
_BY_SEA, _BY_ROAD = 2100, 3200


def answer(question: Question, world: World) -> Reply:
    """Return the rows that are out."""
    if question.path not in (_KEYED, _PREVIEW):
        return no_such_page(question)
    held = saved(world, "comtrade_*.json", content_type="application/json")
    if held is not None:
        return held
    months = [_month(text) for text in question.param("period").split(",")]
    modes = [0] if question.param("motCode") == "0" else [0, _BY_SEA, _BY_ROAD]
    rows = [
        _row(question, month, code, partner, mode, weight)
        for code in question.param("cmdCode").split(",")
        for partner in question.param("partnerCode").split(",")
        for month, weight in _weights(question, world, code, partner, months)
        for mode in modes
    ]
    most = len(rows) if question.path == _KEYED else _CUT
    return _told(rows[:most])


def _month(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), 1)


def _weights(
    question: Question, world: World, code: str, partner: str, months: list[date]
) -> list[tuple[date, float]]:
    names = (question.param("reporterCode"), question.param("flowCode"), code, partner)
    statistic = Statistic(
        "comtrade", ".".join(names), low=1e6, high=9e9, decimals=0, cadence="monthly",
        lag=_LAG, begins=date(2010, 1, 1),
    )  # fmt: skip
    rows = world.observations(statistic, first=min(months), last=max(months))
    return [(month, weight) for month, weight in rows if month in months]


def _row(
    question: Question, month: date, code: str, partner: str, mode: int, weight: float
) -> dict[str, Any]:
    return {
        "typeCode": "C",
        "freqCode": "M",
        "refPeriodId": int(f"{month:%Y%m}01"),
        "refYear": month.year,
        "refMonth": month.month,
        "period": f"{month:%Y%m}",
        "reporterCode": int(question.param("reporterCode")),
        "reporterDesc": None,
        "flowCode": question.param("flowCode"),
        "partnerCode": int(partner),
        "partner2Code": 0,
        "classificationCode": "H6",
        "cmdCode": code,
        "customsCode": "C00",
        "mosCode": "0",
        "motCode": mode,
        "qtyUnitCode": 8,
        "qtyUnitAbbr": "kg",
        "qty": weight,
        "netWgt": weight,
        "grossWgt": 0.0,
        "cifvalue": None,
        "primaryValue": round(weight * 0.45, 1),
        "isReported": False,
        "isAggregate": True,
    }


def _told(rows: list[dict[str, Any]]) -> Reply:
    said = {"elapsedTime": "0.21 secs", "count": len(rows), "data": rows, "error": ""}
    return json_reply(said)


SITE: Final = Site(
    hosts=("comtradeapi.un.org",),
    answer=answer,
    empty=lambda _: _told([]),
    too_many=lambda _: json_reply(
        {
            "statusCode": 429,
            "message": "Rate limit is exceeded. Try again in 5 seconds.",
        },
        status=429,
    ),
    bad_key=lambda _: json_reply(
        {
            "statusCode": 401,
            "message": "Access denied due to invalid subscription key. Make sure to "
            "provide a valid key for an active subscription.",
        },
        status=401,
    ),
    key_in=in_header("Ocp-Apim-Subscription-Key"),
)
