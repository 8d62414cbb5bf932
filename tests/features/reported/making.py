"""Simulated reports, sessions, and plain walks over what was known. It knows no kernel.

Reports have holes, weeks that are missing, and figures that are restated later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import polars as pl

from cbi_stream.engine.slices import grid_frame
from cbi_stream.registry.loader import Registry
from cbi_stream.words.span import Span

Known = dict[str, dict[date, float | None]]
"""By series and date observed, the newest value that was known."""
Release = Callable[[date], datetime]


def sessions(registry: Registry, first: date, last: date) -> pl.DataFrame:
    """Return the sessions from one day to another, all of them listed."""
    span = Span(first, last + timedelta(days=1))
    return grid_frame(registry, span, span)


def after(days: int, hour: int = 21) -> Release:
    """Return a rule: so many days after the date, at an hour of UTC."""
    at = time(hour, 30, tzinfo=UTC)
    return lambda day: datetime.combine(day + timedelta(days=days), at)


def each(first: date, last: date, *, days: int = 7) -> list[date]:
    """Return every so many days from one day on."""
    return [first + timedelta(days=i) for i in range(0, (last - first).days + 1, days)]


def reported(
    levels: dict[str, float],
    dates: Sequence[date],
    release: Release,
    *,
    seed: int,
    torn: bool = True,
    spread: float = 0.08,
) -> pl.DataFrame:
    """Return staged rows of series that walk around their levels.

    Args:
        levels: by series, where it begins.
        dates: the dates observed.
        release: when a date's first version is knowable.
        seed: the same seed gives the same rows.
        torn: whether dates are missing, values null, and figures restated.
        spread: the deviation of a step, in log.
    """
    chance = np.random.Generator(np.random.PCG64(seed))
    there = [d for d in dates if not torn or chance.random() > 0.02]
    rows = []
    for series, level in levels.items():
        for day in there:
            value = round(level * float(np.exp(chance.normal(0.0, spread))), 3)
            again, hole = chance.random(2)
            known = release(day)
            first = None if torn and hole < 0.02 else value
            rows.append((series, day, 0, first, known))
            if torn and again < 0.04:
                later = known + timedelta(days=int(chance.integers(1, 40)))
                rows.append((series, day, 1, round(value * 1.02, 3), later))
    return staged(rows)


def staged(
    rows: Iterable[tuple[str, date, int, float | None, datetime]],
) -> pl.DataFrame:
    """Return rows as a staging table holds them, without what no family reads."""
    schema = {
        "series": pl.String,
        "date": pl.Date,
        "vintage": pl.Int64,
        "value": pl.Float64,
        "knowable_at": pl.Datetime("us", "UTC"),
    }
    frame = pl.DataFrame(list(rows), schema=schema, orient="row")
    return frame.sort("series", "date", "vintage")


def as_known(rows: pl.DataFrame, moment: datetime) -> Known:
    """Return what was known at a moment, walking over the rows one by one."""
    found: Known = {}
    for row in rows.sort("vintage").iter_rows(named=True):
        if row["knowable_at"] <= moment:
            found.setdefault(row["series"], {})[row["date"]] = row["value"]
    return found


def episodes(hits: Sequence[bool], *, apart: int = 20) -> tuple[int, int]:
    """Return how often it holds, and in how many stretches over 20 sessions apart."""
    places = [i for i, hit in enumerate(hits) if hit]
    begun = [b for a, b in zip([-apart - 1, *places], places, strict=False)
             if b - a > apart]  # fmt: skip
    return len(places), len(begun)


def earlier_weeks(values: Mapping[date, float], newest: date) -> list[float]:
    """Return the values of the same week in the five years before, as many as are there."""
    found = []
    for back in range(1, 6):
        leap = newest.month == 2 and newest.day == 29
        same = newest.replace(year=newest.year - back, day=28 if leap else newest.day)
        found += [v for d, v in values.items() if abs((d - same).days) <= 3]
    return found
