"""Whether a value lies near what was usual before it. Real shocks are never erased.

What is usual is the median of the last five dates before it, as they were known when the
line was seen. With fewer than `least` of them nothing is said.
"""

from __future__ import annotations

from typing import Any

import polars as pl

from cbi_stream import rule

_NORMAL = 1.4826
"""How many median absolute changes make a standard deviation."""


def _near(cell: pl.Expr, usual: pl.Expr, limit: Any) -> pl.Expr:
    """Return whether one is at most 1 + limit times the other.

    Where one of them is not positive there is no ratio: their distance counts then.
    """
    most = limit + 1.0
    ratio = (cell <= usual * most) & (usual <= cell * most)
    distance = (cell - usual).abs() <= usual.abs() * limit
    return pl.when((cell > 0) & (usual > 0)).then(ratio).otherwise(distance)


def _confirmed(
    cell: pl.Expr,
    usual: pl.Expr,
    open: pl.Expr,
    low: pl.Expr,
    high: pl.Expr,
    agreed: pl.Expr,
    *,
    limit: float,
    least: int = 3,
) -> pl.Expr:
    """Return whether the bar itself, or another provider, says that it was so.

    A bar that opened where prices were and closed inside its range fell on that day; a
    file in another unit opens elsewhere, and a typing error lies outside its range.
    """
    del least
    fell = _near(open, usual, limit) & cell.is_between(low, high)
    return fell.fill_null(value=False) | agreed


def _said(*, cell: float, usual: float, limit: float, **_: Any) -> str:
    return f"found {cell:g}; usual {usual:g}, limit {limit:.0%}"


@rule(phase="neighbours", excuse=_confirmed, says=_said)
def jump(
    cell: pl.Expr, usual: pl.Expr, known: pl.Expr, *, limit: float, least: int = 3
) -> pl.Expr:
    """The value is at most 1 + limit times what is usual, and the other way round."""
    return cell.is_null() | (known < least) | _near(cell, usual, limit)


def _points(*, cell: float, usual: float, limit: float, **_: Any) -> str:
    return f"found {cell:g}; usual {usual:g}, limit {limit:g} basis points"


@rule(phase="neighbours", says=_points)
def rate_jump(
    cell: pl.Expr, usual: pl.Expr, known: pl.Expr, *, limit: float, least: int = 3
) -> pl.Expr:
    """A rate in percent lies at most `limit` basis points from what is usual."""
    near = (cell - usual).abs() * 100.0 <= limit
    return cell.is_null() | (known < least) | near


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
