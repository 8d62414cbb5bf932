"""What differs between the old and the new content of a partition: dates and cells.

It compares canonical frames of one table. It never decides whether a difference
matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream.lake.partition_map import Change
from cbi_stream.registry.contract import Contract
from cbi_stream.words.span import Span, plus_days

_LATE_DAYS = 31
MOST_CHANGES = 64
"""How many intervals one commit may carry; the nearest are merged beyond that."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The first differing cell: where it is, and both values."""

    date: date
    key: dict[str, Any]
    column: str
    """The column, or `row` where the row stands on one side only."""
    left: Any
    right: Any


def differing_rows(
    old: pl.DataFrame, new: pl.DataFrame, contract: Contract
) -> pl.DataFrame:
    """Return the rows that stand in one frame only, or differ between them.

    Returns:
        Key columns, then for each other column its `old` value and, under the name
        with `__new`, its new value; `__old` and `__here` say on which side the row
        stands. Sorted by date, then key.
    """
    key = list(contract.key)
    values = [name for name in contract.columns if name not in key]
    pairs = old.with_columns(pl.lit(True).alias("__old")).join(
        new.with_columns(pl.lit(True).alias("__here")).rename(
            {name: f"{name}__new" for name in values}
        ),
        on=key,
        how="full",
        coalesce=True,
        nulls_equal=True,
    )
    differs = [pl.col(name).ne_missing(pl.col(f"{name}__new")) for name in values]
    one_side = pl.col("__old").is_null() | pl.col("__here").is_null()
    rest = [name for name in key if name != "date"]
    return pairs.filter(pl.any_horizontal(one_side, *differs)).sort("date", *rest)


def first_cell(
    left: pl.DataFrame, right: pl.DataFrame, contract: Contract
) -> Cell | None:
    """Return the first cell in which two frames differ: by date, key, column order."""
    rows = differing_rows(left, right, contract)
    if not rows.height:
        return None
    row = rows.row(0, named=True)
    key = {name: row[name] for name in contract.key}
    if row["__old"] is None or row["__here"] is None:
        sides = ("present" if row[side] else "absent" for side in ("__old", "__here"))
        return Cell(row["date"], key, "row", *sides)
    for name in contract.columns:
        if name not in key and row[name] != row[f"{name}__new"]:
            return Cell(row["date"], key, name, row[name], row[f"{name}__new"])
    return None


def changes(
    old: pl.DataFrame, new: pl.DataFrame, contract: Contract, *, zone: str
) -> list[Change]:
    """Return the dates that changed, each with the first day on which it is knowable.

    Args:
        old: canonical content before.
        new: canonical content after.
        contract: the table's contract.
        zone: the time zone whose days count as days.
    """
    rows = differing_rows(old, new, contract) if old.height else new
    if not rows.height:
        return []
    if "knowable_at" in contract.columns:
        # An as-of reader sees the change from the earlier of the two moments on.
        moments = [name for name in rows.columns if name.startswith("knowable_at")]
        known = pl.min_horizontal(moments)
        day = known.dt.convert_time_zone(str(ZoneInfo(zone))).dt.date()
        rows = rows.with_columns(__known=day)
    else:
        rows = rows.with_columns(__known=pl.lit(None, pl.Date))
    if not old.height:
        # A partition's first content differs from first to last date: one interval.
        first, last = rows["date"].min(), rows["date"].max()
        return [Change(Span(first, plus_days(last, 1)), rows["__known"].min())]  # type: ignore[arg-type]
    came_or_went = pl.col("__old").is_null() | pl.col("__here").is_null()
    moved = rows.filter(~came_or_went)
    names = _moved_columns(moved, contract)
    return coalesce(
        [
            *_day_by_day(rows.filter(came_or_went), None),
            *_day_by_day(moved, names),
        ]
    )


def _moved_columns(rows: pl.DataFrame, contract: Contract) -> tuple[str, ...]:
    """Return the columns that differ in any of the rows, sorted."""
    values = [name for name in contract.columns if name not in contract.key]
    differs = rows.select(
        pl.col(name).ne_missing(pl.col(f"{name}__new")).any() for name in values
    )
    return tuple(sorted(name for name in values if differs[name].any()))


def _day_by_day(
    rows: pl.DataFrame, columns: tuple[str, ...] | None
) -> Iterator[Change]:
    pairs = rows.select("date", "__known").unique().sort("date", "__known")
    for day, known in pairs.iter_rows():
        yield Change(Span.day(day), known, columns)


def coalesce(found: Any, most: int = MOST_CHANGES) -> list[Change]:
    """Return the same dates in at most `most` sorted intervals, nearest merged."""
    merged: list[Change] = []
    for change in sorted(found, key=lambda c: c.span):
        touches = merged and change.span.start <= merged[-1].span.end
        if touches and _alike(change, merged[-1]):
            merged[-1] = _around(merged[-1], change)
        else:
            merged.append(change)
    # Joining two neighbours moves no other gap, so all are chosen at once.
    gaps = sorted(range(len(merged) - 1), key=lambda i: _gap(merged, i))
    nearest = set(gaps[: max(0, len(merged) - most)])
    kept = merged[:1]
    for i, change in enumerate(merged[1:]):
        if i in nearest:
            kept[-1] = _around(kept[-1], change)
        else:
            kept.append(change)
    return kept


def _alike(left: Change, right: Change) -> bool:
    """Return whether merging two changes makes neither reach further than it does."""
    alike = left.columns == right.columns and left.about == right.about
    return alike and _is_late(left) == _is_late(right)


def _is_late(change: Change) -> bool:
    """Return whether a change became knowable long after its dates.

    A restatement of old dates reaches no old row; merged with a neighbour that was
    known in time it would seem to.
    """
    known = change.known_from
    return known is not None and (known - change.span.end).days > _LATE_DAYS


def _gap(found: Sequence[Change], i: int) -> int:
    return (found[i + 1].span.start - found[i].span.end).days


def _around(left: Change, right: Change) -> Change:
    known = [c.known_from for c in (left, right) if c.known_from]
    span = left.span.hull(right.span)
    return Change(
        span,
        min(known) if known else None,
        _both(left.columns, right.columns),
        _both(left.about, right.about),
    )


def _both(
    left: tuple[str, ...] | None, right: tuple[str, ...] | None
) -> tuple[str, ...] | None:
    """Return the names of either side; None where one side may mean any."""
    if left is None or right is None:
        return None
    return tuple(sorted({*left, *right}))


def between_extents(old: Span | None, new: Span | None) -> list[Span]:
    """Return the days by which an extent grew or shrank at either end."""
    if old == new:
        return []
    if old is None or new is None:
        return [s for s in (old, new) if s]
    ends = (
        Span(min(old.start, new.start), max(old.start, new.start)),
        Span(min(old.end, new.end), max(old.end, new.end)),
    )
    return [s for s in ends if not s.empty]
