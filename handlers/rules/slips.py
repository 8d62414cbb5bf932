"""Whether a value looks like the usual one in another unit. It is never converted back."""

from __future__ import annotations

import math
from typing import Any

import polars as pl

from cbi_stream import rule

_FACTORS = (100.0, 22.0462, 2204.62, 36.7437, 39.3683)
"""Cents in a dollar; cents a pound to dollars a tonne, pounds in a tonne; bushels of
soybeans and wheat, and of maize, in a tonne."""


def _slipped(*, cell: float, usual: float, **_: Any) -> str:
    ratio = cell / usual if usual else math.inf
    known = [*_FACTORS, *(1.0 / each for each in _FACTORS)]
    nearest = min(known, key=lambda each: abs(math.log(ratio / each)))
    sign = f"x{nearest:g}" if nearest > 1 else f"/{1 / nearest:g}"
    return f"found {cell:g}; usual {usual:g}: looks like {sign}"


@rule(phase="neighbours", says=_slipped)
def unit_slip(
    cell: pl.Expr, usual: pl.Expr, known: pl.Expr, *, near: float, least: int = 3
) -> pl.Expr:
    """The value is not the usual one times, or divided by, a factor of two units.

    `near` says how far off it may be, as a share.
    """
    ratio = pl.when((usual > 0) & (cell > 0)).then(cell / usual).fill_null(1.0)
    slipped = [
        pl.max_horizontal(ratio / each, each / ratio) <= near + 1.0
        for factor in _FACTORS
        for each in (factor, 1.0 / factor)
    ]
    return cell.is_null() | (known < least) | ~pl.any_horizontal(slipped)


def _per_cent(*, cell: float, usual: float, **_: Any) -> str:
    return f"found {cell:g}; usual {usual:g}: is it a share, or a share in percent?"


@rule(phase="neighbours", says=_per_cent)
def percent_slip(
    cell: pl.Expr, usual: pl.Expr, known: pl.Expr, *, near: float, least: int = 3
) -> pl.Expr:
    """A rate in percent is not the usual one times, or divided by, a hundred."""
    ratio = pl.when((usual > 0) & (cell > 0)).then(cell / usual).fill_null(1.0)
    slipped = [
        pl.max_horizontal(ratio / each, each / ratio) <= near + 1.0
        for each in (100.0, 0.01)
    ]
    return cell.is_null() | (known < least) | ~pl.any_horizontal(slipped)


def _degrees(*, cell: float, usual: float, **_: Any) -> str:
    return f"found {cell:g}; usual {usual:g}: looks like degrees Fahrenheit"


@rule(phase="neighbours", says=_degrees)
def fahrenheit(
    cell: pl.Expr,
    usual: pl.Expr,
    known: pl.Expr,
    *,
    near: float,
    far: float,
    least: int = 3,
) -> pl.Expr:
    """A temperature in Celsius is not the usual one in Fahrenheit.

    It is one if it lies within `near` degrees of that, and farther than `far` degrees
    from what is usual.
    """
    like = (cell - (usual * 1.8 + 32.0)).abs() <= near
    away = (cell - usual).abs() > far
    return cell.is_null() | (known < least) | ~(like & away)
