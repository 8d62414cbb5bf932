"""The panel: per session, what was knowable at its decision time. Nothing later.

From the target's first session to its newest one, without holes: a session without a
price is a row of nulls, so that windows count sessions and never slide.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Joined, Spec, from_registry, grid, handler, known, sessions
from cbi_stream.kernels.asof import growth_known, newest_known

_OLDEST = from_registry("join_spec.oldest")
_BAR = ("open", "high", "low", "close")


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.prices": sessions(back=1),
        "staging.fred": known(max_age=_OLDEST),
        "staging.cftc": known(max_age=_OLDEST),
    },
    writes="features.panel",
    spec=("settings", "join_spec"),
)
def panel(
    sessions: pl.DataFrame,
    prices: pl.DataFrame,
    fred: pl.DataFrame,
    cftc: pl.DataFrame,
    *,
    spec: Spec,
) -> pl.DataFrame:
    """Return one row per session of the target's extent."""
    grid_ = sessions.filter(pl.col("listed"))
    columns = _bars(prices, spec)
    out = grid_
    for frame, on in columns:
        out = out.join(frame, on=on, how="left", maintain_order="left")
    observed = _observed({"fred": fred, "cftc": cftc}, grid_, spec)
    for frame in observed:
        out = out.join(frame, on="date", how="left", maintain_order="left")
    return out.drop("previous", "decision_time", "listed")


def _bars(prices: pl.DataFrame, spec: Spec) -> list[tuple[pl.DataFrame, str]]:
    """Return the target's bar, its volume of the session before, and other closes."""
    of = {
        str(key[0]): rows
        for key, rows in prices.partition_by("symbol", as_dict=True).items()
    }
    nothing = prices.clear()
    bars = of.get(spec.settings.target, nothing)
    # A session's volume is final one session later: its own is not known yet.
    lagged = bars.select(
        previous=pl.col("date"), volume_lag1=pl.col("volume").cast(pl.Float64)
    )
    closes = [
        (
            of.get(entry.symbol, nothing).select(
                "date", pl.col("close").alias(f"{name}_close")
            ),
            "date",
        )
        for name, entry in spec.join_spec.prices.items()
    ]
    return [(bars.select("date", *_BAR), "date"), (lagged, "previous"), *closes]


def _observed(
    sources: Mapping[str, pl.DataFrame], grid_: pl.DataFrame, spec: Spec
) -> list[pl.DataFrame]:
    """Return per column of join_spec.yaml its values and their ages, by date."""
    found = []
    for name, joined in spec.join_spec.observations.items():
        rows = sources[joined.source].filter(pl.col("series") == joined.series)
        each = _joined(grid_, rows, joined)
        found.append(each.rename({"value": name, "age_days": f"{name}_age_days"}))
    return found


def _joined(grid_: pl.DataFrame, rows: pl.DataFrame, joined: Joined) -> pl.DataFrame:
    oldest = joined.max_age_days
    if joined.growth_months is None:
        return newest_known(grid_, rows, max_age_days=oldest)
    return growth_known(grid_, rows, max_age_days=oldest, months=joined.growth_months)
