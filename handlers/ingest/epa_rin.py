"""What the EPA tells of renewable identification numbers (RINs): prices and quantities.

Prices are a table that a person exports from the agency's page; quantities are a file of
each month. It never sums or weighs: what a file does not say stays unsaid.

A price series is the fuel's code, the kind of quality assurance and how old the RIN is:
`d4.unverified.current` is the price that is quoted, of RINs of the year of the transfer,
`d4.all.all` that of a table that tells neither apart.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.packed import cell_line

_WEEK, _FUEL, _PRICE = "Transfer Date by Week", "Fuel (D Code)", "RIN Price"
_YEARS, _QUALITY = ("Transfer Year", "RIN Year"), "QAP Service Type"
_PRICES = (_WEEK, *_YEARS, _FUEL, _QUALITY, _PRICE)
_GENERATED = (
    "FUEL_CODE",
    "RIN_YEAR",
    "Production Month",
    "RIN_QUANTITY",
    "BATCH_VOLUME",
)
_VOLUMES = ("biodiesel", "renewable_diesel", "co_processing",
            "sustainable_aviation_fuel", "ethanol")  # fmt: skip
_AGES = {0: "current", 1: "prior", 2: "before_prior"}


def _names(header: str) -> list[str]:
    """Return the names of a header's columns; none where it is no such line."""
    try:
        return [cell.strip() for cell in next(csv.reader([header]))]
    except (csv.Error, StopIteration):
        return []


def _lines(
    data: bytes, recognises: Callable[[str], bool], *, expected: str
) -> Iterator[tuple[int, str, dict[str, str] | None]]:
    """Yield each line under the header: number, text, cells by name; None if not so many."""
    header, lines = body_of(data, recognises, expected=expected)
    names = _names(header)
    for line, text in lines.iter_rows():
        cells = [cell.strip() for cell in next(csv.reader([text]))]
        fits = len(cells) == len(names)
        yield line, text, dict(zip(names, cells, strict=True)) if fits else None


def _is_prices(header: str) -> bool:
    names = _names(header)
    needed = {_WEEK, _FUEL, _PRICE}
    return needed <= set(names) <= set(_PRICES) and len(set(names)) == len(names)


@source("epa_rin", headers=(",".join(_PRICES),), recognises=_is_prices)
def prices(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the weekly prices of a table exported by hand; also of an older layout.

    Older tables lack the years or the quality: their prices are of all of them.
    """
    found = Observations()
    for line, text, cells in _lines(data, _is_prices, expected=",".join(_PRICES)):
        if cells is None:
            found.unreadable("", text, _cells_expected(text), line=line)
            continue
        series, problem = _priced(cells)
        day = day_in(cells[_WEEK], "%m/%d/%Y")
        value = cells[_PRICE].removeprefix("$").strip()
        if day is None or day.weekday() != 0:
            problem = f"date: expected a Monday like 7/6/2026; found {cells[_WEEK]!r}"
        elif value and not re.fullmatch(NUMBER, value):
            problem = f"number: expected a price like $0.50; found {cells[_PRICE]!r}"
        if problem is None and day is not None:
            found.add(series, day, value, line=line)
        else:
            found.unreadable(series, text, str(problem), line=line)
    return found.frame(expected="weekly RIN prices")


def _cells_expected(text: str) -> str:
    found = len(next(csv.reader([text])))
    return f"cells: expected as many cells as the header has; found {found}"


def _priced(cells: Mapping[str, str]) -> tuple[str, str | None]:
    """Return the series of a price, and what keeps it from being told."""
    fuel = cells[_FUEL].lower()
    if not re.fullmatch(r"d[3-7]", fuel):
        return "", f"text: expected a fuel code D3 to D7; found {cells[_FUEL]!r}"
    quality = re.sub(r"[^a-z0-9]+", "_", cells.get(_QUALITY, "all").lower()).strip("_")
    age: str | None = "all"
    if all(name in cells for name in _YEARS):
        years = [cells[name] for name in _YEARS]
        if not all(re.fullmatch(r"20\d\d", year) for year in years):
            return "", f"date: expected two years; found {' and '.join(years)}"
        age = _AGES.get(int(years[0]) - int(years[1]))
    if age is None:
        said = f"RIN Year {cells['RIN Year']} in {cells['Transfer Year']}"
        return "", f"date: expected a RIN of that year or the two before; found {said}"
    return f"{fuel}.{quality or 'all'}.{age}", None


def _is_generated(header: str) -> bool:
    return sorted(_names(header)) == sorted(_GENERATED)


@source("epa_rin", headers=(",".join(_GENERATED),), recognises=_is_generated)
def generated(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the RINs generated in each month, and the gallons that they stand for."""
    found = Observations()
    parts = {"RIN_QUANTITY": "generated", "BATCH_VOLUME": "volume"}
    for line, text, cells in _lines(data, _is_generated, expected=",".join(_GENERATED)):
        day, fuel = None, ""
        if cells is not None:
            year, month = cells["RIN_YEAR"], cells["Production Month"]
            day = day_in(f"{year}-{month}", "%Y-%m")
            fuel = cells["FUEL_CODE"]
        if cells is None or day is None or not re.fullmatch(r"[3-7]", fuel):
            problem = "cells: expected a fuel code from 3 to 7, a year and a month"
            found.unreadable("", text, problem, line=cell_line(line, 1))
            continue
        for column, (name, measure) in enumerate(parts.items(), start=4):
            at, value = cell_line(line, column), cells[name]
            _add(found, f"d{fuel}.{measure}", day, value, line=at)
    return found.frame(expected="RINs by month")


def _add(found: Observations, series: str, day: date, value: str, *, line: int) -> None:
    if value and not re.fullmatch(NUMBER, value):
        problem = f"number: expected a number; found {value[:40]!r}"
        found.unreadable(series, value, problem, line=line)
    else:
        found.add(series, day, value, line=line)


def _is_volumes(header: str) -> bool:
    return sorted(_names(header)) == sorted(("month", *_VOLUMES))


@source("epa_rin", headers=(",".join(("month", *_VOLUMES)),), recognises=_is_volumes)
def volumes(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return the monthly volumes of each fuel, compiled by others, thousand gallons."""
    found = Observations()
    for line, text, cells in _lines(data, _is_volumes, expected=",".join(_VOLUMES)):
        day = day_in(cells["month"]) if cells is not None else None
        if cells is None or day is None:
            problem = (
                f"date: expected a day like 2024-01-01 and {len(_VOLUMES)} volumes"
            )
            found.unreadable("", text, problem, line=cell_line(line, 1))
            continue
        for column, name in enumerate(_VOLUMES, start=2):
            at = cell_line(line, column)
            _add(found, f"made.{name}", day.replace(day=1), cells[name], line=at)
    if not len(found):
        msg = "expected months with volumes; found none"
        raise BadInput(msg)
    return found.frame(expected="monthly volumes of fuels")
