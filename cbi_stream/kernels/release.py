"""When an observation is out at the latest, by a registered rule, and when it cannot be.

It sees no stamps.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import polars as pl

_AHEAD_DAYS = 1
"""An evening's trading may carry the date of the next day."""


def possible_from(day: pl.Expr, *, zone: str) -> pl.Expr:
    """Return the instant (UTC) before which nobody can have seen an observation.

    Args:
        day: the date that the observation describes, a day of `zone`.
        zone: the time zone of the source's days.
    """
    first = (day.cast(pl.Int32) - _AHEAD_DAYS).cast(pl.Int32).cast(pl.Date)
    # Where the clock skips midnight, the day begins an hour later.
    starts = [
        first.dt.combine(time(hour))
        .dt.cast_time_unit("us")
        .dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        for hour in (0, 1)
    ]
    return pl.coalesce(starts).dt.convert_time_zone("UTC")


def released_at(
    day: pl.Expr,
    *,
    at: time,
    zone: str,
    weekdays_after: int | None = None,
    days_after: int | None = None,
    next_week_on: int | None = None,
    closed: Sequence[date] = (),
    delays: Sequence[tuple[date, date, datetime]] = (),
) -> pl.Expr:
    """Return the instant (UTC) at which an observation is out at the latest.

    Args:
        day: the date that the observation describes.
        at: the local time of the release.
        zone: the time zone of that time.
        weekdays_after: how many weekdays later it is released; a weekend's
            observation counts from the Monday after it.
        days_after: or how many calendar days later.
        next_week_on: or on which weekday (Monday is 0) of the week after the date's.
        closed: weekdays that do not count.
        delays: (first, last, instant): observations of these dates were out then.
    """
    if weekdays_after is not None:
        released = day.dt.add_business_days(
            weekdays_after, holidays=closed, roll="forward"
        )
    elif next_week_on is not None:
        ahead = 8 - day.dt.weekday().cast(pl.Int32) + next_week_on
        due = (day.cast(pl.Int32) + ahead).cast(pl.Int32).cast(pl.Date)
        released = due.dt.add_business_days(0, holidays=closed, roll="forward")
    else:
        # A date is a count of days: the sum is exact, whatever the time zone.
        later = day.cast(pl.Int32) + (days_after or 0)
        released = later.cast(pl.Int32).cast(pl.Date)
    local = released.dt.combine(at).dt.cast_time_unit("us")
    # An hour that the clock skips or has twice must not stop a whole table.
    rule = local.dt.replace_time_zone(
        zone, ambiguous="latest", non_existent="null"
    ).dt.convert_time_zone("UTC")
    for first, last, by in delays:
        late = pl.lit(by.astimezone(UTC), pl.Datetime("us", "UTC"))
        rule = pl.when(day.is_between(first, last)).then(late).otherwise(rule)
    return rule
