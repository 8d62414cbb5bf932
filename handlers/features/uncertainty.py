"""Indices of uncertainty that newspapers give a day: means, moves and ranks in days.

The windows count the days of the index, weekends too, not sessions. A mean is of the
values as they were known when its newest day came out, and no day that a session could
not know enters its rank. Nothing is filled: too few days in a window leave a null.
"""

from __future__ import annotations

import polars as pl

from cbi_stream.kernels.asof import newest_known

MONTH = 30
WEEK = 7
YEARS = 1826
"""Days; five years, in which about 1,260 sessions lie."""
REACH = YEARS + MONTH
"""How many days before the newest one a rank looks."""

_NEED = {MONTH: 23, WEEK: 6, YEARS: 1370}
"""Three quarters of each window."""
_PARTS = 2.0**32
"""Sums are of whole numbers of this part of a point: exact, in whatever order."""


def uncertainty(
    listed: pl.DataFrame, rows: pl.DataFrame, *, prefix: str, max_age_days: int
) -> pl.DataFrame:
    """Return the features of one index: a mean, its rank, and how both windows moved.

    Args:
        listed: `date` and `decision_time` of the sessions.
        rows: versions of the index: `date`, `vintage`, `value` and `knowable_at`.
        prefix: what the names begin with.
        max_age_days: how old the newest day of the index may be.

    Returns:
        date, <prefix>_mean_30 (index points, mean of the 30 days to the newest known
        one), <prefix>_ratio_7_30 (mean of 7 days over it), <prefix>_growth_30 (log of
        it over the mean 30 days before) and <prefix>_rank_1260 (its average rank among
        the means of the 1,826 days to the newest one, in (0, 1]).
    """
    means = _means(rows)
    observed = means.select("knowable_at", date="day", vintage=0, value="mean_30")
    newest = newest_known(listed, observed, max_age_days=max_age_days)
    day = (pl.col("date").cast(pl.Int32) - pl.col("age_days").cast(pl.Int32)).cast(
        pl.Date
    )
    now = newest.select("date", day=day).join(
        listed.select("date", "decision_time"), on="date", maintain_order="left"
    )
    now = now.join(
        means.drop("knowable_at"), on="day", how="left", maintain_order="left"
    )
    then = _known_before(now, means, days=[MONTH]).select("date", old="other")
    out = (
        listed.select("date")
        .join(now, on="date", how="left", maintain_order="left")
        .join(then, on="date", how="left", maintain_order="left")
        .join(_ranks(now, means), on="date", how="left", maintain_order="left")
    )
    here, old = pl.col("mean_30"), pl.col("old")
    return out.select(
        "date",
        here.alias(f"{prefix}_mean_30"),
        pl.when(here > 0).then(pl.col("mean_7") / here).alias(f"{prefix}_ratio_7_30"),
        pl.when((here > 0) & (old > 0))
        .then(here.log() - old.log())
        .alias(f"{prefix}_growth_30"),
        pl.col("rank").alias(f"{prefix}_rank_1260"),
    )


def _means(rows: pl.DataFrame) -> pl.DataFrame:
    """Return by day of the index the means that end there, as known when it came out."""
    first = rows.filter((pl.col("vintage") == 0) & pl.col("value").is_not_null())
    ends = first.select("knowable_at", day="date")
    back = pl.DataFrame({"back": range(MONTH)}, schema={"back": pl.Int32})
    pairs = ends.join(back, how="cross").with_columns(
        observed=(pl.col("day").cast(pl.Int32) - pl.col("back")).cast(pl.Date)
    )
    versions = rows.select(
        "vintage", seen="knowable_at", observed="date", parts=_in_parts("value")
    )
    inside = (
        pairs.join(versions, on="observed")
        .filter(pl.col("seen") <= pl.col("knowable_at"))
        .sort("day", "back", "vintage")
        .unique(["day", "back"], keep="last", maintain_order=True)
        .drop_nulls("parts")
    )
    short = pl.col("back") < WEEK
    sums = inside.group_by("day", "knowable_at").agg(
        month=pl.col("parts").sum(),
        days=pl.len(),
        week=pl.col("parts").filter(short).sum(),
        short_days=short.sum(),
    )
    return sums.select(
        "day",
        "knowable_at",
        mean_30=_mean("month", "days", _NEED[MONTH]),
        mean_7=_mean("week", "short_days", _NEED[WEEK]),
    ).sort("day")


def _in_parts(name: str) -> pl.Expr:
    return (pl.col(name) * _PARTS).round().cast(pl.Int64, strict=False)


def _mean(parts: str, count: str, need: int) -> pl.Expr:
    enough = pl.col(count) >= need
    return pl.when(enough).then(
        pl.col(parts).cast(pl.Float64) / _PARTS / pl.col(count).cast(pl.Float64)
    )


def _known_before(
    now: pl.DataFrame, means: pl.DataFrame, *, days: list[int] | range
) -> pl.DataFrame:
    """Return with each session the older means that were known at its decision."""
    back = pl.DataFrame({"back": days}, schema={"back": pl.Int32})
    older = means.select("knowable_at", then="day", other="mean_30").drop_nulls("other")
    pairs = now.select("date", "decision_time", "day", "mean_30").join(
        back, how="cross"
    )
    return (
        pairs.with_columns(
            then=(pl.col("day").cast(pl.Int32) - pl.col("back")).cast(pl.Date)
        )
        .join(older, on="then")
        .filter(pl.col("knowable_at") <= pl.col("decision_time"))
    )


def _ranks(now: pl.DataFrame, means: pl.DataFrame) -> pl.DataFrame:
    """Return the rank of each session's mean, ties at their average, over their count."""
    among = _known_before(now, means, days=range(YEARS)).group_by("date")
    other, here = pl.col("other"), pl.col("mean_30")
    counted = among.agg(
        count=pl.len().cast(pl.Float64),
        below=(other < here).sum().cast(pl.Float64),
        alike=(other == here).sum().cast(pl.Float64),
    )
    rank = (pl.col("below") + (pl.col("alike") + 1.0) / 2.0) / pl.col("count")
    return counted.select(
        "date", rank=pl.when(pl.col("count") >= _NEED[YEARS]).then(rank)
    )
