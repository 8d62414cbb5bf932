"""Numbers that a person wrote down, each with its unit, when it was out, and where.

Two sources have such files: `policy_rates` (rates by the day from which they hold) and
`desk` (numbers that no free source gives). It converts no unit: the unit is a part of
the series' name, so that a number in another unit is never taken for the series.
"""

from __future__ import annotations

import re

import polars as pl

from cbi_stream import source
from handlers.ingest import named_cells, stated_times
from handlers.ingest.observed import Observations, day_in
from handlers.ingest.table import date_expected

_RATES = ("series", "effective_date", "value", "unit", "announced_at", "citation")
_DESK = ("series", "date", "value", "unit", "published_at", "citation")


@source("policy_rates", headers=(",".join(_RATES),), recognises=named_cells.has(_RATES))
def policy_rates(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return rates by the day from which they hold, cells as written."""
    return _rows(data, _RATES, expected="dated rates of policies")


@source("desk", headers=(",".join(_DESK),), recognises=named_cells.has(_DESK))
def desk(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return dated numbers of any registered series, cells as written."""
    return _rows(data, _DESK, expected="dated numbers")


def named(series: str, unit: str) -> str:
    """Return the series' id: its name and its unit, in lower case."""
    words = re.sub(r"[^a-z0-9]+", "_", unit.strip().lower()).strip("_")
    name = series.strip().lower()
    return name if name.endswith(f"_{words}") else f"{name}_{words}"


def _rows(data: bytes, columns: tuple[str, ...], *, expected: str) -> pl.DataFrame:
    _, day_column, _, _, stamp_column, _ = columns
    found = Observations()
    for line in named_cells.lines_of(data, columns):
        problem = line.problem or _problem(line.cells, day_column, stamp_column)
        if problem:
            found.unreadable("", line.text, problem, line=line.number)
            continue
        day = day_in(line.cells[day_column])
        assert day is not None, "a line without it has a problem"
        found.add(
            named(line.cells["series"], line.cells["unit"]),
            day,
            line.cells["value"],
            line=line.number,
            stamp=stated_times.instant_in(line.cells[stamp_column]),
        )
    return found.frame(expected=expected)


def _problem(cells: dict[str, str], day: str, stamp: str) -> str | None:
    """Return what keeps a line from being a dated, cited number with a unit."""
    for name in ("series", "unit", "citation"):
        if not cells[name]:
            return f"text: expected {name}; found nothing"
    if day_in(cells[day]) is None:
        return f"date: {day}: {date_expected(cells[day])}"
    if stated_times.instant_in(cells[stamp]) is None:
        found = cells[stamp][:40]
        return f"date: {stamp}: expected {stated_times.EXPECTED}; found {found!r}"
    return named_cells.not_a_number("value", cells["value"])
