"""Finds values that nobody measured: sources that say so, ladders, exact shares.

It never calls a number wrong because it is unusual: each sign is one that no
measurement leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

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
from cbi_stream.audit.sheet import DAY, KEY, MOMENT, Sheet
from cbi_stream.audit.vocabulary import plain

_HOLLOW_SHARE = 0.25
# Eight equal steps in a row: no price, no count of a market makes them.
_LADDER = 8
_SHARES = 10
# Known conversions are no inventions: powers of ten, inches, tonnes and bushels.
_CONVERSIONS = (
    10.0,
    100.0,
    1000.0,
    25.4,
    2.54,
    36.7437,
    39.3679,
    2.20462,
    12.0,
    7.0,
    52.0,
    4.0,
)
# Days between publications; no calendar has a step of 30 days.
_STEPS = {1, 2, 3, 4, 5, 6, 7, 14, 28, 91, 182, 364, 365, 366}
_FEW_ROWS = 60
_DIGITS = 10
_HALF = 50.0
_PER_CENT = 100.0


def invented(sheet: Sheet) -> Iterator[Finding]:
    """Find sources that call themselves made up, and texts of unfilled templates."""
    for column in [*sheet.bookkeeping, *sheet.texts, *sheet.key_columns]:
        values = sheet.frame[column]
        if values.dtype != pl.String or not values.count():
            continue
        if words.SOURCE.search(plain(column)) or column in sheet.texts:
            yield from _named_so(sheet, column, values)
        if column in sheet.texts:
            yield from _templates(sheet, column, values)


def _named_so(sheet: Sheet, column: str, values: pl.Series) -> Iterator[Finding]:
    kinds = values.drop_nulls().value_counts(sort=True)
    if kinds.height > 200:
        return  # free text may speak of anything
    made_up = [
        (kind, n) for kind, n in kinds.iter_rows() if words.INVENTED.search(kind)
    ]
    n = sum(count for _, count in made_up)
    if made_up:
        shown = ", ".join(repr(kind) for kind, _ in made_up[:3])
        said = (
            f"{column} says {shown} on {n} of {sheet.frame.height} rows: made up, not "
            "measured"
        )
        weight: Weight = "archive" if 2 * n >= sheet.frame.height else "replace"
        yield Finding("invented", weight, said, n, (column,))


def _templates(sheet: Sheet, column: str, values: pl.Series) -> Iterator[Finding]:
    hollow = values.drop_nulls().filter(
        values.drop_nulls().map_elements(_is_hollow, return_dtype=pl.Boolean)
    )
    if hollow.len() >= _HOLLOW_SHARE * sheet.frame.height and hollow.len() >= 3:
        said = (
            f"{column} is a template that nobody filled in on {hollow.len()} of "
            f"{sheet.frame.height} rows: {hollow[0][:60]!r}"
        )
        yield Finding("placeholder text", "archive", said, hollow.len(), (column,))


def _is_hollow(text: str) -> bool:
    return words.HOLLOW.search(text) is not None


def ladders(sheet: Sheet) -> Iterator[Finding]:
    """Find measures that climb by the same step on every row."""
    if not sheet.has_dates:
        return
    asked = [c for c in sheet.numbers if not words.CUMULATIVE.search(plain(c))]
    once = sheet.frame.unique([KEY, DAY], keep="first", maintain_order=True)
    for column in asked:
        values = pl.col(column).drop_nulls()
        step = values.diff()
        told = once.group_by(KEY, maintain_order=True).agg(
            values.len().alias("rows"),
            step.min().alias("least"),
            step.max().alias("most"),
            values.first().alias("first"),
            values.last().alias("last"),
        )
        even = (pl.col("most") - pl.col("least")) <= 1e-9 * pl.col("most").abs() + 1e-12
        for row in told.filter(
            pl.col("rows") >= _LADDER, even, pl.col("most") != 0
        ).iter_rows(named=True):
            said = (
                f"{named(row[KEY])}{column} changes by exactly {number(row['most'])} "
                "on each of "
                f"{row['rows']} rows ({number(row['first'])} to {number(row['last'])})"
            )
            yield Finding("ladder", "archive", said, row["rows"], (column,))


def shares(sheet: Sheet) -> Iterator[Finding]:
    """Find one measure that is an exact round share of another one."""
    able = [
        c for c in sheet.numbers if sheet.frame[c].drop_nulls().n_unique() >= _SHARES
    ]
    sample = sheet.sampled(able)
    for one, other in combinations(able, 2):
        if not _in_step(sample[one], sample[other]):
            continue
        both = (
            sheet.frame.select(one, other)
            .drop_nulls()
            .filter(pl.col(one) != 0, pl.col(other) != 0)
        )
        if both.height < _SHARES or both[one].n_unique() < _SHARES:
            continue
        ratios = both[other] / both[one]
        ratio = amount(ratios.median())
        small = min(abs(ratio), 1 / abs(ratio))
        known = any(abs(small * factor - 1) < 1e-4 for factor in _CONVERSIONS)
        round_ = abs(small * 100 - round(small * 100)) < 1e-6
        same = int(((ratios / ratio - 1).abs() < 1e-6).sum())
        if same < 0.9 * both.height or known or not round_ or small > 0.999:
            continue
        low, high = (one, other) if abs(ratio) > 1 else (other, one)
        said = (
            f"{low} is exactly {small:.0%} of {high} on {same} of {both.height} rows: "
            "computed by hand, not reported"
        )
        yield Finding("exact share", "archive", said, same, (low, high))


def _in_step(one: list[float | None], other: list[float | None]) -> bool:
    """Return whether most of some cells have one ratio."""
    ratios = sorted(b / a for a, b in zip(one, other, strict=True) if a and b)
    if not ratios:
        return True
    middle = ratios[len(ratios) // 2]
    return 2 * sum(abs(r / middle - 1) < 1e-6 for r in ratios) >= len(ratios)


def steps(sheet: Sheet) -> Iterator[Finding]:
    """Find dates that follow each other by a number of days that no calendar has."""
    if not sheet.has_dates:
        return
    days = sheet.frame[DAY].unique().sort()
    gaps = days.diff().drop_nulls().dt.total_days()
    if days.len() < _LADDER or gaps.n_unique() != 1 or int(gaps[0]) in _STEPS:
        return
    said = (
        f"all {days.len()} dates lie exactly {gaps[0]} days apart ({days[0]} to "
        f"{days[-1]}): no publisher has such a calendar"
    )
    yield Finding("machine dates", "archive", said, days.len(), places=some(days))


def digits(sheet: Sheet) -> Iterator[Finding]:
    """Find small tables whose values are finer than anything that is reported."""
    if not sheet.has_dates or sheet.frame.height > _FEW_ROWS:
        return
    for column in sheet.numbers:
        values = sheet.frame[column].drop_nulls()
        if values.len() < _LADDER or amount(values.abs().median()) < 1000:
            continue
        fine = [len(repr(value).partition(".")[2]) for value in values]
        if sorted(fine)[len(fine) // 2] >= 6:
            level = number(amount(values.median()))
            said = (
                f"{column} is told to {max(fine)} decimals at a level of {level}: "
                "computed, not reported"
            )
            yield Finding("too many digits", "replace", said, values.len(), (column,))


def sums(sheet: Sheet) -> Iterator[Finding]:
    """Find running totals that fall inside their season."""
    season = next(
        (c for c in sheet.frame.columns if words.SEASON.search(plain(c))), None
    )
    for column in sheet.numbers if sheet.has_dates else ():
        if not words.CUMULATIVE.search(plain(column)):
            continue
        by = [KEY, season] if season else [KEY]
        once = sheet.frame.unique([*by, DAY], keep="last", maintain_order=True)
        fell = once.with_columns(pl.col(column).diff().over(by).alias("step")).filter(
            pl.col("step") < 0
        )
        resets = 0 if season else once[DAY].dt.year().n_unique()
        if fell.height > resets:
            said = (
                f"{column} is a running total and falls on {fell.height} of "
                f"{once.height} rows: {listed(fell[DAY].to_list())}"
            )
            yield Finding(
                "falling total",
                "archive",
                said,
                fell.height,
                (column,),
                some(fell[DAY]),
            )


def harvest(sheet: Sheet) -> Iterator[Finding]:
    """Find progress of a harvest in the United States at the time of planting."""
    column = next((c for c in sheet.numbers if words.HARVEST.search(plain(c))), None)
    where = next(
        (c for c in sheet.key_columns if sheet.frame[c].dtype == pl.String), None
    )
    if column is None or where is None or not sheet.has_dates:
        return
    states = [
        s
        for s in sheet.frame[where].drop_nulls().unique()
        if words.UNITED_STATES.match(s)
    ]
    rows = sheet.frame.filter(
        pl.col(where).is_in(states), pl.col(column).is_between(_HALF, _PER_CENT)
    )
    reached = rows.group_by(KEY, pl.col(DAY).dt.year().alias("year")).agg(
        pl.col(DAY).min()
    )
    # Half of a crop of the northern summer is in from late June (winter wheat) on.
    early = reached.filter(
        pl.col(DAY).dt.month().is_between(3, 6), pl.col(DAY).dt.ordinal_day() < 172
    )
    if early.height and 2 * early.height >= reached.height:
        said = (
            f"{column} passes half in {stretch(early[DAY])} "
            f"in {early.height} of "
            f"{reached.height} places of the United States: that is planting, no "
            "harvest"
        )
        yield Finding(
            "wrong measure",
            "replace",
            said,
            early.height,
            (column,),
            some(early[KEY].sort()),
        )


def bursts(sheet: Sheet) -> Iterator[Finding]:
    """Say which rows were stamped within the same seconds: a loop wrote them."""
    if not sheet.has_dates or sheet.frame.height < 2 * _SHARES:
        return
    day = sheet.frame[MOMENT].dt.truncate("1m")
    if (
        sheet.frame[MOMENT].n_unique() < 0.9 * sheet.frame.height
        or sheet.frame[MOMENT].dt.date().n_unique() > 7
    ):
        return
    if day.n_unique() <= 0.5 * sheet.frame.height:
        said = (
            f"{sheet.frame.height} rows are dated within {day.n_unique()} minutes: "
            "the time of a download, not of what they tell"
        )
        yield Finding("time of download", "note", said, sheet.frame.height)
