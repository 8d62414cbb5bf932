"""Growing degrees since a season began. It never counts a day outside of the season.

Soybeans grow from May to September in the north, from October to March in the south.
"""

from __future__ import annotations

import polars as pl

_BASE, _CAP = 10.0, 30.0
"""Degrees C below which nothing grows, and above which nothing grows faster."""
_LEAST_KNOWN = 0.75
_NORTH, _SOUTH = (5, 9), (10, 3)
"""First and last month."""
_FIRST_DAY = 1


def degree_days(days: pl.DataFrame, *, south: bool) -> pl.Series:
    """Return the growing-degree days (degrees C times days) since the season's start.

    McMaster and Wilhelm, Growing degree-days: one equation, two interpretations (1997),
    method 2: both temperatures are brought into 10 to 30 degrees first, and a day
    counts (tmax + tmin) / 2 - 10. A day that is not known counts as the mean of those
    that are; null where these are fewer than three quarters, and outside the season.

    Args:
        days: `date`, every day without a hole, `tmax` and `tmin` in degrees C.
        south: whether the season is that of the south.
    """
    inside, begins = _season(south=south)
    high, low = (pl.col(name).clip(_BASE, _CAP) for name in ("tmax", "tmin"))
    grown = days.select(
        begins=begins, inside=inside, date="date", gained=(high + low) / 2.0 - _BASE
    ).with_columns(
        total=pl.col("gained").fill_null(0.0).cum_sum().over("begins"),
        counted=pl.col("gained").is_not_null().cum_sum().over("begins"),
        elapsed=(pl.col("date") - pl.col("begins")).dt.total_days() + 1,
    )
    enough = pl.col("counted") >= pl.col("elapsed") * _LEAST_KNOWN
    value = pl.col("total") / pl.col("counted") * pl.col("elapsed")
    return grown.select(pl.when(pl.col("inside") & enough).then(value)).to_series()


def _season(*, south: bool) -> tuple[pl.Expr, pl.Expr]:
    """Return whether a day is in the season, and the first day of its season."""
    first, last = _SOUTH if south else _NORTH
    month, year = pl.col("date").dt.month(), pl.col("date").dt.year()
    begins = pl.date(
        pl.when(month >= first).then(year).otherwise(year - 1), first, _FIRST_DAY
    )
    if south:
        return (month >= first) | (month <= last), begins
    return month.is_between(first, last), begins
