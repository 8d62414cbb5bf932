"""A day against the same season of earlier years: its mean, and a day's place in it.

It never counts the day's own year or a later one, and uses no normals that somebody
published afterwards. A value depends on its day and those seasons alone, to the bit.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


def against_earlier_years(
    days: pl.DataFrame,
    column: str,
    *,
    first: date,
    years: int,
    near_days: int,
    least_values: int,
) -> pl.DataFrame:
    """Return what earlier years say of each day from `first` on.

    The season of a day in a year before is the same day of that year and `near_days` on
    each side; 28 February stands for the 29th. A year counts where its season holds
    `least_values` values.

    Args:
        days: `date`, every day without a hole, and the column: Float64, or null.
        column: its name.
        first: the first day that is asked for, and `years` back from there.
        years: how many years back.
        near_days: calendar days on each side.
        least_values: how many values of a season must be there.

    Returns:
        date; usual: the mean over years of their seasons' means, in the column's unit;
        years: how many counted; at_or_below, at_or_above: the share of the values of
        those seasons that lie there, seen from the day's own. Null where no year counts.
    """
    asked = days.filter(pl.col("date") >= first).select("date", column)
    values, backs = _numbers(days[column]), range(1, years + 1)
    seasons = [_season(days, asked, values, back, near_days) for back in backs]
    earlier = np.stack(seasons, axis=1)
    found = asked.select("date").with_columns(
        **_told(earlier, _numbers(asked[column]), least_values)
    )
    some = pl.col("years") > 0
    known = some & asked[column].is_not_null()
    return found.select(
        "date",
        *(pl.when(some).then(name).alias(name) for name in ("usual", "years")),
        *(pl.when(known).then(n).alias(n) for n in ("at_or_below", "at_or_above")),
    )


def _told(earlier: Matrix, own: Matrix, least_values: int) -> dict[str, pl.Series]:
    """Return what the seasons of earlier years say, by day.

    Args:
        earlier: by day, year and day of its season; NaN where nothing is known.
        own: by day.
        least_values: how many values a season must hold.
    """
    there = np.isfinite(earlier)
    counted = there.sum(axis=2) >= least_values
    held = there & counted[:, :, None]
    here = own[:, None, None]
    total, years = held.sum(axis=(1, 2)), counted.sum(axis=1)
    with np.errstate(all="ignore"):
        means = np.where(held, earlier, 0.0).sum(axis=2) / held.sum(axis=2)
        usual = np.where(counted, means, 0.0).sum(axis=1) / years
        below = ((earlier <= here) & held).sum(axis=(1, 2)) / total
        above = ((earlier >= here) & held).sum(axis=(1, 2)) / total
    return {
        "usual": pl.Series(usual),
        "years": pl.Series(years.astype(np.float64)),
        "at_or_below": pl.Series(below),
        "at_or_above": pl.Series(above),
    }


def _numbers(values: pl.Series) -> Matrix:
    """Return the values with NaN for null."""
    return values.fill_null(float("nan")).to_numpy().astype(np.float64)


def _season(
    days: pl.DataFrame, asked: pl.DataFrame, values: Matrix, back: int, near: int
) -> Matrix:
    """Return a row per day asked for: the season so many years before, NaN beyond."""
    same = asked.select(pl.col("date").dt.offset_by(f"-{back}y").cast(pl.Int32))
    begins = days.select(pl.col("date").cast(pl.Int32).min()).item() or 0
    place = same.to_series().to_numpy() - begins
    places = place[:, None] + np.arange(-near, near + 1)[None, :]
    inside = (places >= 0) & (places < len(values))
    if not len(values):
        return np.full(places.shape, np.nan)
    return np.where(inside, values[np.where(inside, places, 0)], np.nan)
