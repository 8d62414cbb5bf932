"""Market news of USDA's AMS: the bids of one report, by HTTP Basic.

It never shows a day before its report was published, and knows one report only.

What is odd about the source, and kept: names of fields with blanks in them, days with
the month first, a time of publication without its zone, null for what was not quoted.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
from typing import Any, Final
from zoneinfo import ZoneInfo

from cbi_stream.replay import releases
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_basic,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.world import World

_REPORT: Final = "/services/v1.2/reports/3147/Report Detail"
_CENTRAL: Final = ZoneInfo("America/Chicago")
_PUBLISHED: Final = time(12, 48, 13)
_MOST: Final = 100_000
_WINDOW: Final = re.compile(
    r"report_begin_date=(\d{2})/(\d{2})/(\d{4}):(\d{2})/(\d{2})/(\d{4})"
)


def answer(question: Question, world: World) -> Reply:
    """Return the rows of a window of days."""
    told = _WINDOW.fullmatch(question.param("q"))
    if question.path != _REPORT or told is None:
        return no_such_page(question)
    month, day, year, to_month, to_day, to_year = map(int, told.groups())
    first, last = date(year, month, day), date(to_year, to_month, to_day)
    days = [
        each
        for each in world.days(first, min(last, world.today))
        if datetime.combine(each, _PUBLISHED, _CENTRAL) <= world.now
    ]
    rows = _rows(world, days) if world.simulated and days else []
    return json_reply(_section(rows))


SITE: Final = Site(
    hosts=("marsapi.ams.usda.gov",),
    answer=answer,
    empty=lambda _: json_reply(_section([])),
    too_many=lambda _: text_reply("Too Many Requests", status=429),
    bad_key=lambda _: text_reply("Unauthorized", status=401),
    key_in=in_basic,
    keyless=False,
)


def _section(rows: list[dict[str, Any]]) -> dict[str, Any]:
    stats = {
        "returnedRows": len(rows),
        "userAllowedRows": _MOST,
        "totalRows": len(rows),
    }
    return {"reportSection": "Report Detail", "stats": stats, "results": rows}


def _rows(world: World, days: list[date]) -> list[dict[str, Any]]:
    rows = []
    for day, draw in zip(days, world.draws("mars", "3147", days=days), strict=True):
        said = f"{day:%m/%d/%Y}"
        for ahead, current in ((0, "Yes"), (1, "No")):
            begins = day.replace(day=1)
            for _ in range(ahead):
                begins = releases.month_after(begins)
            basis, price = 60 + round(60 * draw[ahead]), round(9 + 5 * draw[4], 4)
            rows.append(
                {
                    "report_date": said,
                    "report_begin_date": said,
                    "report_end_date": said,
                    "published_date": f"{said} {_PUBLISHED:%H:%M:%S}",
                    "slug_id": 3147,
                    "slug_name": "AMS_3147",
                    "report_title": "Louisiana and Texas Export Bids",
                    "commodity": "Soybeans",
                    "quote_type": "Basis",
                    "basis_unit": "\u00a2/Bu",
                    "basis Min": basis,
                    "basis Max": basis + 2,
                    "basis Min Futures Month": "November (X)",
                    "price_unit": "$ Per Bushel",
                    "price Min": price,
                    "price Max": None if ahead else round(price + 0.02, 4),
                    "avg_price": round(price + 0.01, 4),
                    "avg_price_year_ago": 10.9575,
                    "freight": "C.I.F.",
                    "trans_mode": "Barge",
                    "current": current,
                    "delivery_start": str(begins),
                }
            )
    return rows
