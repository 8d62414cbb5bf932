"""USDA's Foreign Agricultural Service: export sales by week, balances by season.

It never shows a week before the Thursday after it, and takes the key from a header.

What is odd about the source, and kept: a season is called by the year in which it ends
in export sales, and by the one in which it begins in the balances; a season without
sales is an empty list; net sales may be negative; the bulk file holds no world, and
codes with leading noughts.
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, timedelta
from typing import Any, Final

from cbi_stream.replay import releases
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_header,
    json_reply,
    no_such_page,
)
from cbi_stream.replay.world import World

_SALES: Final = re.compile(
    r"/api/esr/exports/commodityCode/(\d+)/allCountries/marketYear/(\d{4})"
)
_BALANCE: Final = re.compile(
    r"/api/psd/commodity/(\d{7})/(world|country/all)/year/(\d{4})"
)
_BULK: Final = "/psdonline/downloads/psd_oilseeds_csv.zip"
_BUYERS: Final = (1220, 2010, 2470, 3010, 5330, 5600, 5700, 5800, 5880)
_LAG: Final = timedelta(days=7)
_BEGINS: Final = {"901": 10, "902": 10}
_COUNTRIES: Final = {
    "AR": "Argentina",
    "BR": "Brazil",
    "CH": "China",
    "E4": "European Union",
    "ID": "Indonesia",
    "IN": "India",
    "MY": "Malaysia",
    "US": "United States",
}
_COMMODITIES: Final = {
    "0813100": "Meal, Soybean",
    "2222000": "Oilseed, Soybean",
    "2226000": "Oilseed, Rapeseed",
    "4232000": "Oil, Soybean",
    "4236000": "Oil, Sunflowerseed",
    "4239100": "Oil, Rapeseed",
    "4243000": "Oil, Palm",
}
_ATTRIBUTES: Final = {
    "007": "Crush",
    "020": "Beginning Stocks",
    "028": "Production",
    "057": "Imports",
    "088": "Exports",
    "125": "Domestic Consumption",
    "140": "Industrial Dom. Cons.",
    "149": "Food Use Dom. Cons.",
    "176": "Ending Stocks",
}
_FIRST_SEASON: Final = 2010
_HEADER: Final = (
    "Commodity_Code,Commodity_Description,Country_Code,Country_Name,Market_Year,"
    "Calendar_Year,Month,Attribute_ID,Attribute_Description,Unit_ID,Unit_Description,"
    "Value"
)


def answer(question: Question, world: World) -> Reply:
    """Return the sales of a season, or the balances of one."""
    if told := _SALES.fullmatch(question.path):
        return json_reply(_sales(world, told[1], int(told[2])))
    if told := _BALANCE.fullmatch(question.path):
        return json_reply(_balance(world, told[1], told[2], int(told[3])))
    return no_such_page(question)


def download(question: Question, world: World) -> Reply:
    """Return the bulk zip of oilseeds."""
    if question.path != _BULK or not world.simulated:
        return no_such_page(question)
    return _packed(_lines(world))


def _packed(lines: list[str]) -> Reply:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        entry = zipfile.ZipInfo("psd_oilseeds.csv", (2000, 1, 1, 0, 0, 0))
        archive.writestr(entry, "\n".join([_HEADER, *lines, ""]))
    return Reply(held.getvalue(), "application/zip")


def _refused(question: Question) -> Reply:
    missing = in_header("X-Api-Key")(question) is None
    code = "API_KEY_MISSING" if missing else "API_KEY_INVALID"
    said = "No api_key was supplied." if missing else "An invalid api_key was supplied."
    error = {"code": code, "message": f"{said} Get one at https://api.data.gov:443"}
    return json_reply({"error": error}, status=403)


def _too_many(_: Question) -> Reply:
    said = "You have exceeded your rate limit. Try again later."
    error = {"code": "OVER_RATE_LIMIT", "message": said}
    return json_reply({"error": error}, status=429)


SITE: Final = Site(
    hosts=("api.fas.usda.gov",),
    answer=answer,
    empty=lambda _: json_reply([]),
    too_many=_too_many,
    bad_key=_refused,
    key_in=in_header("X-Api-Key"),
    keyless=False,
)
BULK: Final = Site(
    hosts=("apps.fas.usda.gov",),
    answer=download,
    empty=lambda _: _packed([]),
    too_many=_too_many,
)


def _thursdays(first: date, last: date) -> list[date]:
    """Return the Thursdays between two days."""
    ahead = timedelta(days=1)
    return [f - ahead for f in releases.fridays(first + ahead, last + ahead)]


def _sales(world: World, commodity: str, season: int) -> list[dict[str, Any]]:
    month = _BEGINS.get(commodity, 9)
    first, end = date(season - 1, month, 1), date(season, month, 1)
    last = min(end + timedelta(days=6), world.today - _LAG)
    if first > last or not world.simulated:
        return []
    weeks = _thursdays(first, last)
    rows = []
    for buyer in _BUYERS:
        shipped = 0
        draws = world.draws("esr", commodity, str(buyer), days=weeks)
        for week, draw in zip(weeks, draws, strict=True):
            exports = round(9000 * draw[0])
            shipped += exports
            waiting = round(200_000 * draw[1])
            rows.append(
                {
                    "commodityCode": int(commodity),
                    "countryCode": buyer,
                    "weeklyExports": exports,
                    "accumulatedExports": shipped,
                    "outstandingSales": waiting,
                    "grossNewSales": round(20_000 * draw[2]),
                    "currentMYNetSales": round(20_000 * (draw[2] - draw[3] / 4)),
                    "currentMYTotalCommitment": shipped + waiting,
                    "nextMYOutstandingSales": 0,
                    "nextMYNetSales": round(500 * (draw[4] - 0.5)),
                    "unitId": 1,
                    "weekEndingDate": f"{week}T00:00:00",
                }
            )
    return rows


def _figure(
    world: World, about: tuple[str, str], season: int, attribute: str
) -> tuple[float, date]:
    """Return a country's figure as it stands, and the month of its last change."""
    begins = date(season, 5, 1)
    settled = date(season + 2, 1, 1)
    changed = min(world.today.replace(day=1), settled)
    [draw] = world.draws("psd", *about, str(season), attribute, days=[begins])
    return round(5000 * draw[0], 1), changed


