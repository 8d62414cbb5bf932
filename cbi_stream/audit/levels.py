"""Finds series whose level cannot be one: two in one, a jump by a factor, a score.

It never rescales a value, and never says which level is the right one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.finding import Finding, listed, named, number
from cbi_stream.audit.sheet import DAY, KEY, Sheet
from cbi_stream.audit.vocabulary import plain

# Twenty rows are a month of sessions: enough to see a pattern, few enough for no trend.
_WINDOW, _STEP = 20, 10
_SIDES, _SWITCHES, _EXACT_SWITCHES = 3, 4, 6
# The distance of two levels against the width of each, their height, and the tick.
_APART, _RELATIVE, _TICKS = 4.0, 0.01, 5
_FACTORS = {
    10.0: "10",
    100.0: "100",
    1000.0: "1,000",
    25.4: "25.4 (inches and millimetres)",
}
_NEAR = 0.1
_AROUND, _QUIET = 10, 1.5
_STAYS = 20
_ASKED = 60


def levels(sheet: Sheet) -> Iterator[Finding]:
    """Find series that go to and fro between two levels, and jumps by a factor."""
    if not sheet.has_dates:
        return
    # Rain falls or does not, and a volume is a sum: neither has a level.
    loose = (words.MAY_BE_ZERO, words.RAIN)
    asked = [c for c in sheet.numbers if not any(p.search(plain(c)) for p in loose)]
    if len(asked) > _ASKED:
        return  # a table of positions by holder: its columns are no series of prices
    for key, rows in sheet.keys:
        for column in asked if rows.height >= _WINDOW else ():
            seen = rows.select(DAY, column).drop_nulls().unique(maintain_order=True)
            if seen.height < _WINDOW:
                continue
            values, days = seen[column].to_list(), seen[DAY].to_list()
            yield from _to_and_fro(key, column, values, days=days)
            yield from _jumps(key, column, values, days=days)


def _to_and_fro(
    key: str, column: str, values: list[float], *, days: list[date]
) -> Iterator[Finding]:
    tick = _tick(values)
    found: list[tuple[int, tuple[float, ...], int]] = []
    for start in range(0, len(values) - _WINDOW + 1, _STEP):
        window = values[start : start + _WINDOW]
        told = _two_levels(window, tick)
        # A rate that is quoted coarsely takes few values; it has one of them a day.
        if told is None and 2 * len(set(days[start : start + _WINDOW])) <= _WINDOW:
            told = _few_levels(window, tick)
        if told is not None:
            found.append((start, *told))
    if not found:
        return
    start, shown, switches = max(found, key=lambda each: each[2])
    first, last = days[found[0][0]], days[min(found[-1][0] + _WINDOW, len(days)) - 1]
    said = (
        f"{named(key)}{column} goes to and fro between "
        f"{' and '.join(number(v) for v in shown)}: "
        f"{switches} times in {_WINDOW} rows from {days[start]} on, and so in "
        f"{len(found)} "
        f"stretches of {first} to {last}: several series under one name"
    )
    yield Finding(
        "two levels", "replace", said, len(found), (column,), (str(days[start]),)
    )


def _tick(values: list[float]) -> float:
    """Return the smallest step between two values of a series."""
    ordered = sorted(set(values))
    steps = (b - a for a, b in pairwise(ordered))
    return min((step for step in steps if step > 1e-9), default=0.0)


def _two_levels(
    window: list[float], tick: float
) -> tuple[tuple[float, ...], int] | None:
    """Return the two levels of a window and its switches, where there are two."""
    ordered = sorted(window)
    gaps = [b - a for a, b in pairwise(ordered)]
    widest = max(gaps)
    at = gaps.index(widest) + 1
    low, high = ordered[:at], ordered[at:]
    if min(len(low), len(high)) < _SIDES or not any(low) or not any(high):
        return None
    wide = max(low[-1] - low[0], high[-1] - high[0])
    middle = abs(low[0] + high[-1]) / 2
    if wide == 0:
        return None  # two exact values, and nothing moves: a coarse quote
    if widest < _APART * wide or widest < _RELATIVE * middle or widest < _TICKS * tick:
        return None
    sides = [value >= high[0] for value in window]
    switches = sum(a != b for a, b in pairwise(sides))
    return (
        ((low[len(low) // 2], high[len(high) // 2]), switches)
        if switches >= _SWITCHES
        else None
    )


def _few_levels(
    window: list[float], tick: float
) -> tuple[tuple[float, ...], int] | None:
    """Return the levels of a window that holds a few values again and again."""
    distinct = sorted(set(window))
    if not 2 <= len(distinct) <= 4 or 0 in distinct:
        return None
    wide = distinct[-1] - distinct[0]
    if wide < _TICKS * tick or wide < _RELATIVE * abs(distinct[-1]):
        return None
    often = [value for value in distinct if window.count(value) >= _SIDES]
    switches = sum(a != b for a, b in pairwise(window))
    enough = len(often) >= 2 and switches >= _EXACT_SWITCHES
    return (tuple(distinct), switches) if enough else None


def _jumps(
    key: str, column: str, values: list[float], *, days: list[date]
) -> Iterator[Finding]:
    """Find the days on which a quiet series changes its unit."""
    for i in range(_AROUND, len(values) - _AROUND + 1):
        a, b = values[i - 1], values[i] if i < len(values) else 0.0
        if a <= 0 or b < 0 or (a and 1 / 5 < b / a < 5):
            continue
        before, after = values[i - _AROUND : i], values[i : i + _AROUND]
        factor = _factor(before, after)
        if factor:
            said = (
                f"{named(key)}{column} jumps by a factor of {factor} on {days[i]}: "
                f"{number(a)}, then {number(b)}, and stays"
            )
            yield Finding(
                "unit jump",
                "replace",
                said,
                len(values) - i,
                (column,),
                (str(days[i]),),
            )
        elif _is_score(before, values[i : i + _STAYS]):
            said = (
                f"{named(key)}{column} falls from {number(a)} to between 0 and 1 on "
                f"{days[i]}, and stays: a level, then a score"
            )
            yield Finding(
                "level, then score",
                "replace",
                said,
                len(values) - i,
                (column,),
                (str(days[i]),),
            )


def _factor(before: list[float], after: list[float]) -> str:
    """Return by which factor of units two quiet stretches differ; nothing: by none."""
    if (
        min(*before, *after) <= 0
        or max(before) > _QUIET * min(before)
        or max(after) > _QUIET * min(after)
    ):
        return ""
    first, second = sorted(before)[_AROUND // 2], sorted(after)[_AROUND // 2]
    ratio, step = second / first, after[0] / before[-1]
    for factor, said in _FACTORS.items():
        for wanted, told in ((factor, said), (1 / factor, f"1/{said}")):
            if (
                abs(step / wanted - 1) <= _NEAR
                and abs(ratio / wanted - 1) <= 2.5 * _NEAR
            ):
                return told
    return ""


def _is_score(before: list[float], after: list[float]) -> bool:
    """Return whether a level of more than 5 gives way to values of 0 to 1, and stays."""
    if len(after) < _STAYS:
        return False
    inside = all(0 <= value <= 1 for value in after)
    return inside and len(set(after)) > 1 and min(before) > 5


def by_source(sheet: Sheet) -> Iterator[Finding]:
    """Find series whose sources speak of different levels at the same time."""
    source = next((c for c in sheet.bookkeeping if words.SOURCE.search(plain(c))), None)
    value = sheet.close
    if source is None or value is None or not sheet.has_dates:
        return
    told = (
        sheet.frame.filter(pl.col(value).is_not_null(), pl.col(source).is_not_null())
        .group_by(KEY, DAY, source)
        .agg(pl.col(value).median())
    )
    both = told.join(told, on=[KEY, DAY], suffix=" 2").filter(
        pl.col(source) < pl.col(f"{source} 2")
    )
    off = (pl.col(value) - pl.col(f"{value} 2")).abs() / pl.max_horizontal(
        pl.col(value).abs(), pl.col(f"{value} 2").abs()
    )
    pairs = both.group_by(KEY, source, f"{source} 2").agg(
        pl.len(),
        off.median().alias("off"),
        pl.col(value).last(),
        pl.col(f"{value} 2").last(),
        pl.col(DAY).max(),
    )
    apart = pairs.filter(pl.col("off") > 0.05, pl.col("len") >= _SIDES).sort(
        KEY, source
    )
    for row in apart.iter_rows(named=True):
        said = (
            f"{named(row[KEY])}{row[source]} and {row[f'{source} 2']} differ by "
            f"{row['off']:.0%} on "
            f"{row['len']} shared days ({row[DAY]}: {number(row[value])} and "
            f"{number(row[f'{value} 2'])}): two series under one name"
        )
        yield Finding(
            "two sources",
            "replace",
            said,
            row["len"],
            (value, source),
            (str(row[DAY]),),
        )


def rhythms(beats: dict[str, list[str]]) -> Iterator[Finding]:
    """Say which series change between monthly, daily and several rows a day."""
    mixed = {key: told for key, told in beats.items() if len(told) > 1}
    if mixed:
        shown = [f"{named(key)}{', then '.join(told)}" for key, told in mixed.items()]
        yield Finding(
            "changing rhythm",
            "note",
            f"{listed(shown, most=4)}",
            len(mixed),
            places=tuple(list(mixed)[:6]),
        )
