"""Steps from one observation of a series to the next, as they were known.

It never sets a value against one that was not out at the session's decision time, and
never bridges an observation that is missing.
"""

from __future__ import annotations

import polars as pl

from cbi_stream.kernels.asof import newest_known


def steps_known(
    listed: pl.DataFrame, observations: pl.DataFrame, *, max_age_days: int, days: int
) -> pl.DataFrame:
    """Return, per session, the log step to the newest observation knowable then.

    Args:
        listed: the sessions, with `date` and `decision_time`.
        observations: one series with `date`, `vintage`, `value` and `knowable_at`.
        max_age_days: how old the newer observation may be.
        days: how many days the older one lies before it.

    Returns:
        `date` and `value`: the log of the newer over the older, each in the last
        version known at the decision time; sessions without both, or with one that is
        not above 0, are left out.
    """
    newer = newest_known(listed, observations, max_age_days=max_age_days)
    observed = pl.col("date") - pl.duration(days="age_days")
    older = observations.select("vintage", "knowable_at", old="value", then="date")
    return (
        newer.with_columns(then=observed.dt.offset_by(f"-{days}d"))
        .join(listed.select("date", "decision_time"), on="date", maintain_order="left")
        .join(older, on="then", maintain_order="left")
        .filter(pl.col("knowable_at") <= pl.col("decision_time"))
        .sort("date", "vintage")
        .unique("date", keep="last", maintain_order=True)
        .filter((pl.col("value") > 0) & (pl.col("old") > 0))
        .select("date", value=pl.col("value").log() - pl.col("old").log())
    )
