"""Finds what stands twice: rows, columns, series. It never chooses which one is right."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import polars as pl

from cbi_stream.audit import vocabulary as words
from cbi_stream.audit.finding import Finding, Weight, listed, number, stretch
from cbi_stream.audit.sheet import DAY, KEY, MOMENT, Sheet
from cbi_stream.audit.vocabulary import plain

# Fewer rows can agree by chance; of small whole numbers more are needed, and a column of
# few values (flags, zeros) agrees with many others.
_ROWS, _VALUES = 30, 10
_SERIES_ROWS = 60
# One row in a hundred may be a correction that was loaded twice.
_SHARE = 0.01
# One contradiction in a thousand dates is a slip that can be named and decided by hand.
_FEW = 0.001
_EQUAL = 0.98
_MOST_SERIES = 400
# Two cuts of one measure share most words of their names.
_RELATED = 0.5


def rows(sheet: Sheet) -> Iterator[Finding]:
    """Find dates that stand several times under one key, alike or in contradiction."""
    if not sheet.has_dates:
        return
    at = sheet.stamp
    per_day = (
        sheet.frame.group_by(KEY, at, maintain_order=True)
        .len()
        .filter(pl.col("len") > 1)
    )
    if not per_day.height:
        return
    several = sheet.frame.join(per_day.select(KEY, at), on=[KEY, at], how="semi")
    values = [*sheet.numbers, *(sheet.texts if not sheet.numbers else ())]
    judged = several.group_by(KEY, at, maintain_order=True).agg(
        pl.len().alias("rows"),
        *(pl.col(c).drop_nulls().n_unique().alias(c) for c in values),
    )
    against = (
        judged.filter(pl.any_horizontal(pl.col(c) > 1 for c in values))
        if values
        else judged.clear()
    )
    surplus = several.height - per_day.height
    total = sheet.frame.select(KEY, at).n_unique()
    counts = ", ".join(
        f"{n} with {k} rows"
        for k, n in per_day["len"].value_counts().sort("len").head(5).iter_rows()
    )
    said = (
        f"{per_day.height} of {total} dates stand several times ({counts}): {surplus} "
        "rows too many"
    )
    said += (
        f"; {against.height} of them contradict each other"
        if against.height
        else "; all copies agree"
    )
    graver = against.height > _FEW * total or surplus > _SHARE * total
    # Several events on one day are no fault.
    weight: Weight = "replace" if graver and sheet.numbers else "note"
    places = [_place(row) for row in per_day.select(at, KEY).head(4).iter_rows()]
    yield Finding(
        "duplicates", weight, said, per_day.height, sheet.key_columns, tuple(places)
    )
    if against.height and sheet.numbers:
        yield _contradictions(sheet, several, against, weight=weight)


def _place(row: tuple[object, ...]) -> str:
    return " ".join(str(part) for part in row if part != "")


def _contradictions(
    sheet: Sheet, several: pl.DataFrame, against: pl.DataFrame, *, weight: Weight
) -> Finding:
    at = sheet.stamp
    columns = [c for c in sheet.numbers if (against[c] > 1).any()]
    by_key = against[KEY].value_counts(sort=True)
    whose = ", ".join(
        f"{key or 'the file'} {n}" for key, n in by_key.head(5).iter_rows()
    )
    examples = []
    for key, day in against.select(KEY, at).head(3).iter_rows():
        cells = several.filter(pl.col(KEY) == key, pl.col(at) == day)
        column = next(c for c in columns if cells[c].drop_nulls().n_unique() > 1)
        found = [
            number(v) for v in cells[column].drop_nulls().unique(maintain_order=True)
        ]
        examples.append(f"{_place((day, key))} {column} {' and '.join(found[:4])}")
    said = (
        f"{against.height} dates have different values ({whose}): {'; '.join(examples)}"
    )
    return Finding(
        "contradictions", weight, said, against.height, tuple(columns), tuple(examples)
    )


def columns(sheet: Sheet) -> Iterator[Finding]:
    """Find columns that equal each other wherever both have a value."""
    able = [
        c
        for c in sheet.numbers
        if sheet.frame[c].n_unique() >= _VALUES and sheet.frame[c].count() >= _ROWS
    ]
    sample = sheet.sampled(able)
    for one, other in combinations(able, 2):
        if any(
            a != b
            for a, b in zip(sample[one], sample[other], strict=True)
            if a is not None and b is not None
        ):
            continue
        both = sheet.frame.select(one, other).drop_nulls()
        if both.height < _ROWS or both[one].n_unique() < _VALUES:
            continue
        if (both[one] != both[other]).any():
            continue
        related = _related(one, other)
        weight: Weight = "note" if related else "replace"
        said = (
            f"{one} and {other} are equal on all {both.height} rows on which both "
            "have a value"
        )
        yield Finding("copied column", weight, said, both.height, (one, other))


def _related(one: str, other: str) -> bool:
    """Return whether two names are those of two cuts of one measure, or of one bar."""
    if words.PRICE.search(plain(one)) and words.PRICE.search(plain(other)):
        return True
    first, second = (set(plain(c).split("_")) for c in (one, other))
    return len(first & second) >= _RELATED * min(len(first), len(second))


def series(sheet: Sheet) -> Iterator[Finding]:
    """Find two keys that hold the same series under two names."""
    value = sheet.close
    if not sheet.has_dates or value is None or not sheet.key_columns:
        return
    seen = sheet.frame.filter(pl.col(value).is_not_null()).unique(
        [KEY, DAY], keep="first", maintain_order=True
    )
    sizes = seen.group_by(KEY).agg(pl.len(), pl.col(value).n_unique().alias("values"))
    able = (
        sizes.filter(pl.col("len") >= _SERIES_ROWS, pl.col("values") >= _VALUES)[KEY]
        .sort()
        .to_list()
    )
    if len(able) > _MOST_SERIES:
        said = (
            f"{len(able)} series: only the first {_MOST_SERIES} were held against "
            "each other"
        )
        yield Finding("not compared", "note", said, len(able))
    wide = {
        key: seen.filter(pl.col(KEY) == key).select(DAY, value)
        for key in able[:_MOST_SERIES]
    }
    for one, other in combinations(wide, 2):
        both = wide[one].join(wide[other], on=DAY, how="inner", suffix=" 2")
        if both.height < _SERIES_ROWS or both[value].n_unique() < _VALUES:
            continue
        same = int((both[value] == both[f"{value} 2"]).sum())
        if same >= _EQUAL * both.height:
            said = (
                f"{one} and {other} are one series under two names: {same} of "
                f"{both.height} shared dates are equal ({stretch(both[DAY])})"
            )
            yield Finding(
                "one series, two names", "replace", said, same, places=(one, other)
            )


def empty_by_key(sheet: Sheet) -> Iterator[Finding]:
    """Find columns that one key leaves empty, or at zero, while others fill them."""
    if not sheet.key_columns or sheet.frame[KEY].n_unique() < 2:
        return
    asked = [
        c
        for c in (*sheet.numbers, *sheet.bookkeeping)
        if sheet.frame[c].dtype in (pl.Float64, pl.String)
    ]
    told = sheet.frame.group_by(KEY, maintain_order=True).agg(
        pl.len().alias("rows"),
        *(pl.col(c).count().alias(c) for c in asked),
        *(
            (pl.col(c).drop_nulls() == 0).all().alias(f"{c} zero")
            for c in asked
            if c in sheet.numbers
        ),
    )
    grown = told.filter(pl.col("rows") >= _ROWS)
    hollow: dict[tuple[str, ...], list[str]] = {}
    for column in asked:
        empty = grown.filter(pl.col(column) == 0)[KEY].to_list()
        if 0 < len(empty) <= grown.height - len(empty):
            hollow.setdefault(tuple(empty), []).append(column)
    for keys, named_ in hollow.items():
        n = int(grown.filter(pl.col(KEY).is_in(keys))["rows"].sum())
        said = (
            f"{listed(named_)} have no value on all {n} rows of {listed(keys)}, and "
            "in others they do"
        )
        yield Finding("empty for a key", "note", said, n, tuple(named_), keys[:6])
    if sheet.names_series:
        yield from _zero_by_key(sheet, grown)


def _zero_by_key(sheet: Sheet, grown: pl.DataFrame) -> Iterator[Finding]:
    for column in sheet.numbers:
        if words.MAY_BE_ZERO.search(plain(column)):
            continue
        nil = grown.filter(pl.col(f"{column} zero"), pl.col(column) >= _ROWS)
        # Where it is so in many series it is how the measure is.
        if 0 < nil.height < 0.2 * int((grown[column] > 0).sum()):
            keys, n = nil[KEY].to_list(), int(nil["rows"].sum())
            said = (
                f"{column} is 0 on all {n} rows of {listed(keys)}, and not in other "
                "series"
            )
            yield Finding(
                "zero for a key", "replace", said, n, (column,), tuple(keys[:6])
            )


def stories(sheet: Sheet) -> Iterator[Finding]:
    """Find texts that come again and again under stamps of their own."""
    told = [
        c
        for c in sheet.texts
        if sheet.frame[c].drop_nulls().str.len_chars().mean() is not None
    ]
    titled = [
        c
        for c in told
        if plain(c) in {"title", "headline", "url", "link", "content", "body", "text"}
    ]
    if not titled or sheet.frame.height < _VALUES:
        return
    distinct = sheet.frame.select(titled).n_unique()
    if distinct <= 0.5 * sheet.frame.height:
        said = (
            f"{sheet.frame.height} rows hold {distinct} different texts "
            f"({', '.join(titled)}) under {sheet.frame[MOMENT].n_unique()} times"
        )
        yield Finding(
            "repeated texts",
            "replace",
            said,
            sheet.frame.height - distinct,
            tuple(titled),
        )
