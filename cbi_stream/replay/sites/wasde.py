"""The catalogue of WASDE releases and the XML of each report, as its host gives them.

It never lists a report before its hour, and none for the months without one.

What is odd about the source, and kept: the catalogue calls noon in New York noon in
London; a report that was posted again stands there as `v2`, with the day of the first;
projections have a column of last month beside the report's own; labels carry footnotes
and blanks, numbers commas.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from cbi_stream.replay import shelf
from cbi_stream.replay.releases import months
from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.world import World

HOST: Final = "esmis.nal.usda.gov"
CATALOGUE: Final = "/api/v1/release/findByIdentifier/wasde"
_FILES: Final = "/sites/default/release-files"
_PER_PAGE: Final = 25
_FIRST: Final = date(2010, 7, 1)
_NONE: Final = frozenset({date(2013, 10, 1), date(2019, 1, 1), date(2025, 10, 1)})
_NEW_YORK: Final = ZoneInfo("America/New_York")
_NUMBERED_FROM: Final = 484  # July 2010
_SAVED: Final = re.compile(r"(\d{4}-\d{2}-\d{2})_(wasde\d{4}(?:v\d+)?\.xml)(?:\.gz)?")
_WORLD: Final = (
    "Beginning\r\nStocks",
    "Production",
    "Imports",
    "Domestic\r\nTotal",
    "Exports",
    "Ending\r\nStocks",
)
_REGIONS: Final = (
    "World  2/",
    "    World Less China",
    "United States",
    "        Argentina",
    "        Brazil",
    "        China",
)
_STOCKS: Final = ("Beginning Stocks", "Production 4/", "Imports", "Exports")
_USE: Final = ("Domestic Disappearance", "Ending stocks")
_US: Final = {
    "($/bu)": (*_STOCKS, "Crushings", "Domestic", "Ending Stocks"),
    "(c/lb)": (*_STOCKS, "     Biofuel 3/", *_USE),
    "($/s.t.)": (*_STOCKS, *_USE),
}
_TOTALS: Final = (
    "Output",
    "Total\r\nSupply",
    "Trade",
    "Total\r\nUse  2/",
    "Ending\r\nStocks",
)


def answer(question: Question, world: World) -> Reply:
    """Return a page of the catalogue, or a report."""
    if question.path == CATALOGUE:
        return _page(world, int(question.param("page", "0")))
    for day, name in _releases(world):
        if question.path == f"{_FILES}/{_number(day)}/{name}":
            return _file(world, day, name)
    return no_such_page(question)


SITE: Final = Site(
    hosts=(HOST,),
    answer=answer,
    empty=lambda _: json_reply(_catalogue([], 0, 0)),
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)


def _releases(world: World) -> list[tuple[date, str]]:
    """Return day and file name of every report that is out, newest first."""
    if world.folder is not None:
        found = [_SAVED.fullmatch(p.name) for p in shelf.files(world.folder, "*wasde*")]
        told = [(date.fromisoformat(m[1]), m[2]) for m in found if m]
        # Where a report was posted again the catalogue has that one only.
        newest = dict(sorted(told))
        return sorted(newest.items(), reverse=True)
    shown = []
    for first in months(_FIRST, world.today):
        day = _day_of(first)
        out = datetime.combine(day, time(12), _NEW_YORK)
        if first not in _NONE and out <= world.now:
            again = "v2" if day.month == 12 else ""
            shown.append((day, f"wasde{day:%m%y}{again}.xml"))
    return shown[::-1]


def _day_of(first: date) -> date:
    """Return a weekday near the tenth."""
    tenth = first.replace(day=10)
    return tenth + timedelta(days=max(0, 7 - tenth.weekday()) % 7 % 3)


def _number(day: date) -> int:
    """Return the number that the catalogue has for a release."""
    return 700_000 + day.toordinal() - _FIRST.toordinal()


def _page(world: World, page: int) -> Reply:
    releases = _releases(world)
    shown = releases[page * _PER_PAGE : (page + 1) * _PER_PAGE]
    results: list[dict[str, Any]] = []
    for day, name in shown:
        folder = f"https://{HOST}{_FILES}/{_number(day)}"
        results.append(
            {
                "id": str(_number(day)),
                "files": [f"{folder}/{name[:-3]}pdf", f"{folder}/{name}"],
                "title": "World Agricultural Supply and Demand Estimates",
                "release_datetime": f"{day}T12:00:00+0000",
                "identifier": ["wasde"],
                "agency_acronym": "WAOB",
            }
        )
    return json_reply(_catalogue(results, page, len(releases)))


def _catalogue(results: list[dict[str, Any]], page: int, total: int) -> object:
    pager = {
        "current_page": page,
        "items_per_page": _PER_PAGE,
        "total_pages": -(-total // _PER_PAGE),
        "total_results": total,
    }
    return {"filters": [], "pager": pager, "results": results}


def _file(world: World, day: date, name: str) -> Reply:
    if world.folder is not None:
        path: Path = shelf.files(world.folder, f"{day}_{name}*")[0]
        return Reply(shelf.content(path), "application/xml")
    return Reply(b"\xef\xbb\xbf" + _report(world, day), "application/xml")


def _report(world: World, day: date) -> bytes:
    number = _NUMBERED_FROM + (day.year - _FIRST.year) * 12 + day.month - _FIRST.month
    root = ET.Element("Report", Name="wasde")
    titles = {
        "sr10": "World and U.S. Supply and Use for Oilseeds  1/",
        "sr15": "U.S. Soybeans and Products Supply and Use (Domestic Measure)  1/",
        "sr28": "World Soybean Supply and Use  1/",
        "sr29": "World Soybean Meal Supply and Use  1/",
        "sr30": "World Soybean Oil Supply and Use  1/",
    }
    for name, title in titles.items():
        told = {
            "Name": name,
            "Report_Month": f"{day:%B %Y}",
            "page_title": f" WASDE - {number} - {name[2:]}",
            "sub_report_title": title,
        }
        page = ET.SubElement(ET.SubElement(root, name), "Report", told)
        if name == "sr15":
            _us(page, world, day)
        else:
            _table(page, world, day, name)
    said: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return said


def _years(day: date) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Return each season of a report with its columns; of a projection two."""
    newest = day.year - (day.month < 5)
    for back, mark in ((2, ""), (1, " Est."), (0, " Proj.")):
        year = newest - back
        before = day.replace(day=1) - timedelta(days=1)
        columns = ("",) if back else (f"{before:%b}", f"{day:%b}")
        yield f"{year}/{(year + 1) % 100:02}{mark}", columns


