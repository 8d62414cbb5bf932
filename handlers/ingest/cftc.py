"""CFTC legacy year files, futures only: every market of a year, one line a week.

The same header stands on files of futures and options together: this cannot tell them
apart, and never tries. Cells are quoted where they hold a comma, and padded with blanks.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache

import polars as pl

from cbi_stream import source
from handlers.ingest.lines import (
    NON_FINITE,
    WHOLE,
    body_of,
    day_of,
    finished,
    matches,
    text_is_bad,
)
from handlers.ingest.table import (
    cells_expected,
    date_expected,
    number_expected,
    unseen_in,
)

_CONTRACT = r"[0-9A-Z+]{1,10}"
_NULLS = (".",)
_TOLD = {
    "market": "Market and Exchange Names",
    "__day": "As of Date in Form YYYY-MM-DD",
    "contract": "CFTC Contract Market Code",
}
_COUNTS = {
    "open_interest": "Open Interest (All)",
    "noncommercial_long": "Noncommercial Positions-Long (All)",
    "noncommercial_short": "Noncommercial Positions-Short (All)",
    "noncommercial_spreading": "Noncommercial Positions-Spreading (All)",
    "commercial_long": "Commercial Positions-Long (All)",
    "commercial_short": "Commercial Positions-Short (All)",
    "reportable_long": "Total Reportable Positions-Long (All)",
    "reportable_short": "Total Reportable Positions-Short (All)",
    "nonreportable_long": "Nonreportable Positions-Long (All)",
    "nonreportable_short": "Nonreportable Positions-Short (All)",
    "traders": "Traders-Total (All)",
}
_COLUMNS = {**_TOLD, **_COUNTS}
_HEADER = ",".join(f'"{name}"' for name in _COLUMNS.values())


def _cells(line: str) -> list[str] | None:
    """Return the cells of one line, trimmed; None where its quotes do not close."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except csv.Error:
        return None


@lru_cache(maxsize=4)
def _places(header: str) -> tuple[int, ...]:
    """Return where the columns stand; empty where the header lacks one of them."""
    found = _cells(header) or []
    once = all(found.count(name) == 1 for name in _COLUMNS.values())
    return tuple(found.index(name) for name in _COLUMNS.values()) if once else ()


def _is_header(header: str) -> bool:
    return bool(_places(header))


@source("cftc", headers=(_HEADER,), recognises=_is_header)
def cftc(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return one row per line: contract, date, market and the counts of the block All."""
    expected = "of a legacy year file (129 quoted names)"
    header, lines = body_of(data, _is_header, expected=expected)
    width = len(_cells(header) or [])
    rows = finished(
        _cut(lines, _places(header), width),
        lambda rule, text: _sentence(rule, text, _places(header), width),
        cells=["market", *_COUNTS],
    )
    return rows.select(
        pl.col("contract").fill_null(""),
        *("line", "date", "market", *_COUNTS, "problem", "text"),
    )


def _cut(lines: pl.DataFrame, places: tuple[int, ...], width: int) -> pl.DataFrame:
    empty = [None] * len(places)
    taken = [
        [cells[i] for i in places] if cells and len(cells) == width else empty
        for cells in map(_cells, lines["text"])
    ]
    schema = dict.fromkeys(_COLUMNS, pl.String)
    cut = pl.concat(
        [lines, pl.DataFrame(taken, schema=schema, orient="row")], how="horizontal"
    )
    contract = pl.when(matches(pl.col("contract"), _CONTRACT)).then("contract")
    return cut.with_columns(date=day_of(pl.col("__day"))).select(
        *("line", "text", "date", "market", *_COUNTS),
        rule=_rule(),
        contract=contract,
    )


def _rule() -> pl.Expr:
    odd = [~(pl.col(n).is_in(_NULLS) | matches(pl.col(n), WHOLE)) for n in _COUNTS]
    tests = {
        "text": text_is_bad() | ~matches(pl.col("contract"), _CONTRACT),
        "cells": pl.col("contract").is_null(),
        "date": pl.col("date").is_null(),
        "non_finite": pl.any_horizontal(
            [matches(pl.col(n), NON_FINITE) for n in _COUNTS]
        ),
        "number": pl.any_horizontal(odd),
    }
    return pl.coalesce(
        *(pl.when(test).then(pl.lit(rule)) for rule, test in tests.items())
    )


def _sentence(rule: str, text: str, places: tuple[int, ...], width: int) -> str:
    cells = _cells(text)
    if cells is None:
        return "expected closed quotes; found one that is open at the end of the line"
    if rule == "cells":
        return cells_expected(width, len(cells))
    if len(cells) != width:
        return unseen_in(text)
    named = dict(zip(_COLUMNS, (cells[i] for i in places), strict=True))
    if rule == "text":
        told = re.fullmatch(_CONTRACT, named["contract"])
        code = f"expected a code like 007601; found {named['contract'][:20]!r}"
        return unseen_in(text) if told else code
    if rule == "date":
        return date_expected(named["__day"])
    name, cell = next(
        (name, named[name])
        for name in _COUNTS
        if named[name] not in _NULLS and not re.fullmatch(WHOLE, named[name])
    )
    return number_expected(name, cell, pattern=WHOLE, nulls=_NULLS)
