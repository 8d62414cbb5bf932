"""MPOB's monthly tables of palm oil: its own Excel tables, or a CSV that a person types.

A month that is not published yet stands there as 0: it is left out, and never becomes a
number. Years stand in the title only, and the last month in the title or over the total.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import body_of, has_columns
from handlers.ingest.observed import Observations, day_in, instant
from handlers.ingest.packed import cell_line, sheets_of

Cells = tuple[str | None, ...]

_FILES = re.compile(
    r"(?i)(mpob.*|(exports?|imports?|stocks?|production)\b.*\b(19|20)\d\d\b.*)\.xlsx"
)
_KINDS = {
    "EXPORT": "exports",
    "IMPORT": "imports",
    "STOCK": "stocks",
    "PRODUCTION": "production",
}
_MONTHS = (
    "JAN",
    "FEB",
    "MAR",
    "APR",
    "MAY",
    "JUN",
    "JUL",
    "AUG",
    "SEP",
    "OCT",
    "NOV",
    "DEC",
)
_YEAR = re.compile(r"(?:19|20)\d\d")
_UNTIL = re.compile(r"FOR THE MONTH OF ([A-Z]{3})[A-Z]* ((?:19|20)\d\d)")
_TOTAL = re.compile(r"(?:[A-Z ]*\b)?JAN[A-Z]* ?(?:- ?([A-Z]{3})[A-Z]*)?")
_REGIONS = ("PENINSULAR", "SABAH", "SARAWAK")
_UNITS = {"TONNES": "tonnes", "RM MIL": "rm_million"}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


@source(
    "mpob",
    form="xlsx",
    headers=("Exports 2026.xlsx",),
    recognises=lambda name: bool(_FILES.fullmatch(name)),
)
def mpob(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per month and figure; `line` is that of a cell.

    Raises:
        BadInput: no table of MPOB stands in it.
    """
    rows = next(iter(sheets_of(data).values()))
    title = _plain(rows[0][0]) if rows and rows[0] else ""
    kind = next((found for word, found in _KINDS.items() if word in title), None)
    if kind is None or "PALM" not in title:
        msg = f"expected a title like MONTHLY EXPORT OF OIL PALM PRODUCTS - 2026; found {title!r}"
        raise BadInput(msg)
    found = Observations()
    heads = [n for n, cells in enumerate(rows) if sum(map(_is_month, cells)) >= 2]
    for n, end in zip(heads, [*heads[1:], len(rows)], strict=False):
        table = _Table(rows, n, kind, title)
        table.read(found, end)
    if not len(found):
        msg = f"expected months under the title {title!r}; found none"
        raise BadInput(msg)
    return found.frame(expected="figures of palm oil")


def _plain(cell: str | None) -> str:
    return " ".join((cell or "").upper().split())


def _is_month(cell: str | None) -> bool:
    return (
        bool(re.fullmatch(r"[A-Z]{3,9}", _plain(cell))) and _plain(cell)[:3] in _MONTHS
    )


