"""Where a day stands in the year, the week and the seasons of the crops.

Pure functions of the date: no price, no weather and no report is looked at.
"""

from __future__ import annotations

from math import pi

import polars as pl

_DAYS = 365.2425
"""Days of a year, on average."""

_SEASONS = {
    "us_planting": (4, 6),
    "us_harvest": (9, 11),
    "brazil_planting": (10, 12),
    "brazil_harvest": (2, 4),
    "argentina_harvest": (3, 5),
}
"""First and last month of the work on soybeans (USDA, World Agricultural Supply and
Demand: crop calendars). None of them spans the end of a year."""


def circles() -> dict[str, pl.Expr]:
    """Return sine and cosine of the day in its year, half year and week, in [-1, 1]."""
    date = pl.col("date").dt
    passed = date.ordinal_day().cast(pl.Float64) - 1.0
    # One factor each: how often polars rounds does not depend on the frame then.
    angles = {
        "year": passed * (2.0 * pi / _DAYS),
        "half_year": passed * (4.0 * pi / _DAYS),
        "week": (date.weekday().cast(pl.Float64) - 1.0) * (2.0 * pi / 7.0),
    }
    return {
        f"{name}_{wave}": angle.sin() if wave == "sin" else angle.cos()
        for name, angle in angles.items()
        for wave in ("sin", "cos")
    }


def crops() -> dict[str, pl.Expr]:
    """Return how much of each season has passed, as a share; 0 outside of it.

    A season counts in calendar days from the first day of its first month: on that day
    one of them has passed, on the last day of its last month all of them.
    """
    date = pl.col("date")
    found = {}
    for name, (first, last) in _SEASONS.items():
        begin = pl.date(date.dt.year(), first, 1)
        end = pl.date(date.dt.year(), last + 1, 1) if last < 12 else _next_year()
        passed = (date - begin).dt.total_days().cast(pl.Float64) + 1.0
        whole = (end - begin).dt.total_days().cast(pl.Float64)
        inside = date.dt.month().is_between(first, last)
        found[f"{name}_share"] = pl.when(inside).then(passed / whole).otherwise(0.0)
    return found


def _next_year() -> pl.Expr:
    return pl.date(pl.col("date").dt.year() + 1, 1, 1)
