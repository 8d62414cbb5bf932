"""NASS QuickStats: rows for a question of names and values, and how many there are.

It never answers more than 50,000 rows at once, and never a question without a key.

What is odd about the source, and kept: every field is text, numbers with commas; no
rows and a question that it does not understand are the same 400; a week ends on Sunday
and carries the load time of its Monday.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from cbi_stream.replay import releases
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    in_param,
    json_reply,
    no_such_page,
)
from cbi_stream.replay.world import World

_MOST: Final = 50_000
_NEW_YORK: Final = ZoneInfo("America/New_York")
_APRIL, _NOVEMBER = 4, 11
_CONDITIONS: Final = ("VERY POOR", "POOR", "FAIR", "GOOD", "EXCELLENT")
_STAGES: Final = ("PLANTED", "EMERGED", "BLOOMING", "DROPPING LEAVES", "HARVESTED")
_WEEKLY: Final = {
    ("SOYBEANS", "CONDITION"): _CONDITIONS,
    ("CORN", "CONDITION"): _CONDITIONS,
    ("SOYBEANS", "PROGRESS"): _STAGES,
    ("CORN", "PROGRESS"): ("PLANTED", "EMERGED", "SILKING", "DENTED", "MATURE"),
}
_OIL: Final = "OIL, SOYBEAN"
_CRUDE: Final = f"{_OIL}, ONSITE & OFFSITE, CRUDE - STOCKS"
_REFINED: Final = f"{_OIL}, ONSITE & OFFSITE, ONCE REFINED - STOCKS"
_MEAL: Final = "CAKE & MEAL, SOYBEAN - PRODUCTION"
# Commodity, class, statistic, what is counted, its unit, and about how much of it.
_MONTHLY: Final = (
    ("SOYBEANS", "ALL CLASSES", "CRUSHED", "SOYBEANS - CRUSHED", "TONS", 5e6),
    ("OIL", "SOYBEAN", "STOCKS", _CRUDE, "LB", 2e9),
    ("OIL", "SOYBEAN", "STOCKS", _REFINED, "LB", 4e8),
    ("OIL", "SOYBEAN", "PRODUCTION", f"{_OIL}, CRUDE - PRODUCTION", "LB", 2e9),
    ("CAKE & MEAL", "SOYBEAN", "PRODUCTION", _MEAL, "TONS", 4e6),
)
_ALWAYS: Final = {
    "source_desc": "SURVEY",
    "sector_desc": "CROPS",
    "group_desc": "FIELD CROPS",
    "prodn_practice_desc": "ALL PRODUCTION PRACTICES",
    "util_practice_desc": "ALL UTILIZATION PRACTICES",
    "domain_desc": "TOTAL",
    "domaincat_desc": "NOT SPECIFIED",
    "agg_level_desc": "NATIONAL",
    "state_ansi": "",
    "state_fips_code": "99",
    "state_alpha": "US",
    "state_name": "US TOTAL",
    "country_code": "9000",
    "country_name": "UNITED STATES",
    "location_desc": "US TOTAL",
    "county_name": "",
    "region_desc": "",
    "zip_5": "",
    "watershed_code": "00000000",
    "CV (%)": "",
}
_OTHERS: Final = {"key", "format", "year__GE", "year__LE"}
Row = dict[str, str]


def answer(question: Question, world: World) -> Reply:
    """Return the rows of a question, or how many there are."""
    asked = dict(question.params)
    path = question.path.rstrip("/")
    if path not in ("/api/api_GET", "/api/get_counts"):
        return no_such_page(question)
    first, last = (int(asked.get(f"year__{end}", "0")) for end in ("GE", "LE"))
    names = {key: value for key, value in asked.items() if key not in _OTHERS}
    rows = [
        row
        for row in _rows(world, first)
        if all(row.get(key) == value for key, value in names.items())
        and first <= int(row["year"]) <= (last or world.today.year)
    ]
    if path == "/api/get_counts":
        return json_reply({"count": len(rows)})
    if not rows:
        return _invalid(question)
    if len(rows) > _MOST:
        return json_reply({"error": [f"exceeds limit={_MOST}"]}, status=413)
    return json_reply({"data": rows})


def _invalid(_: Question) -> Reply:
    return json_reply({"error": ["bad request - invalid query"]}, status=400)


SITE: Final = Site(
    hosts=("quickstats.nass.usda.gov",),
    answer=answer,
    empty=_invalid,
    too_many=lambda _: json_reply({"error": ["too many requests"]}, status=429),
    bad_key=lambda _: json_reply({"error": ["unauthorized"]}, status=401),
    key_in=in_param("key"),
    keyless=False,
)


def _rows(world: World, first: int) -> Iterator[Row]:
    if not world.simulated:
        return
    start = max(date(max(first, 1), 1, 1), world.begins)
    yield from _weeks(world, start)
    yield from _months(world, start)


def _weeks(world: World, start: date) -> Iterator[Row]:
    sundays = [
        friday + timedelta(days=2)
        for friday in releases.fridays(start, world.today)
        if _APRIL <= (friday + timedelta(days=2)).month <= _NOVEMBER
    ]
    for (commodity, statistic), parts in _WEEKLY.items():
        for place, part in enumerate(parts):
            draws = world.draws("nass", commodity, statistic, days=sundays)
            for sunday, draw in zip(sundays, draws, strict=True):
                out = datetime.combine(sunday + timedelta(days=1), time(16), _NEW_YORK)
                if out > world.now:
                    continue
                whole = sum(draw[: len(parts)]) if statistic == "CONDITION" else 1.0
                yield _row(
                    commodity_desc=commodity,
                    class_desc="ALL CLASSES",
                    statisticcat_desc=statistic,
                    short_desc=f"{commodity} - {statistic}, MEASURED IN PCT {part}",
                    unit_desc=f"PCT {part}",
                    freq_desc="WEEKLY",
                    year=str(sunday.year),
                    begin_code=f"{sunday:%V}",
                    end_code=f"{sunday:%V}",
                    reference_period_desc=f"WEEK #{sunday:%V}",
                    week_ending=str(sunday),
                    load_time=f"{out:%Y-%m-%d %H:%M:%S}",
                    Value=str(round(100 * draw[place] / whole)),
                )


def _months(world: World, start: date) -> Iterator[Row]:
    firsts = releases.months(start.replace(day=1), world.today)
    for commodity, kind, statistic, what, unit, level in _MONTHLY:
        draws = world.draws("nass", what, days=firsts)
        for first, draw in zip(firsts, draws, strict=True):
            day = releases.month_after(releases.month_after(first))
            out = datetime.combine(day, time(15), _NEW_YORK)
            if out > world.now:
                continue
            yield _row(
                commodity_desc=commodity,
                class_desc=kind,
                statisticcat_desc=statistic,
                short_desc=f"{what}, MEASURED IN {unit}",
                unit_desc=unit,
                freq_desc="MONTHLY",
                year=str(first.year),
                begin_code=f"{first:%m}",
                end_code=f"{first:%m}",
                reference_period_desc=f"{first:%b}".upper(),
                week_ending="",
                load_time=f"{out:%Y-%m-%d %H:%M:%S}",
                Value=f"{round(level * (0.9 + 0.2 * draw[0])):,}",
            )


def _row(**cells: Any) -> Row:
    return _ALWAYS | cells
