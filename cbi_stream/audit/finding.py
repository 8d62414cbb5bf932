"""What an audit says of a file: findings, each with numbers and places. No judgement.

A finding's weight says what it alone asks for; `verdict.py` weighs them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

Weight = Literal["note", "replace", "archive"]
"""A quirk to know; get it again from its source; keep the bytes as evidence only."""

MOST_PLACES = 6


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found in one file."""

    what: str
    """A word for machines: hole, duplicates, ..."""
    weight: Weight
    said: str
    count: int = 0
    columns: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def some(values: Iterable[Any], *, most: int = MOST_PLACES) -> tuple[str, ...]:
    """Return the first of these values as text, as examples."""
    return tuple(str(value) for value in list(values)[:most])


def listed(values: Sequence[Any], *, most: int = MOST_PLACES) -> str:
    """Return values with commas between them, and how many more there are."""
    shown = ", ".join(some(values, most=most))
    more = len(values) - most
    return f"{shown} and {more} more" if more > 0 else shown


def named(key: str) -> str:
    """Return how a key begins a sentence; a file without keys has none to name."""
    return f"{key}: " if key else ""


def number(value: float) -> str:
    """Return a number as short as it can be said exactly enough."""
    return f"{value:,.0f}" if abs(value) >= 1e6 else f"{value:.6g}"


def amount(value: Any) -> float:
    """Return a statistic of a column as a number; of an empty column it is 0."""
    return float(value or 0)


def stretch(days: pl.Series) -> str:
    """Return the first and the last of some days in words."""
    ordered = days.drop_nulls().sort()
    return f"{ordered[0]} to {ordered[-1]}" if ordered.len() else "no day"
