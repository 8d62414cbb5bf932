"""What a line of a Commitments of Traders report holds, in all layouts of two reports.

Columns are told by their names, whose capitals, blanks, points and doubled underscores
differ from file to file; what is counted is the same. A file that says of itself that
it is of the other kind (futures only, or with options) is never taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.cells import OPEN_QUOTE
from handlers.ingest.lines import (
    ISO,
    NON_FINITE,
    WHOLE,
    day_of,
    finished,
    matches,
    text_is_bad,
)
from handlers.ingest.table import cells_expected, number_expected, unseen_in

Kind = Literal["futonly", "combined"]
CONTRACT = r"[0-9A-Z+]{6}"
"""Zeros in front belong to it: 7601 is no code."""
KIND = "futonly_or_combined"
_NULLS = (".", "")
_DAYS = (
    (ISO, "%Y-%m-%dT00:00:00.000"),
    ("%m/%d/%Y", "%m/%d/%Y 12:00:00 AM"),
)
"""The agency is American: where the year comes last the month comes first."""
_TOLD = {
    "market": ("market_and_exchange_names",),
    "__day": (
        "as_of_date_in_form_yyyy_mm_dd",
        "report_date_as_yyyy_mm_dd",
        "report_date_as_mm_dd_yyyy",
        "as_of_date_form_mm_dd_yyyy",
    ),
    "contract": ("cftc_contract_market_code",),
}
_LEGACY = {
    "open_interest": ("open_interest_all",),
    "noncommercial_long": (
        "noncommercial_positions_long_all",
        "noncomm_positions_long_all",
    ),
    "noncommercial_short": (
        "noncommercial_positions_short_all",
        "noncomm_positions_short_all",
    ),
    "noncommercial_spreading": (
        "noncommercial_positions_spreading_all",
        "noncomm_postions_spread_all",  # as the agency spells it
        "noncomm_positions_spread_all",
    ),
    "commercial_long": ("commercial_positions_long_all", "comm_positions_long_all"),
    "commercial_short": ("commercial_positions_short_all", "comm_positions_short_all"),
    "reportable_long": (
        "total_reportable_positions_long_all",
        "tot_rept_positions_long_all",
    ),
    "reportable_short": (
        "total_reportable_positions_short_all",
        "tot_rept_positions_short_all",
        "tot_rept_positions_short",
    ),
    "nonreportable_long": (
        "nonreportable_positions_long_all",
        "nonrept_positions_long_all",
    ),
    "nonreportable_short": (
        "nonreportable_positions_short_all",
        "nonrept_positions_short_all",
    ),
    "traders": ("traders_total_all", "traders_tot_all"),
}


def _all(name: str) -> tuple[str, ...]:
    """Return a name with and without `_all`, which the portal leaves out of some."""
    return (f"{name}_all", name)


_DISAGGREGATED = {
    "open_interest": ("open_interest_all",),
    "producer_long": _all("prod_merc_positions_long"),
    "producer_short": _all("prod_merc_positions_short"),
    "swap_long": _all("swap_positions_long"),
    "swap_short": _all("swap_positions_short"),
    "swap_spreading": _all("swap_positions_spread"),
    "managed_long": _all("m_money_positions_long"),
    "managed_short": _all("m_money_positions_short"),
    "managed_spreading": _all("m_money_positions_spread"),
    "other_long": _all("other_rept_positions_long"),
    "other_short": _all("other_rept_positions_short"),
    "other_spreading": _all("other_rept_positions_spread"),
    "reportable_long": _all("tot_rept_positions_long"),
    "reportable_short": _all("tot_rept_positions_short"),
    "nonreportable_long": _all("nonrept_positions_long"),
    "nonreportable_short": _all("nonrept_positions_short"),
    "traders": _all("traders_tot"),
    "managed_traders_long": _all("traders_m_money_long"),
    "managed_traders_short": _all("traders_m_money_short"),
}


@dataclass(frozen=True, slots=True)
class Report:
    """One of the two reports: what it counts, and how its files call that."""

    name: str
    counts: Mapping[str, tuple[str, ...]]
    width: int
    """How many cells a line of its weekly and yearly text has."""
    places: tuple[int, ...]
    """Where the columns stand in a file that has no header: market, day, contract, then
    the counts in their order."""

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Every column that is read, and what it may be called."""
        return {**_TOLD, **self.counts}


LEGACY = Report("legacy", _LEGACY, 129, (0, 2, 3, *range(7, 17), 77))
DISAGGREGATED = Report(
    "disaggregated", _DISAGGREGATED, 191, (0, 2, 3, *range(7, 23), 119, 125, 126)
)
WORDS: dict[Kind, str] = {
    "futonly": "futures only",
    "combined": "futures with options",
}


