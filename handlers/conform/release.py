"""When an observation becomes knowable by its registered rule. It sees no stamps."""

from __future__ import annotations

import polars as pl

from cbi_stream import Release


def released_at(day: pl.Expr, rule: Release) -> pl.Expr:
    """Return the instant (UTC) from which an observation dated `day` is knowable."""
    # A weekend's observation counts from the Monday after it.
    released = day.dt.add_business_days(rule.weekdays_after, roll="forward")
    local = released.dt.combine(rule.at).dt.cast_time_unit("us")
    return local.dt.replace_time_zone(rule.zone).dt.convert_time_zone("UTC")
