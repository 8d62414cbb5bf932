"""The World Bank's Pink Sheet: monthly commodity prices out of its Excel workbook.

Columns are found by their names, never by their places. The newest month carries the
workbook's own date as its stamp; of older months that date says nothing, for they were
out before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl

from cbi_stream import (
    Answer,
    BadInput,
    Poll,
    SourceRefused,
    SourceUnavailable,
    Want,
    connector,
    source,
)
from handlers.ingest.answers import Verdict
from handlers.ingest.observed import Observations, day_in, end_of_day
from handlers.ingest.packed import cell_line, sheets_of

Cells = tuple[str | None, ...]

_LANDING = "https://www.worldbank.org/en/research/commodity-markets"
_LINK = re.compile(
    r"https://thedocs\.worldbank\.org/[^\"'\s<>]*CMO-Historical-Data-Monthly\.xlsx"
)
_NAME = "CMO-Historical-Data-Monthly.xlsx"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)"
_SHEET = "Monthly Prices"
_MONTH = re.compile(r"((?:19|20)\d\d)M(0[1-9]|1[0-2])")
_UPDATED = re.compile(r"Updated on ([A-Z][a-z]+ \d{1,2}, \d{4})")
_MISSING = ("…", "..", "...", "")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,17})?")
_ZONE = "America/New_York"
_FROZEN = timedelta(days=75)
_RESTATED = 3
_TONNE, _BARREL = "($/mt)", "($/bbl)"
_WANTED = {
    "soybean_oil": ("soybean oil", _TONNE),
    "soybeans": ("soybeans", _TONNE),
    "soybean_meal": ("soybean meal", _TONNE),
    "palm_oil": ("palm oil", _TONNE),
    "palm_kernel_oil": ("palm kernel oil", _TONNE),
    "rapeseed_oil": ("rapeseed oil", _TONNE),
    "sunflower_oil": ("sunflower oil", _TONNE),
    "coconut_oil": ("coconut oil", _TONNE),
    "groundnut_oil": ("groundnut oil", _TONNE),
    "maize": ("maize", _TONNE),
    "wheat_us_hrw": ("wheat, us hrw", _TONNE),
    "crude_oil_average": ("crude oil, average", _BARREL),
    "crude_oil_brent": ("crude oil, brent", _BARREL),
    "crude_oil_wti": ("crude oil, wti", _BARREL),
    "natural_gas_us": ("natural gas, us", "($/mmbtu)"),
    "urea": ("urea", _TONNE),
    "dap": ("dap", _TONNE),
}
"""Series, how its column's name begins, and its unit."""


