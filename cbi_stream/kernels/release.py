"""When an observation is out at the latest, by a registered rule. It sees no stamps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

import polars as pl


def released_at(
    day: pl.Expr,
    *,
    at: time,
    zone: str,
    weekdays_after: int | None = None,
    days_after: int | None = None,
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
        closed: weekdays that do not count.
        delays: (first, last, instant): observations of these dates were out then.
    """
    if weekdays_after is not None:
        released = day.dt.add_business_days(
            weekdays_after, holidays=closed, roll="forward"
        )
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
