"""The native XML of a WASDE report: the five pages of oilseeds and the soybean complex.

A page is found by its title, never by its number, which moves. Of two monthly columns
of a projection the report's own is read; the other is a copy of last month's. The pages
of grains, cotton, sugar and animals hold none of our series and are not read; the .xls
of the same report is refused.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from datetime import date, datetime

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import text_of
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.wasde_words import (
    attribute_of,
    commodity_of,
    first_day,
    plain_number,
    region_of,
    released_of,
    slug,
)

_US_PAGE = "us_soybeans_and_products"
_PAGES = {
    "u_s_soybeans_and_products_supply_and_use": _US_PAGE,
    "world_soybean_supply_and_use": "soybeans",
    "world_soybean_meal_supply_and_use": "soybean_meal",
    "world_soybean_oil_supply_and_use": "soybean_oil",
    "world_and_u_s_supply_and_use_for_oilseeds": "oilseeds",
}
_COMPLEX = {"bu": "soybeans", "c/lb": "soybean_oil", "s.t.": "soybean_meal"}
"""Which table of the US page it is, told by the unit of its price."""
_NEEDED = {"beginning_stocks", "production", "exports", "ending_stocks", "domestic_use"}
_RANGE = re.compile(r"([\d.,]+)\s*-\s*([\d.,]+)")
_Cell = tuple[Mapping[str, str], str]
_LOOKS = "<Report Name=... Report_Month=... sub_report_title=...>"


@source(
    "wasde",
    form="xml",
    headers=(_LOOKS,),
    recognises=lambda head: "sub_report_title=" in head and "WASDE" in head,
)
def wasde_xml(data: bytes, name: str | None) -> pl.DataFrame:
    """Return one row per figure of the report's own month.

    Raises:
        BadInput: a page or an attribute is missing, or the report says no month.
    """
    reports = _reports(data)
    month = _month_of(reports)
    stamp = released_of(name or "", month)
    found = Observations()
    pages = _pages(reports)
    for page, report in pages.items():
        _add_page(found, page, report, stamp=stamp, month=month)
    return found.frame(expected="figures of a WASDE report")


@source(
    "wasde",
    form="xls",
    headers=("wasdeMMYY.xls",),
    recognises=lambda name: re.search(r"wasde\d{4}", name) is not None,
)
def wasde_xls(_data: bytes, name: str | None) -> pl.DataFrame:
    """Refuse the spreadsheet of a report.

    Raises:
        BadInput: always.
    """
    msg = (
        "expected the XML or CSV of a WASDE report; found its .xls, whose tables stand "
        f"on each other without names: hand in {name or 'wasdeMMYY'}.xml instead"
    )
    raise BadInput(msg)


def _reports(data: bytes) -> list[ET.Element]:
    # Read as text first: in another encoding what is looked for could hide.
    text = text_of(data)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        msg = "expected plain XML; found one that declares entities"
        raise BadInput(msg)
    try:
        root = ET.fromstring(text)  # noqa: S314 - without entities, and in a child
    except ET.ParseError as error:
        msg = f"expected the XML of a WASDE report; it breaks at {error}"
        raise BadInput(msg) from None
    return [each for each in root.iter("Report") if each.get("sub_report_title")]


def _month_of(reports: list[ET.Element]) -> date:
    said = [each.get("Report_Month", "") for each in reports]
    month = day_in(next(filter(None, said), ""), "%B %Y")
    if month is None:
        msg = f"expected Report_Month like June 2026; found {sorted(set(said))[:3]}"
        raise BadInput(msg)
    return month


def _pages(reports: list[ET.Element]) -> dict[str, list[ET.Element]]:
    """Return the pages that are read, by what each is about.

    Raises:
        BadInput: one of them is missing.
    """
    found: dict[str, list[ET.Element]] = {}
    for report in reports:
        title = slug(report.get("sub_report_title", ""))
        title = title.removesuffix("_cont_d").removesuffix("_continued")
        if title in _PAGES:
            found.setdefault(_PAGES[title], []).append(report)
    missing = [title for title, page in _PAGES.items() if page not in found]
    if missing:
        titles = [each.get("sub_report_title", "").strip()[:60] for each in reports]
        msg = f"expected a page titled like {missing[0]}; found {titles[:40]}"
        raise BadInput(msg)
    return found


def _cells(element: ET.Element, told: Mapping[str, str]) -> Iterator[_Cell]:
    """Return each figure with the words that stand over it."""
    if element.tag == "Cell":
        values = [v for k, v in element.attrib.items() if k.startswith("cell_value")]
        yield from ((told, value) for value in values)
        return
    # The numbers at the names run on through the sheet: region4, attribute12.
    words = {re.sub(r"\d+$", "", k): v for k, v in element.attrib.items()}
    for child in element:
        yield from _cells(child, {**told, **words})


def _add_page(
    found: Observations,
    page: str,
    reports: list[ET.Element],
    *,
    stamp: datetime,
    month: date,
) -> None:
    title = reports[0].get("sub_report_title", "")
    names: set[str] = set()
    for matrix in (part for report in reports for part in report):
        cells = list(_cells(matrix, {}))
        for told, value in cells:
            if not _is_current(told.get("forecast_month", ""), month):
                continue
            about = _about(page, told, cells, title=title)
            names.add(about[2])
            _add(found, about, told, value=value, stamp=stamp)
    if page != "oilseeds" and not names >= _NEEDED:
        lacking = ", ".join(sorted(_NEEDED - names))
        msg = f"{title.strip()}: expected rows for {lacking}; found {sorted(names)}"
        raise BadInput(msg)


def _is_current(column: str, month: date) -> bool:
    return column.strip()[:3].lower() in ("", f"{month:%b}".lower())


def _about(
    page: str, told: Mapping[str, str], cells: list[_Cell], *, title: str
) -> tuple[str, str, str]:
    region = region_of(told.get("region") or told.get("commodity_header", ""), title)
    attribute = attribute_of(told.get("attribute", ""))
    if page == "oilseeds":
        return commodity_of(told.get("commodity", "")), region, attribute
    if page != _US_PAGE:
        return page, region, attribute
    priced = [t["attribute"] for t, _ in cells if "Price" in t.get("attribute", "")]
    named = {name for unit, name in _COMPLEX.items() for p in priced if f"{unit})" in p}
    if len(named) != 1:
        msg = (
            f"{title.strip()}: expected a price in $/bu, c/lb or $/s.t.; found {priced}"
        )
        raise BadInput(msg)
    return named.pop(), region, attribute


def _add(
    found: Observations,
    about: tuple[str, str, str],
    told: Mapping[str, str],
    *,
    value: str,
    stamp: datetime,
) -> None:
    commodity, region, attribute = about
    series = ".".join(about)
    year = told.get("market_year") or told.get("region_header") or ""
    begins = first_day(year, commodity, region)
    if begins is None or not attribute:
        problem = f"date: expected a year like 2024/25; found {year!r}"
        found.unreadable(series, f"{series} {value}", problem)
        return
    span = _RANGE.fullmatch(value.strip())
    if span is None:
        found.add(series, begins, plain_number(value), stamp=stamp)
        return
    for end, cell in zip(("low", "high"), span.groups(), strict=True):
        found.add(f"{series}_{end}", begins, plain_number(cell), stamp=stamp)
