"""The words of WASDE in its three forms, made one: commodities, attributes, years, hours.

CSV, XML and compilations call one number by different names; its series id is the same.
It never reads a file, and never guesses a year.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from handlers.ingest.cells import ungrouped
from handlers.ingest.observed import end_of_day, instant

ZONE = "America/New_York"
_NOON_SINCE = date(2013, 1, 1)
_LATEST_DAY = 15
_COMMODITIES = {
    "oil_soybean": "soybean_oil",
    "meal_soybean": "soybean_meal",
    "oilseed_soybean": "soybeans",
    "soybean": "soybeans",
}
_ATTRIBUTES = {
    "domestic": "domestic_use",
    "domestic_total": "domestic_use",
    "domestic_disappearance": "domestic_use",
    "domestic_total_2": "domestic_use",
    "crushings": "crush",
    "domestic_crush": "crush",
    "domestic_feed": "feed_use",
    "for_methyl_ester": "biofuel_use",
    "methyl_ester": "biofuel_use",
    "biodiesel": "biofuel_use",
    "biofuel": "biofuel_use",
    "food_feed_other_industrial": "other_use",
    "total_supply": "supply_total",
    "total_use": "use_total",
    "avg_farm_price": "price",
    "avg_price": "price",
    "avg_farm_price_low": "price_low",
    "avg_farm_price_high": "price_high",
}
_BEGINS = {
    "soybean_oil": 10,
    "soybean_meal": 10,
    "oilseeds": 10,
    "oilmeals": 10,
    "vegetable_oils": 10,
    "sugar": 10,
    "wheat": 6,
    "cotton": 8,
    "rice": 8,
}
"""The month in which a marketing year begins; elsewhere it is September."""
_US = ("us", "united_states")
QUARTERS = {"I": 1, "II": 2, "III": 3, "IV": 4}
_NAMED = re.compile(
    r"(?:(?P<day>\d{4}-\d{2}-\d{2})_)?wasde(?P<month>\d{2})(?P<year>\d{2})"
    r"(?:v(?P<version>\d+))?"
)


def slug(text: str) -> str:
    """Return a label as lower-case words, without footnotes, units and indentation."""
    plain = re.sub(r"\([^)]*\)|\b\d+/", " ", text)
    return "_".join(re.findall(r"[a-z0-9]+", plain.replace("&", " ").lower()))


def commodity_of(label: str) -> str:
    """Return what this project calls a commodity."""
    found = slug(label)
    return _COMMODITIES.get(found, found)


def attribute_of(label: str) -> str:
    """Return what this project calls an attribute."""
    found = slug(label)
    return _ATTRIBUTES.get(found, found)


def region_of(label: str, title: str) -> str:
    """Return the region of a table's row.

    Tables of the US in its own units say `us`: `united_states` is the row of the
    world's tables, in million tonnes.
    """
    return "us" if title.strip().startswith("U.S") else slug(label) or "world"


def first_day(
    year: str, commodity: str, region: str, *, quarter: str = ""
) -> date | None:
    """Return the first day of a marketing or calendar year; None where none is told.

    Soybeans begin in September in the US and are counted from October elsewhere.

    Args:
        year: 2024/25, 2010/011 or 2011, with or without Est. and Proj.
        commodity: as `commodity_of` calls it.
        region: as `region_of` calls it.
        quarter: I to IV, where the row is one.
    """
    found = re.match(r"\s*((?:19|20)\d\d)(/0?\d\d)?\b", year)
    if found is None:
        return None
    month = 1
    if found[2]:
        world = commodity == "soybeans" and region not in _US
        month = 10 if world else _BEGINS.get(commodity, 9)
    later = month - 1 + 3 * (QUARTERS.get(quarter, 1) - 1)
    return date(int(found[1]) + later // 12, later % 12 + 1, 1)


def released(day: date) -> datetime:
    """Return when the report of a day came out: noon in New York, 8:30 until 2012."""
    return instant(day, "12:00" if day >= _NOON_SINCE else "08:30", ZONE)


def released_of(name: str, month: date) -> datetime:
    """Return when the report in a file of this name came out.

    A name with the day in front (`2026-06-11_wasde0626`) tells it. One without it does
    not, nor does the report: then a day later than any release so far counts, and the
    day on which the file was seen where that is earlier. A file `v2` was posted again,
    a day later, at an hour that nobody wrote down.

    Args:
        name: of the file.
        month: the first day of the month that the report says.
    """
    found = _NAMED.search(name)
    if found is None or found["day"] is None:
        return end_of_day(month.replace(day=_LATEST_DAY), ZONE)
    day = date.fromisoformat(found["day"])
    again = int(found["version"] or 1) - 1
    return end_of_day(day + timedelta(days=again), ZONE) if again else released(day)


def plain_number(cell: str) -> str:
    """Return a cell without commas, footnote star or blanks; a point where it is none.

    `.49` gets its leading nought: a number of this project has one.
    """
    text = ungrouped(re.sub(r"\s*\*$", "", cell.strip()))
    if text in ("", "NA", "filler", "--"):
        return "."
    return re.sub(r"^(-?)\.(?=\d)", r"\g<1>0.", text)
