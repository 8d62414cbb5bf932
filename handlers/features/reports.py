"""Reports as they were known: per session, the newest version of each past observation.

It selects, never computes a value, and takes no row that was not knowable at the
session's decision time. Sessions between two releases know the same, so what they know
is put together once for all of them: such a stretch is a `state`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl


def named(rows: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return the rows of some series, with `name` for what they are called here.

    Args:
        rows: of one staging table of observations.
        names: by name, the series.
    """
    series = pl.col("series")
    called = {each: name for name, each in names.items()}
    return rows.filter(series.is_in(list(called))).select(
        "vintage",
        "value",
        "knowable_at",
        name=series.replace_strict(called, default=None, return_dtype=pl.String),
        observed=pl.col("date"),
    )


def states(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return `date`, `decision_time` and `state` of the sessions.

    Two sessions of one state know the same of `rows`. Its number is the count of rows
    known, so it says nothing by itself.

    Args:
        listed: sessions with `date` and `decision_time`.
        rows: with `knowable_at`.
    """
    moments = rows["knowable_at"].sort()
    known = moments.search_sorted(listed["decision_time"], side="right")
    return listed.select("date", "decision_time").with_columns(
        state=known.cast(pl.Int64)
    )


def known(
    states: pl.DataFrame, rows: pl.DataFrame, *, window_days: int, ahead_days: int = 0
) -> pl.DataFrame:
    """Return, per state, each observation in the newest version that was known.

    Args:
        states: as `states` gives them.
        rows: as `named` gives them.
        window_days: how many days before the state's first session an observation may
            be dated.
        ahead_days: how many days after it; for periods that are projected.

    Returns:
        `state`, `name`, `observed`, `value` (null where published as missing) and the
        `knowable_at` of the version, sorted by the first three.
    """
    first = states.group_by("state", maintain_order=True).first()
    moments = first.select(
        "state",
        "decision_time",
        begins=pl.col("date").dt.offset_by(f"-{window_days}d"),
        ends=pl.col("date").dt.offset_by(f"{ahead_days}d"),
    )
    pairs = moments.join_where(
        rows,
        pl.col("knowable_at") <= pl.col("decision_time"),
        pl.col("observed") >= pl.col("begins"),
        pl.col("observed") <= pl.col("ends"),
    )
    order = ["state", "name", "observed"]
    newest = pairs.sort([*order, "vintage"]).unique(
        order, keep="last", maintain_order=True
    )
    return newest.select(*order, "value", "knowable_at")


def side_by_side(found: pl.DataFrame, names: Mapping[str, str]) -> pl.DataFrame:
    """Return one row per state and date observed, with a column for each name.

    Args:
        found: as `known` gives it.
        names: those of `named`; one of which nothing is known is a column of nulls.
    """
    wide = found.pivot(on="name", index=["state", "observed"], values="value")
    absent = {n: pl.lit(None, pl.Float64) for n in names if n not in wide.columns}
    return (
        wide.with_columns(**absent)
        .select("state", "observed", *names)
        .sort("state", "observed")
    )


def on_sessions(
    states: pl.DataFrame, found: pl.DataFrame, *, max_age_days: int
) -> pl.DataFrame:
    """Return one row per session with what its state says of its newest report.

    Args:
        states: as `states` gives them.
        found: one row per state: `state`, `observed` and the features.
        max_age_days: from when on the report is too old and says nothing.

    Returns:
        `date` and the features, null where there is no report or an old one.
    """
    features = [n for n in found.columns if n not in ("state", "observed")]
    out = states.join(found, on="state", how="left", maintain_order="left")
    age = (pl.col("date") - pl.col("observed")).dt.total_days()
    fresh = age <= max_age_days
    return out.select("date", *(pl.when(fresh).then(n).alias(n) for n in features))


def of_earlier_years(
    asked: pl.DataFrame, found: pl.DataFrame, *, years: int, near_days: int, least: int
) -> pl.DataFrame:
    """Return the mean of the same week in earlier years, as known to each state.

    Args:
        asked: `state` and `observed`, the weeks in question.
        found: rows with `state`, `observed` and `value`; a null counts as not there.
        years: how many earlier years.
        near_days: how far the week of another year may lie from the same day; below
            half a week, so that a year has one.
        least: how many years must have it.

    Returns:
        `state`, `observed` and `usual`; null, or no row, where fewer years have it.
    """
    days = pl.concat(
        asked.select(
            "state", "observed", same=pl.col("observed").dt.offset_by(f"-{k}y")
        )
        for k in range(1, years + 1)
    )
    earlier = found.drop_nulls("value").select("state", "value", then="observed")
    pairs = days.join_where(
        earlier.rename({"state": "known_to"}),
        pl.col("state") == pl.col("known_to"),
        pl.col("then") >= pl.col("same").dt.offset_by(f"-{near_days}d"),
        pl.col("then") <= pl.col("same").dt.offset_by(f"{near_days}d"),
    )
    there = pl.col("value").count()
    mean = pl.when(there >= least).then(pl.col("value").sum() / there)
    weeks = pairs.sort("state", "observed", "then")
    return weeks.group_by("state", "observed", maintain_order=True).agg(usual=mean)


def side_by_side_known(
    listed: pl.DataFrame, rows: pl.DataFrame, names: Mapping[str, str], *, days: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the states of the sessions, and what each of them knows, by date observed.

    Args:
        listed: sessions with `date` and `decision_time`.
        rows: of one staging table.
        names: by name, the series.
        days: how many days before a session an observation may be dated.
    """
    asked = named(rows, names)
    found = states(listed, asked)
    told = known(found, asked, window_days=days).drop("knowable_at")
    return found, side_by_side(told, names)
