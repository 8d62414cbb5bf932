"""Bars of any vendor that writes them as lines: cells by the names of their columns.

It never fills, rounds or rescales a price; a line that cannot be read stays a row, with
its problem. Columns may stand in any order; one that is missing refuses the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from cbi_stream import BadInput
from handlers.ingest import days
from handlers.ingest.lines import body_of, finished, text_is_bad, text_of
from handlers.ingest.numerals import Point, plain, whole
from handlers.ingest.table import cells_expected, unseen_in

PRICES = ("open", "high", "low", "close", "adj_close")
COUNTS = ("volume", "open_interest")
_SHOWN = 40


def is_blank(cells: Sequence[str]) -> bool:
    """Return whether nothing stands in a line but commas."""
    return not any(cells)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one vendor writes bars."""

    names: Mapping[str, str]
    """The header's name of the date and of each cell that is taken: {"close": "Last"}."""
    dates: tuple[str, ...] = (days.ISO,)
    """The ways in which its dates may be written: see `days`."""
    nulls: tuple[str, ...] = ("",)
    """What a cell may say instead of a number."""
    point: Point = "."
    separator: str = ","
    passed: Callable[[Sequence[str]], bool] = is_blank
    """Which lines are none of data, by their cells: a footer, rows of commas."""
    tidy: Callable[[str], str] = field(default=str)
    """What is done to a date cell before it is read: midnight taken off."""


def cells_of(text: str, separator: str = ",") -> list[str]:
    """Return the cells of a line, with blanks around them and quotes taken off."""
    if '"' not in text:
        return [cell.strip() for cell in text.split(separator)]
    try:
        (cells,) = csv.reader([text], delimiter=separator, strict=True)
    except (csv.Error, ValueError):
        return [text]
    return [cell.strip() for cell in cells]


def named(*names: str, separator: str = ",") -> Callable[[str], bool]:
    """Return a test for a header with exactly these columns, in any order."""
    return lambda header: sorted(cells_of(header, separator)) == sorted(names)


def bars_of(
    data: bytes,
    symbol: str | None,
    layout: Layout,
    *,
    recognises: Callable[[str], bool],
    expected: str,
) -> pl.DataFrame:
    """Return the bars of one symbol's file, numbers in plain notation.

    Args:
        data: the file.
        symbol: what it is about.
        layout: how its vendor writes.
        recognises: whether a line is the header.
        expected: how the header looks, for messages.

    Raises:
        BadInput: it is no such file, its dates are ambiguous, or most of it cannot be
            read.
    """
    header, lines = body_of(data, recognises, expected=expected)
    rows = read(header, lines, layout, stated=days.remark(text_of(data)))
    return rows.select(pl.lit(symbol, pl.String).alias("symbol"), pl.all())


def read(
    header: str, lines: pl.DataFrame, layout: Layout, *, stated: str | None = None
) -> pl.DataFrame:
    """Return the rows of lines under a header: line, date, cells, problem, text.

    Raises:
        BadInput: a column is missing, dates are ambiguous, or most lines are unreadable.
    """
    names = cells_of(header, layout.separator)
    absent = [name for name in layout.names.values() if name not in names]
    if absent:
        msg = f"expected the column {absent[0]!r}; found {', '.join(names)}"
        raise BadInput(msg)
    cut = [cells_of(text, layout.separator) for text in lines["text"]]
    kept = [i for i, cells in enumerate(cut) if not layout.passed(cells)]
    cut, lines = [cut[i] for i in kept], lines[kept]
    place = {column: names.index(name) for column, name in layout.names.items()}
    at = place.pop("date")
    whens = [layout.tidy(cells[at]) if at < len(cells) else "" for cells in cut]
    way, found = days.days_of(whens, known=layout.dates, stated=stated)
    judged = [
        _row(cells, day, place, layout=layout, width=len(names))
        for cells, day in zip(cut, found, strict=True)
    ]
    table = lines.select("line", "text").with_columns(
        pl.Series("date", [row.pop("date") for row in judged], dtype=pl.Date),
        pl.Series("rule", [row.pop("rule") for row in judged], dtype=pl.String),
        *(
            pl.Series(column, [row.get(column) for row in judged], dtype=pl.String)
            for column in place
        ),
    )
    table = table.with_columns(
        rule=pl.when(text_is_bad()).then(pl.lit("text")).otherwise("rule")
    )

    def sentence(rule: str, text: str) -> str:
        return _sentence(rule, text, layout, names=names, way=way)

    done = finished(table, sentence, cells=list(place))
    return done.select("line", "date", *place, "problem", "text")


def _row(
    cells: Sequence[str],
    day: object,
    place: Mapping[str, int],
    *,
    layout: Layout,
    width: int,
) -> dict[str, object]:
    """Return the cells of a line in plain notation, or the rule that it breaks."""
    if len(cells) != width:
        return {"date": None, "rule": "cells"}
    if day is None:
        return {"date": None, "rule": "date"}
    row: dict[str, object] = {"date": day, "rule": None}
    for column, at in place.items():
        number = _number(column, cells[at], layout)
        if number is None:
            return {"date": day, "rule": "number"}
        row[column] = number
    return row


def _number(column: str, cell: str, layout: Layout) -> str | None:
    if cell in layout.nulls:
        return cell
    return (whole if column in COUNTS else plain)(cell, layout.point)


def _sentence(
    rule: str, text: str, layout: Layout, *, names: Sequence[str], way: str
) -> str:
    cells = cells_of(text, layout.separator)
    if rule == "text":
        return unseen_in(text)
    if rule == "cells":
        return cells_expected(len(names), len(cells))
    if rule == "date":
        found = cells[names.index(layout.names["date"])][:_SHOWN]
        return f"expected a day like {way}, from 1900 to 2100; found {found!r}"
    for column, name in layout.names.items():
        cell = cells[names.index(name)]
        if column != "date" and _number(column, cell, layout) is None:
            what = (
                "a whole number"
                if column in COUNTS
                else f"a number like 1234{layout.point}5"
            )
            return f"{column}: expected {what}; found {cell[:_SHOWN]!r}"
    raise AssertionError(rule, text)