@source(
    "pinksheet",
    form="xlsx",
    headers=(_NAME,),
    recognises=lambda name: name.startswith("CMO-Historical-Data-Monthly"),
)
def pinksheet(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per month and price; `line` is that of a cell.

    Raises:
        BadInput: the sheet, a name, a unit or the day of the update is not there.
    """
    rows = _prices(data)
    at = _names_at(rows)
    places = _places(rows[at], rows[at + 1])
    months = [(n, day) for n, cells in enumerate(rows) if (day := _month(cells[0]))]
    newest = [day for _, day in months[-1 - _RESTATED :]]
    updated = _updated(rows[:at])
    found = Observations()
    for n, day in months:
        # What was out before is stamped too where it may be restated, as a bulk load:
        # then a changed value is known from this workbook on, and an equal one as ever.
        stamp = end_of_day(updated, _ZONE) if day in newest else None
        loaded = None if stamp is None else day != newest[-1]
        for series, column in places.items():
            cell = (rows[n][column] or "").strip()
            line = cell_line(n + 1, column + 1)
            if cell not in _MISSING and not _NUMBER.fullmatch(cell):
                problem = f"number: {series}: expected a price; found {cell[:40]!r}"
                found.unreadable(series, f"{day:%Y-%m} {cell}", problem, line=line)
                continue
            value = "" if cell in _MISSING else cell
            found.add(series, day, value, line=line, stamp=stamp, loaded=loaded)
    return found.frame(expected="months with prices")


def _prices(data: bytes) -> list[Cells]:
    sheets = sheets_of(data)
    if _SHEET not in sheets:
        msg = f"expected the sheet {_SHEET!r}; found {', '.join(sheets)}"
        raise BadInput(msg)
    return sheets[_SHEET]


def _names_at(rows: list[Cells]) -> int:
    """Return the row of the names: the last one in which a name stands over a unit."""
    for n, (cells, below) in enumerate(pairwise(rows)):
        if any((name or "").startswith("Crude oil") for name in cells) and any(
            (unit or "").strip().startswith("($/") for unit in below
        ):
            return n
    msg = f"expected a row of names over a row of units like {_TONNE}; found none"
    raise BadInput(msg)


def _places(names: Cells, units: Cells) -> dict[str, int]:
    """Return the column of each series, by the beginning of its name."""
    plain = [" ".join((name or "").lower().split()) for name in names]
    found = {}
    for series, (begins, unit) in _WANTED.items():
        at = [n for n, name in enumerate(plain) if name.startswith(begins)]
        if len(at) != 1:
            msg = f"expected one column {begins!r}; found {len(at)} in {plain[:80]}"
            raise BadInput(msg)
        if (units[at[0]] or "").strip() != unit:
            msg = f"expected {begins!r} in {unit}; found {units[at[0]]!r}"
            raise BadInput(msg)
        found[series] = at[0]
    return found


def _month(cell: str | None) -> date | None:
    match = _MONTH.fullmatch((cell or "").strip())
    return date(int(match[1]), int(match[2]), 1) if match else None


def _updated(rows: list[Cells]) -> date:
    said = " ".join(cell for cells in rows for cell in cells if cell)
    match = _UPDATED.search(said)
    day = day_in(match[1], "%B %d, %Y") if match else None
    if day is None:
        msg = (
            f"expected 'Updated on November 04, 2025' or the like; found {said[:200]!r}"
        )
        raise BadInput(msg)
    return day


@connector("pinksheet")
def asked(poll: Poll) -> Iterator[Want]:
    """Ask the landing page for the workbook's address, which changes every year."""

    def linked(answer: Answer) -> Iterable[Want]:
        page = answer.data.decode("utf-8", errors="replace")
        found = _LINK.search(page)
        url = found[0] if found else poll.source.fetch.options["pinned"]
        yield Want(_NAME, str(url), expect="xlsx", judge=judged)

    yield Want(
        "pinksheet_landing.html",
        _LANDING,
        headers={"User-Agent": _BROWSER},
        expect="page",
        follow=linked,
        lands=False,
    )


def judged(answer: Answer) -> Verdict:
    """Refuse a workbook that nobody writes any more: its old address still answers.

    Raises:
        SourceUnavailable: its newest month began more than 75 days ago.
        SourceRefused: it has no such sheet.
    """
    try:
        rows = _prices(answer.data)
        months = [day for cells in rows if (day := _month(cells[0]))]
        below = rows[_names_at(rows) + 3 :]  # names, units, and in some editions codes
    except BadInput as error:
        msg = f"pinksheet: {error}"
        raise SourceRefused(msg) from None
    if not months and not any(any(cells) for cells in below):
        return "empty"
    if not months:
        msg = f"pinksheet: expected months like 2024M05 in front; found {below[0][:3]}"
        raise SourceRefused(msg)
    newest = max(months)
    today: datetime = answer.fetched_at
    if newest < today.date() - _FROZEN:
        msg = (
            f"pinksheet: expected a month of the last {_FROZEN.days} days; the newest is "
            f"{newest:%Y-%m}: the address answers with a workbook that is not kept up"
        )
        raise SourceUnavailable(msg)
    return "data"