class _Table:
    """One table of a sheet: its months, and up to which of them it is published."""

    def __init__(self, rows: list[Cells], at: int, kind: str, title: str) -> None:
        self.rows, self.at, self.kind = rows, at, kind
        self.pairs = [
            bool(_YEAR.fullmatch((c or "").strip())) for c in rows[at + 1]
        ].count(True) > 2
        self.units = _plain(rows[at][1]) == "UNIT"
        self.months = dict(self._months(title))
        self.until = self._until(title)

    def _months(self, title: str) -> Iterator[tuple[int, date]]:
        """Yield the column and the month of each; a month may be of two years."""
        years = _YEAR.findall(title)
        head = self.rows[self.at]
        for column, cell in enumerate(head):
            if not _is_month(cell):
                continue
            month = _MONTHS.index(_plain(cell)[:3]) + 1
            if not self.pairs:
                yield column, date(int(years[-1]), month, 1)
                continue
            for beside in (column, column + 1):
                year = (self.rows[self.at + 1][beside] or "").strip()
                if not _YEAR.fullmatch(year):
                    msg = f"row {self.at + 2}: expected a year under {cell}; found {year!r}"
                    raise BadInput(msg)
                yield beside, date(int(year), month, 1)

    def _until(self, title: str) -> date:
        """Return the last month that is published."""
        named = _UNTIL.search(title)
        if named:
            return date(int(named[2]), _MONTHS.index(named[1]) + 1, 1)
        newest = max(self.months.values())
        for cell in self.rows[self.at]:
            match = _TOTAL.fullmatch(_plain(cell))
            if match and match[1] in _MONTHS:
                return newest.replace(month=_MONTHS.index(match[1]) + 1)
        msg = f"row {self.at + 1}: expected a total like JAN - AUG; found {self.rows[self.at]}"
        raise BadInput(msg)

    def read(self, found: Observations, end: int) -> None:
        """Add the figures of the rows down to `end`."""
        heading, product = "", ""
        for n in range(self.at + 1 + self.pairs, end):
            cells = self.rows[n]
            label = _plain(cells[0])
            product = label or product
            if label and not any(cells[1:]):
                heading = label
            if not any(cells[c] for c in self.months):
                continue
            unit = _UNITS.get(_plain(cells[1])) if self.units else "tonnes"
            name = f"{heading} {label}" if label in _REGIONS and heading else product
            slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
            series = f"{self.kind}.{slug}.{unit}" if unit else ""
            for column, month in self.months.items():
                self._add(found, series, n, column, month)

    def _add(
        self, found: Observations, series: str, n: int, column: int, month: date
    ) -> None:
        value = (self.rows[n][column] or "").strip()
        line = cell_line(n + 1, column + 1)
        zero = _NUMBER.fullmatch(value) and float(value) == 0
        if month > self.until and (zero or not value):
            return  # not published yet
        if month > self.until:
            problem = f"month: expected figures up to {self.until:%Y-%m}; found {value}"
            found.unreadable(series, f"{month:%Y-%m} {value}", problem, line=line)
        elif not series:
            problem = f"unit: expected {' or '.join(_UNITS)}; found {self.rows[n][1]!r}"
            found.unreadable("", f"{month:%Y-%m} {value}", problem, line=line)
        else:
            found.add(series, month, value, line=line)


_CSV = {
    "production_cpo_t": "production.malaysia.tonnes",
    "exports_po_t": "exports.palm_oil.tonnes",
    "imports_t": "imports.palm_oil.tonnes",
    "closing_stock_t": "stocks.total_palm_oil.tonnes",
}
_HEADER = ("month", *_CSV, "published_on")
_IS_HEADER = has_columns(*_HEADER)


@source("mpob", headers=(",".join(_HEADER),), recognises=_IS_HEADER)
def typed(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per month and figure of the CSV for typing; `line` as in a sheet."""
    _, lines = body_of(data, _IS_HEADER, expected=",".join(_HEADER))
    found = Observations()
    for number, text in lines.select("line", "text").iter_rows():
        cells = [cell.strip() for cell in next(csv.reader([text]), [])]
        month = day_in(f"{cells[0]}-01") if cells else None
        published = day_in(cells[-1]) if cells else None
        if len(cells) != len(_HEADER) or month is None or published is None:
            problem = (
                f"cells: expected {len(_HEADER)} cells, a month like 2024-05 and a day "
                f"of publication like 2024-06-10; found {text[:80]!r}"
            )
            found.unreadable("", text, problem, line=cell_line(number, 1))
            continue
        stamp = instant(published, "12:30", "Asia/Kuala_Lumpur")
        for at, (name, series) in enumerate(_CSV.items(), start=1):
            line = cell_line(number, at + 1)
            if not _NUMBER.fullmatch(cells[at]) and cells[at]:
                problem = f"number: {name}: expected tonnes; found {cells[at]!r}"
                found.unreadable(series, text, problem, line=line)
            else:
                found.add(series, month, cells[at], line=line, stamp=stamp)
    return found.frame(expected="months with figures")
