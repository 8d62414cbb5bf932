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


def growth_known(
    grid: pl.DataFrame, observations: pl.DataFrame, *, max_age_days: int, months: int
) -> pl.DataFrame:
    """Return, per session, the log growth up to the newest observation knowable then.

    Both values are taken as they were known at the session's decision time: growth
    between two vintages would count a restatement as growth.

    Args:
        grid: as for `newest_known`.
        observations: one series, dated by the first day of a month.
        max_age_days: how old the newer observation may be.
        months: how many months the older one lies before it.

    Returns:
        `date`, `value` (log of the newer over the older value, unitless) and
        `age_days`; sessions without both, or with one that is not above 0, are left
        out. Sorted by date.
    """
    newer = newest_known(grid, observations, max_age_days=max_age_days)
    back = (pl.col("date") - pl.duration(days="age_days")).dt.offset_by(f"-{months}mo")
    older = observations.select("vintage", "knowable_at", old="value", then="date")
    pairs = (
        newer.with_columns(then=back)
        .join(grid.select("date", "decision_time"), on="date", maintain_order="left")
        .join(older, on="then", maintain_order="left")
        .filter(pl.col("knowable_at") <= pl.col("decision_time"))
        .sort("date", "vintage")
        .unique("date", keep="last", maintain_order=True)
        .filter((pl.col("value") > 0) & (pl.col("old") > 0))
    )
    growth = pl.col("value").log() - pl.col("old").log()
    return pairs.select("date", "age_days", value=growth)
