"""As-of reads: the newest observation that was knowable at a moment. No arithmetic.

It selects and never computes a value, so its result does not depend on what else the
frames hold. It never looks past the decision time.
"""

from __future__ import annotations

import polars as pl


def newest_known(
    grid: pl.DataFrame, observations: pl.DataFrame, *, max_age_days: int
) -> pl.DataFrame:
    """Return, per session, the newest observation knowable at its decision time.

    Of several versions of one observation the last one knowable counts; where that one
    is null (published as missing), the observation before it is taken.

    Args:
        grid: `date` and `decision_time` (UTC).
        observations: one series with `date`, `vintage`, `value` and `knowable_at`.
        max_age_days: how many calendar days an observation may be older than its row.

    Returns:
        `date` of the grid, `value`, and `age_days` in calendar days; sessions with
        nothing knowable are left out. Sorted by date.
    """
    seen = observations.select(
        "vintage", "value", "knowable_at", observed=pl.col("date")
    ).with_columns(last=pl.col("observed").dt.offset_by(f"{max_age_days}d"))
    pairs = grid.select("date", "decision_time").join_where(
        seen,
        pl.col("observed") <= pl.col("date"),
        pl.col("last") >= pl.col("date"),
        pl.col("knowable_at") <= pl.col("decision_time"),
    )
    newest_version = pairs.sort("date", "observed", "vintage").unique(
        ["date", "observed"], keep="last", maintain_order=True
    )
    found = newest_version.drop_nulls("value").unique(
        "date", keep="last", maintain_order=True
    )
    age = (pl.col("date") - pl.col("observed")).dt.total_days()
    return found.select("date", "value", age_days=age)
