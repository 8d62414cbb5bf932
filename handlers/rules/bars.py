"""Whether the prices of one bar fit each other. None of them is ever replaced."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule


@rule()
def ohlc(open: pl.Expr, high: pl.Expr, low: pl.Expr, close: pl.Expr) -> pl.Expr:
    """Open and close lie inside low to high; a bar that lacks one is not judged."""
    lacking = pl.any_horizontal(each.is_null() for each in (open, high, low, close))
    inside = open.is_between(low, high) & close.is_between(low, high)
    return lacking | inside


def _said(*, close: float, low: float, high: float, far: float) -> str:
    return f"close {close:g} lies more than {far:.0%} outside {low:g} to {high:g}"


@rule(says=_said)
def close_off_bar(
    low: pl.Expr, high: pl.Expr, close: pl.Expr, *, far: float
) -> pl.Expr:
    """The close lies no farther outside low to high than a share of the price.

    A range that cannot be one (the low above the high, or all zeros) says nothing of the
    close; `ohlc` says that the bar does not fit.
    """
    lacking = pl.any_horizontal(each.is_null() for each in (high, low, close))
    none = (low > high) | ((high <= 0) & (close > 0))
    slack = close.abs() * far
    return lacking | none | ((close <= high + slack) & (close >= low - slack))
