"""Lines without quotes, a date and cells of numbers each, read as columns of text.

It never turns a cell into a number, and never fills one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from handlers.ingest.lines import (
    COUNT,
    ISO,
    NON_FINITE,
    NUMBER,
    WHOLE,
    day_of,
    finished,
    matches,
    text_is_bad,
)

_TRIMMED = " \t"
_SHOWN = 40
_WHAT = {
    WHOLE: "a whole number",
    COUNT: "a whole number",
    NUMBER: "a number like 1234.5",
}


def table_of(
    lines: pl.DataFrame,
    *,
    columns: Mapping[str, str],
    nulls: tuple[str, ...],
    date_format: str = ISO,
) -> pl.DataFrame:
    """Return the rows of lines: line, date, cells, problem, text.

    Args:
        lines: what `body_of` gave.
        columns: names for the cells after the date, and what each must look like
            (NUMBER or WHOLE).
        nulls: what a cell may say instead of a number.
        date_format: the one format of the dates, with %Y, %m and %d.

    Raises:
        BadInput: more than half of the lines are unreadable.
    """
    dialect = _Dialect(columns, nulls, date_format)
    rows = finished(dialect.cut(lines), dialect.sentence, cells=list(columns))
    return rows.select("line", "date", *columns, "problem", "text")


@dataclass(frozen=True, slots=True)
class _Dialect:
    """One way to write lines: which cells, in which form."""

    columns: Mapping[str, str]
    nulls: tuple[str, ...]
    date_format: str

    def cut(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Return the lines with their cells, their date, and the rule each breaks."""
        names = ["__day", *self.columns]
        parts = pl.col("text").str.split_exact(",", len(self.columns))
        cut = lines.with_columns(parts.struct.rename_fields(names).alias("__cells"))
        cut = cut.unnest("__cells").with_columns(
            pl.col(names).str.strip_chars(_TRIMMED)
        )
        day = day_of(pl.col("__day"), self.date_format)
        dated = cut.with_columns(date=day)
        return dated.select("line", "text", "date", *self.columns, rule=self._rule())

    def _rule(self) -> pl.Expr:
        commas = pl.col("text").str.count_matches(",", literal=True)
        endless = [matches(pl.col(n), NON_FINITE) for n in self.columns]
        odd = [
            ~(pl.col(n).is_in(list(self.nulls)) | matches(pl.col(n), pattern))
            for n, pattern in self.columns.items()
        ]
        tests = {
            "text": text_is_bad(),
            "cells": commas != len(self.columns),
            "date": pl.col("date").is_null(),
            "non_finite": pl.any_horizontal(endless),
            "number": pl.any_horizontal(odd),
        }
        return pl.coalesce(
            *(pl.when(test).then(pl.lit(rule)) for rule, test in tests.items())
        )

    def sentence(self, rule: str, text: str) -> str:
        """Return what was expected of a line, and what was found."""
        cells = [cell.strip(_TRIMMED) for cell in text.split(",")]
        if rule == "text":
            return unseen_in(text)
        if rule == "cells":
            return cells_expected(len(self.columns) + 1, len(cells))
        if rule == "date":
            return date_expected(cells[0], self.date_format)
        for (name, pattern), cell in zip(self.columns.items(), cells[1:], strict=True):
            if cell not in self.nulls and not re.fullmatch(pattern, cell):
                return number_expected(name, cell, pattern=pattern, nulls=self.nulls)
        raise AssertionError(rule, text)


def unseen_in(text: str) -> str:
    """Return the sentence about a line with a character that nobody sees."""
    kinds = {"Cc", "Cf", "Co", "Zl", "Zp"}
    for place, character in enumerate(text, start=1):
        if character != "\t" and unicodedata.category(character) in kinds:
            found = f"U+{ord(character):04X} as character {place}"
            return f"expected plain characters; found {found}"
    return f"expected a line of data; found one of {len(text)} characters"


def cells_expected(expected: int, found: int) -> str:
    """Return the sentence about a line with another number of cells."""
    return f"expected {expected} cells; found {found}"


def date_expected(cell: str, date_format: str = ISO) -> str:
    """Return the sentence about a cell that holds no date."""
    parts = {"%Y": "2024", "%m": "01", "%d": "31"}
    shown = date_format
    for part, digits in parts.items():
        shown = shown.replace(part, digits)
    return f"expected a day like {shown}, from 1900 to 2100; found {cell[:_SHOWN]!r}"


def number_expected(
    name: str, cell: str, *, pattern: str, nulls: tuple[str, ...]
) -> str:
    """Return the sentence about a cell that holds no number."""
    words = " or ".join("nothing" if null == "" else repr(null) for null in nulls)
    what = _WHAT.get(pattern, pattern)
    return f"{name}: expected {what}, or {words}; found {cell[:_SHOWN]!r}"
