"""The weather features in plain Python, from days of a region. It knows no kernel.

A walk over days, years and seasons, as a person would do it with a calendar.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from functools import cache, partial
from math import log
from typing import Any

import polars as pl

Day = dict[str, Any]
Days = dict[date, Day]


def known_days(rows: pl.DataFrame, decided: datetime) -> Days:
    """Return the days that were settled at a moment."""
    return {
        row["date"]: row
        for row in rows.iter_rows(named=True)
        if row["knowable_at"] <= decided
    }


def expected(
    rows: pl.DataFrame, day: date, decided: datetime, *, south: bool
) -> dict[str, float | None]:
    """Return the features of a session, without the region's name."""
    days = known_days(rows, decided)
    newest = max((d for d in days if d <= day), default=date.min)
    if (day - newest).days > 14:
        return {}
    rain = {n: cache(partial(_sum, days, "rain_mm", n)) for n in (7, 30, 90)}
    mean = {n: cache(partial(_mean, days, n)) for n in ("tmax", "tmin")}
    grown = partial(degree_days, days, south=south)
    week, level = rain[7](newest), grown(newest)
    last = [newest - timedelta(days=i) for i in range(30)]
    return {
        "rain_7_log": None if week is None else log(week + 1),
        "rain_30_log_ratio": _log_ratio(rain[30], newest),
        "rain_90_log_ratio": _log_ratio(rain[90], newest),
        "heat_anomaly_7": _less(mean["tmax"](newest), usual(mean["tmax"], newest)),
        "cold_anomaly_7": _less(mean["tmin"](newest), usual(mean["tmin"], newest)),
        "degree_days": level,
        "degree_days_gap": _less(level, usual(grown, newest, near=0)),
        "drought_days_30": _count([_dry(rain[30], d) for d in last]),
        "heat_days_30": _count([_hot(days, d) for d in last]),
        "climatology_years": float(len(seasons(mean["tmax"], newest))) or None,
        "places": float(days[newest]["places"]),
    }


def degree_days(days: Days, day: date, *, south: bool) -> float | None:
    """Return the growing-degree days from the season's start up to a day."""
    months = (10, 11, 12, 1, 2, 3) if south else (5, 6, 7, 8, 9)
    if day.month not in months:
        return None
    begins = date(day.year - (south and day.month < 10), months[0], 1)
    elapsed = (day - begins).days + 1
    gained = []
    for i in range(elapsed):
        one = days.get(begins + timedelta(days=i))
        if one and one["tmax"] is not None and one["tmin"] is not None:
            high, low = (min(max(one[n], 10.0), 30.0) for n in ("tmax", "tmin"))
            gained.append((high + low) / 2 - 10)
    if len(gained) < 0.75 * elapsed:
        return None
    return sum(gained) / len(gained) * elapsed


def seasons(
    of: Callable[[date], float | None], day: date, *, near: int = 15
) -> list[list[float]]:
    """Return the values of the same season in each of fifteen years before."""
    found = []
    for back in range(1, 16):
        leap = (day.month, day.day) == (2, 29) and (day.year - back) % 4
        same = day.replace(year=day.year - back, day=28 if leap else day.day)
        around = (of(same + timedelta(days=i)) for i in range(-near, near + 1))
        values = [v for v in around if v is not None]
        if len(values) >= (24 if near else 1):
            found.append(values)
    return found


def usual(
    of: Callable[[date], float | None], day: date, *, near: int = 15
) -> float | None:
    """Return the mean of the seasons' means, where ten years have one."""
    found = seasons(of, day, near=near)
    if len(found) < 10:
        return None
    return sum(sum(v) / len(v) for v in found) / len(found)


def _window(days: Days, day: date, name: str, length: int) -> list[float] | None:
    around = (days.get(day - timedelta(days=i)) for i in range(length))
    values = [d[name] for d in around if d is not None and d[name] is not None]
    needed = {7: 6, 30: 23, 90: 68}[length]
    return values if len(values) >= needed else None


def _sum(days: Days, name: str, length: int, day: date) -> float | None:
    values = _window(days, day, name, length)
    return None if values is None else sum(values)


def _mean(days: Days, name: str, day: date) -> float | None:
    values = _window(days, day, name, 7)
    return None if values is None else sum(values) / len(values)


def _less(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right


def _log_ratio(of: Callable[[date], float | None], day: date) -> float | None:
    here, mean = of(day), usual(of, day)
    return None if here is None or mean is None else log(here + 1) - log(mean + 1)


def _share(
    of: Callable[[date], float | None], day: date, counts: Callable[..., bool]
) -> float | None:
    own, found = of(day), seasons(of, day)
    if own is None or len(found) < 10:
        return None
    values = [v for season in found for v in season]
    return sum(counts(v, own) for v in values) / len(values)


def _dry(rain: Callable[[date], float | None], day: date) -> bool | None:
    share = _share(rain, day, lambda v, own: v <= own)
    return None if share is None else share < 0.2


def _hot(days: Days, day: date) -> bool | None:
    def tmax(when: date) -> float | None:
        found = days.get(when)
        return found["tmax"] if found else None

    share = _share(tmax, day, lambda v, own: v >= own)
    return None if share is None else share < 0.1


def _count(hits: list[bool | None]) -> float | None:
    told = [hit for hit in hits if hit is not None]
    return float(sum(told)) if len(told) >= 23 else None