def plain(name: str) -> str:
    """Return a column's name in small letters, with one underscore between words."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def places_in(names: Sequence[str], report: Report) -> tuple[int, ...]:
    """Return where the columns of a report stand; empty where one is not there once."""
    found = [plain(name) for name in names]
    places = []
    for called in report.columns.values():
        here = [i for i, name in enumerate(found) if name in called]
        if len(here) != 1:
            return ()
        places += here
    return tuple(places)


def cells_of(values: Sequence[str], places: Sequence[int]) -> list[str]:
    """Return the cells that are read of one line, without the blanks around them."""
    return [values[i].strip() for i in places]


def of_this_kind(said: Sequence[str], kind: Kind) -> None:
    """Hold what the lines say of themselves against what the file is taken for.

    Raises:
        BadInput: a line is of the other kind.
    """
    for number, word in enumerate(said, start=1):
        if word and plain(word) != kind:
            msg = (
                f"expected the report of {WORDS[kind]}; found {word!r} in the "
                f"{number}. line of data: hand it in as what it is, with --source"
            )
            raise BadInput(msg)


def rows_of(
    cut: Sequence[Sequence[str] | None],
    lines: pl.DataFrame,
    *,
    report: Report,
    width: int,
) -> pl.DataFrame:
    """Return one row per line: contract, date, market, and the counts as written.

    Args:
        cut: of each line the cells of `report.columns`; None where it cannot be cut.
        lines: `line` and `text` of each, and `width`, the number of its cells.
        report: which of the reports it is.
        width: how many cells each line should have.

    Raises:
        BadInput: more than half of the lines are unreadable.
    """
    names, counts = list(report.columns), list(report.counts)
    empty = [None] * len(names)
    taken = pl.DataFrame(
        [cells or empty for cells in cut],
        schema=dict.fromkeys(names, pl.String),
        orient="row",
    )
    wide = pl.concat([lines.select("line", "text"), taken], how="horizontal")
    contract = pl.when(matches(pl.col("contract"), CONTRACT)).then("contract")
    judged = wide.with_columns(date=_day_in(wide)).select(
        *("line", "text", "date", "market", *counts),
        rule=_rule(counts),
        contract=contract,
    )
    told = dict(zip(lines["text"], zip(cut, lines["width"], strict=True), strict=True))
    rows = finished(
        judged,
        lambda rule, text: _sentence(
            rule, text, *told[text], report=report, expected=width
        ),
        cells=["market", *counts],
    )
    return rows.select(
        pl.col("contract").fill_null(""),
        *("line", "date", "market", *counts, "problem", "text"),
    )


def _day_in(lines: pl.DataFrame) -> pl.Expr:
    """Return the days of lines, in the order of parts in which most of them are written.

    A line of another order has none: 03/04/2024 among days like 2024-04-03 may have
    been written by somebody else.
    """
    year_first, month_first = (
        pl.coalesce(day_of(pl.col("__day"), each) for each in way) for way in _DAYS
    )
    fit = lines.select(a=year_first.count(), b=month_first.count())
    return year_first if fit[0, "a"] >= fit[0, "b"] else month_first


def _rule(counts: Sequence[str]) -> pl.Expr:
    odd = [~(pl.col(n).is_in(_NULLS) | matches(pl.col(n), WHOLE)) for n in counts]
    tests = {
        "text": text_is_bad() | ~matches(pl.col("contract"), CONTRACT),
        "cells": pl.col("contract").is_null(),
        "date": pl.col("date").is_null(),
        "non_finite": pl.any_horizontal(
            [matches(pl.col(n), NON_FINITE) for n in counts]
        ),
        "number": pl.any_horizontal(odd),
    }
    return pl.coalesce(
        *(pl.when(test).then(pl.lit(rule)) for rule, test in tests.items())
    )


def _sentence(
    rule: str,
    text: str,
    cells: Sequence[str] | None,
    width: int | None,
    *,
    report: Report,
    expected: int,
) -> str:
    if width is None:
        return OPEN_QUOTE
    if cells is None:
        if rule != "cells":
            return unseen_in(text)
        return cells_expected(expected, width)
    named = dict(zip(report.columns, cells, strict=True))
    if rule == "text":
        told = re.fullmatch(CONTRACT, named["contract"])
        code = f"expected a code like 007601; found {named['contract'][:20]!r}"
        return unseen_in(text) if told else code
    if rule == "date":
        looks = (
            "expected a day like 2024-01-30 or 01/30/2024, the same way in all lines"
        )
        return f"{looks}; found {named['__day']!r}"
    name, cell = next(
        (name, named[name])
        for name in report.counts
        if named[name] not in _NULLS and not re.fullmatch(WHOLE, named[name])
    )
    return number_expected(name, cell, pattern=WHOLE, nulls=_NULLS)
