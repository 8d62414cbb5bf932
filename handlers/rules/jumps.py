"""Whether a value lies near what was usual before it. Real shocks are never erased.

What is usual is the median of the last five dates before it, as they were known when the
line was seen. With fewer than `least` of them nothing is said.
"""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from cbi_stream import rule

_NORMAL = 1.4826
"""How many median absolute changes make a standard deviation."""


def _near(cell: pl.Expr, usual: pl.Expr, limit: Any, points: Any) -> pl.Expr:
    """Return whether a value lies within the limit: a log distance, or points.

    What has no logarithm is beyond every distance, unless it is what is usual.
    """
    both = (cell > 0) & (usual > 0)
    distance = pl.when(both).then((cell / usual).log().abs())
    apart = (cell - usual).abs()
    near = pl.when(points).then(apart <= limit).otherwise(distance <= limit)
    return near.fill_null(value=False) | (apart == 0.0)


def _confirmed(
    cell: pl.Expr,
    usual: pl.Expr,
    open: pl.Expr,
    low: pl.Expr,
    high: pl.Expr,
    agreed: pl.Expr,
    *,
    limit: float,
    points: bool,
    **_: Any,
) -> pl.Expr:
    """Return whether the bar itself, or another provider, says that it was so.

    A bar that opened where prices were and closed inside its range fell on that day; a
    file in another unit opens elsewhere, and a typing error lies outside its range.
    """
    fell = _near(open, usual, limit, points) & cell.is_between(low, high)
    return fell.fill_null(value=False) | agreed


def _said(*, cell: float, usual: float, limit: float, points: bool, **_: Any) -> str:
    most = f"{limit:g} points" if points else f"{math.expm1(limit):.0%}"
    return f"found {cell:g}; usual {usual:g}, limit {most}"


@rule(phase="neighbours", excuse=_confirmed, says=_said)
def jump(
    cell: pl.Expr,
    usual: pl.Expr,
    known: pl.Expr,
    *,
    limit: float,
    points: bool = False,
    back: int = 30,
    least: int = 3,
) -> pl.Expr:
    """The value lies near what is usual.

    `limit` is the most that the logarithm of their ratio may be; of rates and of what
    may be negative (`points`) their distance. `back` says how many days before its date
    a row's neighbours may lie: 30 of daily values, 400 of monthly ones.
    """
    del back
    return cell.is_null() | (known < least) | _near(cell, usual, limit, points)


def _change(*, cell: float, last: float, typical: float, limit: float, **_: Any) -> str:
    return (
        f"found {cell:g} after {last:g}; changes are mostly {typical:g}, limit {limit:g} "
        "standard deviations"
    )


@rule(phase="neighbours", says=_change)
def odd_change(
    cell: pl.Expr,
    last: pl.Expr,
    typical: pl.Expr,
    usual: pl.Expr,
    known: pl.Expr,
    *,
    limit: float,
    floor: float,
    least: int = 3,
) -> pl.Expr:
    """The change is at most `limit` robust deviations of the changes before it.

    `floor` is the least that counts as one, as a share of what is usual: else a series
    that rested could never move again.
    """
    scale = pl.max_horizontal(typical * _NORMAL, usual.abs() * floor)
    return cell.is_null() | (known < least) | ((cell - last).abs() <= scale * limit)