def _value(world: World, day: date, *names: str) -> str:
    """Return a number of a report as it is printed; last month's column has its own."""
    [draw] = world.draws("wasde", *names, days=[day.replace(day=1)])
    return f"{1000 + 3000 * draw[0]:,.2f}"


def _month(day: date, column: str) -> date:
    if column in ("", f"{day:%b}"):
        return day
    return day.replace(day=1) - timedelta(days=1)


def _us(page: ET.Element, world: World, day: date) -> None:
    for index, (unit, attributes) in enumerate(_US.items(), start=1):
        matrix = ET.SubElement(page, f"matrix{index}")
        for label in (*attributes, f"Avg. Price {unit}  2/"):
            row = ET.SubElement(matrix, "attribute4", attribute4=label)
            for year, columns in _years(day):
                for column in columns:
                    group = ET.SubElement(row, "m1_year_group", market_year4=year)
                    month = ET.SubElement(group, "m1_month", forecast_month4=column)
                    said = _value(world, _month(day, column), unit, label, year[:7])
                    ET.SubElement(month, "Cell", cell_value4=said)


def _table(page: ET.Element, world: World, day: date, name: str) -> None:
    if name == "sr10":
        matrix = ET.SubElement(page, "matrix1", commodity_header1="World")
        rows = [("commodity1", n) for n in ("Oilseeds", "Oilmeals", "Vegetable Oils")]
        labels: tuple[str, ...] = _TOTALS
    else:
        matrix = ET.SubElement(page, "matrix1")
        rows = [("region4", region) for region in _REGIONS]
        crush = ("Domestic\r\nCrush",) if name == "sr28" else ()
        labels = (*_WORLD, *crush)
    for year, columns in _years(day):
        # A world's table says the year over all of its regions.
        top = ET.SubElement(matrix, "m1_year", market_year1=year)
        for word, row in rows:
            group = ET.SubElement(top, "m1_group", {word: row})
            for column in columns:
                month = ET.SubElement(group, "m1_month", forecast_month1=column)
                for label in labels:
                    at = ET.SubElement(month, "s3", attribute1=label)
                    about = (name, row, label, year[:7])
                    said = _value(world, _month(day, column), *about)
                    ET.SubElement(at, "Cell", cell_value1=said)
