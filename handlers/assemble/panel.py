"""The panel: per session, what was knowable at its decision time. Nothing later.

From the target's first session to its newest one, without holes: a session without a
price is a row of nulls, so that windows count sessions and never slide. What stands
beside the target's bar is what registry/join_spec.yaml says.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import (
    Joined,
    ObservationJoin,
    PriceJoin,
    Spec,
    from_registry,
    grid,
    handler,
    known,
    sessions,
)
from cbi_stream.kernels.asof import growth_known, newest_known
from cbi_stream.kernels.join import beside, once

_OLDEST = from_registry("join_spec.oldest")
_BAR = ("open", "high", "low", "close")


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.prices": sessions(back=1),
        "staging.{joined}": known(max_age=_OLDEST),
    },
    writes="features.panel",
    spec=("settings", "join_spec"),
)
def panel(
    sessions: pl.DataFrame,
    prices: pl.DataFrame,
    joined: Mapping[str, pl.DataFrame],
    *,
    spec: Spec,
) -> pl.DataFrame:
    """Return one row per session of the target's extent."""
    listed = sessions.filter("listed")
    out = _with_bar(listed, prices, spec)
    for join in spec.join_spec.joins:
        if isinstance(join, PriceJoin):
            right = _closes(prices, join)
        else:
            right = _observed(joined[join.source], listed, join)
        out = _flagged(
            beside(out, right, on="date", name=join.name, how=join.how), join
        )
    return out.drop("previous", "decision_time", "listed")


def _with_bar(listed: pl.DataFrame, prices: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Return the grid with the target's bar, and its volume of the session before."""
    bars = prices.filter(pl.col("symbol") == spec.settings.target)
    # A session's volume is final one session later: its own is not known yet.
    lagged = bars.select(
        previous=pl.col("date"), volume_lag1=pl.col("volume").cast(pl.Float64)
    )
    out = beside(listed, bars.select("date", *_BAR), on="date", name="target")
    return beside(out, lagged, on="previous", name="volume")


def _closes(prices: pl.DataFrame, join: PriceJoin) -> pl.DataFrame:
    """Return by date what the bars of another symbol say."""
    bars = prices.filter(pl.col("symbol") == join.symbol)
    values = {name: price.column for name, price in join.prices.items()}
    return bars.select("date", **{name: pl.col(c) for name, c in values.items()})


def _observed(
    rows: pl.DataFrame, listed: pl.DataFrame, join: ObservationJoin
) -> pl.DataFrame:
    """Return by date the values of a join's series, and their ages."""
    out = listed.select("date")
    for name, each in join.observations.items():
        series = rows.filter(pl.col("series") == each.series)
        once(series, ("date", "vintage"), name=f"{join.name} ({each.series})")
        values = _as_of(listed, series, each).rename(
            {"value": name, "age_days": f"{name}_age_days"}
        )
        out = beside(out, values, on="date", name=join.name)
    # A session on which none was knowable is no match, so that `inner` can drop it.
    return out.filter(pl.any_horizontal(pl.col(join.names).is_not_null()))


def _as_of(listed: pl.DataFrame, rows: pl.DataFrame, joined: Joined) -> pl.DataFrame:
    oldest = joined.max_age_days
    if joined.growth_months is None:
        return newest_known(listed, rows, max_age_days=oldest)
    return growth_known(listed, rows, max_age_days=oldest, months=joined.growth_months)


def _flagged(out: pl.DataFrame, join: PriceJoin | ObservationJoin) -> pl.DataFrame:
    """Return the rows with a column per value that says whether it is missing.

    Before available_from there was nothing to miss: the flag is null.
    """
    counts = pl.lit(value=True)
    if join.available_from is not None:
        counts = pl.col("date") >= join.available_from
    return out.with_columns(
        pl.when(counts).then(pl.col(name).is_null()).alias(flag)
        for name, flag in join.flags.items()
    )
