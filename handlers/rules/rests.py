"""Whether a value was seen, or only stands there because nobody changed it.

A rule here never says that a value is wrong, only that it rests longer than it may.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from cbi_stream import rule


def _said(*, cell: float, same: int, **_: Any) -> str:
    return f"found {cell:g} for the {same + 1}th date in a row"


@rule(phase="neighbours", says=_said)
def stale_run(cell: pl.Expr, same: pl.Expr, *, most: int) -> pl.Expr:
    """The value is not that of more than `most` dates in a row before it."""
    return cell.is_null() | (same <= most)


@rule(phase="neighbours", says=_said)
def zero_run(cell: pl.Expr, same: pl.Expr, *, most: int) -> pl.Expr:
    """The value is not a zero after more than `most` zeros in a row."""
    return cell.is_null() | (cell != 0.0) | (same <= most)


@rule(phase="neighbours")
def stale_bar(
    cell: pl.Expr,
    bar_again: pl.Expr,
    low: pl.Expr,
    high: pl.Expr,
    volume: pl.Expr,
    *,
    least_volume: int = 1,
) -> pl.Expr:
    """The bar is not, cell for cell, that of the date before it.

    Without volume, or without a range, a market may have rested: such bars are not
    judged.
    """
    moved = (high > low).fill_null(value=False)
    traded = moved & (volume.fill_null(0) >= least_volume)
    return cell.is_null() | ~traded | ~bar_again
