"""The World Bank: a landing page that names the Pink Sheet's workbook, and the workbook.

An old address of the workbook still answers with status 200: it never says that what it
gives is no longer kept up.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from cbi_stream.replay.saved import saved
from cbi_stream.replay.sites import Question, Reply, Site, no_such_page, text_reply
from cbi_stream.replay.statistics import Statistic
from cbi_stream.replay.world import World
from cbi_stream.replay.xlsx import Cell, workbook

_LANDING: Final = "/en/research/commodity-markets"
_END: Final = "/related/CMO-Historical-Data-Monthly.xlsx"
_THIS_YEAR: Final = "/en/doc/5d903e848db1d1b83e0ec8f744e55570-0350012021"
_FROZEN: Final = date(2021, 1, 1)
_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NAMES: Final = {
    "Crude oil, average": ("($/bbl)", 40.0, 120.0),
    "Crude oil, Brent": ("($/bbl)", 40.0, 120.0),
    "Crude oil, Dubai": ("($/bbl)", 40.0, 120.0),
    "Crude oil, WTI": ("($/bbl)", 40.0, 120.0),
    "Natural gas, US": ("($/mmbtu)", 2.0, 9.0),
    "Coconut oil": ("($/mt)", 700.0, 2200.0),
    "Groundnut oil **": ("($/mt)", 1200.0, 2200.0),
    "Palm oil": ("($/mt)", 600.0, 1700.0),
    "Palm kernel oil": ("($/mt)", 800.0, 2200.0),
    "Soybeans": ("($/mt)", 350.0, 720.0),
    "Soybean oil": ("($/mt)", 700.0, 1950.0),
    "Soybean meal": ("($/mt)", 300.0, 600.0),
    "Rapeseed oil": ("($/mt)", 800.0, 2100.0),
    "Sunflower oil": ("($/mt)", 800.0, 2300.0),
    "Maize": ("($/mt)", 150.0, 350.0),
    "Wheat, US HRW": ("($/mt)", 180.0, 500.0),
    "DAP": ("($/mt)", 300.0, 950.0),
    "Urea ": ("($/mt)", 200.0, 900.0),
}
_LAG: Final = timedelta(days=36)
_BEGINS: Final = date(1990, 1, 1)


def answer(question: Question, world: World) -> Reply:
    """Return the landing page, or a workbook."""
    if question.path == _LANDING:
        return landing(question)
    if not question.path.endswith(_END):
        return no_such_page(question)
    held = saved(world, "CMO-Historical-Data-Monthly*.xlsx", content_type=_TYPE)
    if held is not None or world.folder is not None:
        return held or no_such_page(question)
    kept_up = question.path.startswith(_THIS_YEAR)
    return Reply(_book(world, world.today if kept_up else _FROZEN), _TYPE)


def landing(_: Question) -> Reply:
    """Return the page that names the workbook."""
    link = f"https://thedocs.worldbank.org{_THIS_YEAR}{_END}"
    page = (
        "<!DOCTYPE html><html><head><title>Commodity Markets</title></head><body>"
        f'<a href="{link}">Monthly prices</a></body></html>\n'
    )
    return text_reply(page, content_type="text/html")


def _book(world: World, last: date) -> bytes:
    values: dict[date, dict[str, float]] = {}
    for name, (_, low, high) in _NAMES.items():
        statistic = Statistic(
            "worldbank", name, low=low, high=high, cadence="monthly", lag=_LAG,
            begins=_BEGINS,
        )  # fmt: skip
        for day, value in world.observations(statistic, first=_BEGINS, last=last):
            values.setdefault(day, {})[name] = value
    newest = max(values, default=_BEGINS)
    return _sheet(newest + _LAG, values)


def _sheet(updated: date, values: dict[date, dict[str, float]]) -> bytes:
    rows: list[list[Cell]] = [
        ["World Bank Commodity Price Data (The Pink Sheet)"],
        ["monthly prices in nominal US dollars, 1990 to present"],
        [f"Updated on {updated:%B %d, %Y}"],
        [],
        [None, *_NAMES],
        [None, *(unit for unit, _, _ in _NAMES.values())],
    ]
    for day, told in values.items():
        cells: list[Cell] = [told.get(name, "…") for name in _NAMES]
        rows.append([f"{day.year}M{day.month:02d}", *cells])
    return workbook({"Monthly Prices": rows})


def empty(question: Question) -> Reply:
    """Return a workbook without a month."""
    if question.path == _LANDING:
        return landing(question)
    return Reply(_sheet(_BEGINS, {}), _TYPE)


SITE: Final = Site(
    hosts=("www.worldbank.org", "thedocs.worldbank.org"),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests", status=429),
)
