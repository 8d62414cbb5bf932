"""Looks at the values of single columns: dead, constant, filled in, frozen, broken off.

It never says what the value should have been.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.finding import (
    Finding,
    Weight,
    amount,
    listed,
    named,
    number,
    some,
    stretch,
)
from cbi_stream.audit.sheet import DAY, KEY, Sheet
from cbi_stream.audit.vocabulary import plain

_FEWEST = 20
# A quarter of a year: what stands still as long while time goes on was never looked up
# again (a market value, a price to earnings).
_STILL_DAYS, _STILL_ROWS = 90, 60
# A measured value repeats itself; a value that fills a fifth of a column of many other
# values, five times as often as the next, was put there.
_SHARE, _TIMES, _OTHERS = 0.2, 5, 20
_SENTINELS = (-9999.0, -999.0, -99.0, 999.0, 9999.0, 99999.0, -1e9, 1e9)
# A sentinel lies this many times the usual distance off the middle.
_OUTSIDE = 20
_BROKEN_OFF = 3
# Two weeks of sessions without a move, in a series that moves on four rows of five; a
# rate that is set by somebody stands still for a year, and rightly.
_STALE, _MOVES = 10, 0.8
_FROZEN, _JUMP = 5, 0.1
_DEAD_SHARE = 0.05


def dead(sheet: Sheet) -> Iterator[Finding]:
    """Find columns without any value, and columns in which nothing but 0 stands."""
    if sheet.frame.height == 0 or not sheet.numbers:
        return
    asked = [*sheet.numbers, *sheet.texts, *sheet.bookkeeping]
    empty = [c for c in asked if sheet.frame[c].null_count() == sheet.frame.height]
    if empty:
        weight: Weight = "note"
        if not any(sheet.frame[c].count() for c in sheet.numbers):
            weight = "archive"
        said = f"{len(empty)} of {len(asked)} columns have no value: {listed(empty)}"
        yield Finding("empty column", weight, said, len(empty), tuple(empty))
    if sheet.frame.height < _FEWEST:
        return
    nil = [
        c
        for c in sheet.numbers
        if sheet.frame[c].count() >= _FEWEST
        and (sheet.frame[c].drop_nulls() == 0).all()
    ]
    lawful = [c for c in nil if words.MAY_BE_ZERO.search(plain(c))]
    wrong = [c for c in nil if c not in lawful]
    if lawful:
        said = f"0 on every row: {listed(lawful)}"
        yield Finding("zero column", "note", said, len(lawful), tuple(lawful))
    if wrong:
        said = (
            f"0.0 on all {sheet.frame.height} rows, as if nothing had been filled in: "
            f"{listed(wrong)}"
        )
        # In a wide table of many series a column of zeros may be true.
        weight = (
            "replace"
            if len(sheet.numbers) < 100 or len(wrong) > _DEAD_SHARE * len(sheet.numbers)
            else "note"
        )
        yield Finding("zero column", weight, said, len(wrong), tuple(wrong))


def constant(sheet: Sheet) -> Iterator[Finding]:
    """Find columns that hold one value while time goes on: a snapshot, no history."""
    if not sheet.has_dates:
        return
    span = (pl.col(DAY).max() - pl.col(DAY).min()).dt.total_days()
    asked = [c for c in sheet.numbers if sheet.frame[c].count() >= _FEWEST]
    told = sheet.frame.group_by(KEY, maintain_order=True).agg(
        pl.len().alias("_rows"),
        span.alias("_span"),
        *(pl.col(c).drop_nulls().n_unique() for c in asked),
    )
    long = told.filter(pl.col("_rows") >= _STILL_ROWS, pl.col("_span") >= _STILL_DAYS)
    if not long.height:
        return
    for column in asked:
        seen = long.filter(pl.col(column) > 0)
        values = sheet.frame[column].drop_nulls()
        if not seen.height or (seen[column] > 1).any() or (values == 0).all():
            continue
        first, n = values[0], seen.height
        said = (
            f"{column} never changes in {n} series of "
            f"{stretch(sheet.frame[DAY])} ({number(first)}): a snapshot, no history"
        )
        yield Finding("snapshot", "replace", said, int(seen["_rows"].sum()), (column,))


def filled_in(sheet: Sheet) -> Iterator[Finding]:
    """Find one value that fills a suspicious share of a column, and words for missing."""
    for column in sheet.numbers:
        values = sheet.frame[column].drop_nulls()
        if values.len() < _FEWEST:
            continue
        yield from _sentinels(sheet, column, values)
        counts = values.value_counts(sort=True).head(2)
        if counts.height < 2 or values.n_unique() < _OTHERS:
            continue
        value, times = counts.row(0)
        next_ = counts.row(1)[1]
        ends = value in (values.min(), values.max(), 0.0)
        if ends or times < _SHARE * values.len() or times < _TIMES * next_:
            continue
        where = sheet.frame.filter(pl.col(column) == value)[DAY]
        said = (
            f"{column} is exactly {number(value)} on {times} of {values.len()} rows "
            f"({times / values.len():.0%}); the next value stands on {next_}"
        )
        yield Finding("placeholder", "replace", said, times, (column,), some(where))


def _sentinels(sheet: Sheet, column: str, values: pl.Series) -> Iterator[Finding]:
    """Find -999 and its like, far outside of all other values."""
    others = values.filter(~values.is_in(_SENTINELS))
    if others.len() == values.len() or others.len() < _FEWEST:
        return
    middle = amount(others.median())
    usual = amount((others - middle).abs().median())
    far = values.filter(
        values.is_in(_SENTINELS) & ((values - middle).abs() > max(_OUTSIDE * usual, 1))
    )
    low, high = amount(others.min()), amount(others.max())
    far = far.filter((far < low) | (far > high))
    if far.len():
        shown = ", ".join(number(v) for v in far.unique().sort())
        where = sheet.frame.filter(pl.col(column).is_in(far.unique().to_list()))[DAY]
        said = (
            f"{column} holds {shown} on {far.len()} rows, far outside {number(low)} "
            f"to {number(high)}: a word for missing"
        )
        yield Finding("sentinel", "replace", said, far.len(), (column,), some(where))


def broken_off(sheet: Sheet) -> Iterator[Finding]:
    """Find ends of series at which nothing moves any more, or everything is 0."""
    if not sheet.has_dates:
        return
    for key, rows in sheet.keys:
        if rows.height < _FEWEST:
            continue
        once = rows.unique(DAY, keep="last", maintain_order=True)
        for column in sheet.numbers:
            if words.MAY_BE_ZERO.search(plain(column)):
                continue
            seen = once.select(DAY, column).drop_nulls()
            if seen.height >= _FEWEST:
                yield from _tail(key, column, seen)


def _tail(key: str, column: str, seen: pl.DataFrame) -> Iterator[Finding]:
    runs = seen[column].rle_id().value_counts().sort(column)["count"]
    last, others = int(runs[-1]), runs[:-1]
    if others.len() < 3 or last < _BROKEN_OFF:
        return
    value, start = float(seen[column][-1]), seen[DAY][seen.height - last]
    usual = int(amount(others.max()))
    zeros = int((seen[column][: seen.height - last] == 0).sum())
    if value == 0 and not zeros:
        said = (
            f"{named(key)}{column} is 0 on the last {last} rows, from {start} on, and "
            "never before"
        )
        yield Finding("zero tail", "replace", said, last, (column,), (str(start),))
    elif value != 0 and last >= _STALE and last >= 3 * usual and _moves(others):
        said = (
            f"{named(key)}{column} stands at {number(value)} on the last {last} rows, "
            "from "
            f"{start} on; before, it never stood still for more than {usual}"
        )
        yield Finding("stale tail", "replace", said, last, (column,), (str(start),))


def _moves(runs: pl.Series) -> bool:
    """Return whether a series takes another value on most of its rows."""
    return runs.len() >= _MOVES * amount(runs.sum())


def frozen(sheet: Sheet) -> Iterator[Finding]:
    """Find later rows that carry the very first row's values, with a jump to them."""
    if not sheet.has_dates:
        return
    for key, rows in sheet.keys:
        for column in sheet.numbers if rows.height >= 5 * _FEWEST else ():
            seen = rows.select(DAY, column).drop_nulls()
            if seen.height < 5 * _FEWEST or seen[column].n_unique() < _FEWEST:
                continue
            first = float(seen[column][0])
            if first == 0:
                continue
            # The series must have left its first value before it can come back to it.
            later = seen.slice(_FEWEST)
            before = (
                pl.when(pl.col(column) != first).then(pl.col(column)).forward_fill()
            )
            jump = (before - first).abs() > _JUMP * abs(first)
            back = later.filter(pl.col(column) == first, jump)
            others = later[column].value_counts().filter(pl.col(column) != first)
            # A coarse measure comes back to all its values; a stuck one to this alone.
            if back.height >= max(_FROZEN, 3 * amount(others["count"].max())):
                said = (
                    f"{named(key)}{column} is {number(first)}, the value of its first "
                    "row, on "
                    f"{back.height} later rows, each with a jump of more than "
                    f"{_JUMP:.0%}: "
                    f"{listed(back[DAY].to_list())}"
                )
                yield Finding(
                    "frozen at the first",
                    "replace",
                    said,
                    back.height,
                    (column,),
                    some(back[DAY]),
                )


def odd_cells(sheet: Sheet) -> Iterator[Finding]:
    """Say which cells in columns of numbers are none."""
    for column, cells in sheet.odd.items():
        said = (
            f"{column} holds cells that are no numbers: "
            f"{', '.join(repr(c) for c in cells)}"
        )
        yield Finding("odd cells", "note", said, len(cells), (column,), cells)