def _balance(
    world: World, commodity: str, where: str, season: int
) -> list[dict[str, Any]]:
    known = commodity in _COMMODITIES and _FIRST_SEASON <= season <= _newest(world)
    if not known or not world.simulated:
        return []
    rows = []
    for attribute in _ATTRIBUTES:
        found = {
            country: _figure(world, (commodity, country), season, attribute)
            for country in _COUNTRIES
        }
        if where == "world":
            told = list(found.values())
            total = round(sum(value for value, _ in told), 1)
            found = {"00": (total, max(month for _, month in told))}
        for country, (value, month) in found.items():
            rows.append(
                {
                    "commodityCode": commodity,
                    "countryCode": country,
                    "marketYear": str(season),
                    "calendarYear": f"{month:%Y}",
                    "month": f"{month:%m}",
                    "attributeId": int(attribute),
                    "unitId": 8,
                    "value": value,
                }
            )
    return rows


def _newest(world: World) -> int:
    return world.today.year - (world.today.month < 5)


def _lines(world: World) -> list[str]:
    lines = []
    for commodity, name in _COMMODITIES.items():
        for country, called in _COUNTRIES.items():
            for season in range(_FIRST_SEASON, _newest(world) + 1):
                for code, attribute in _ATTRIBUTES.items():
                    about = (commodity, country)
                    value, month = _figure(world, about, season, code)
                    lines.append(
                        f'{commodity},"{name}",{country},{called},{season},'
                        f'{month:%Y},{month:%m},{code},{attribute},08,"(1000 MT)",{value:.4f}'
                    )
    return lines
