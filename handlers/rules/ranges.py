"""Whether a value can be one in its unit. Nothing is ever rescaled."""

from __future__ import annotations

from typing import Any

import polars as pl

from cbi_stream import rule


def _between(*, cell: float, low: float, high: float) -> str:
    return f"found {cell:g}; expected {low:g} to {high:g}"


@rule(says=_between)
def within(cell: pl.Expr, *, low: float, high: float) -> pl.Expr:
    """The cell lies in a range; an empty one is in no range and in no other."""
    return cell.is_null() | cell.is_between(low, high)


def _plausible(
    *, plausible_low: float, plausible_high: float, unit: str, **_: Any
) -> str:
    return (
        f"expected a close of {plausible_low:g} to {plausible_high:g} {unit}: "
        "is the file in another unit?"
    )


@rule(says=_plausible)
def implausible(
    cell: pl.Expr, plausible_low: pl.Expr, plausible_high: pl.Expr, unit: pl.Expr
) -> pl.Expr:
    """A price lies in the range that universe.yaml gives its symbol."""
    known = unit.is_not_null()
    return known & (cell.is_null() | cell.is_between(plausible_low, plausible_high))
