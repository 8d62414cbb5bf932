"""When an observation becomes knowable by a registered rule. It sees no stamps."""

from __future__ import annotations

from datetime import time

import polars as pl


def released_at(day: pl.Expr, *, weekdays_after: int, at: time, zone: str) -> pl.Expr:
    """Return the instant (UTC) from which an observation is knowable.

    Args:
        day: the date that the observation describes.
        weekdays_after: how many weekdays later it is released; a weekend's
            observation counts from the Monday after it.
        at: the local time of the release.
        zone: the time zone of that time.
    """
    released = day.dt.add_business_days(weekdays_after, roll="forward")
    local = released.dt.combine(at).dt.cast_time_unit("us")
    return local.dt.replace_time_zone(zone).dt.convert_time_zone("UTC")
