"""The panel: per session, what was knowable at its decision time. Nothing later.

From the target's first session to its newest one, without holes: a session without a
price is a row of nulls, so that windows count sessions and never slide.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, from_registry, grid, handler, known, sessions
from cbi_stream.kernels.asof import newest_known


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.prices": sessions(back=1),
        "staging.fred": known(max_age=from_registry("join_spec.oldest")),
    },
    writes="features.panel",
    spec=("settings", "join_spec"),
)
def panel(
    sessions: pl.DataFrame, prices: pl.DataFrame, fred: pl.DataFrame, *, spec: Spec
) -> pl.DataFrame:
    """Return one row per session of the target's extent."""
    bars = prices.filter(pl.col("symbol") == spec.settings.target)
    grid_ = sessions.filter(pl.col("listed"))
    # A session's volume is final one session later: its own is not known yet.
    lagged = bars.select(
        previous=pl.col("date"), volume_lag1=pl.col("volume").cast(pl.Float64)
    )
    out = grid_.join(
        bars.select("date", "open", "high", "low", "close"),
        on="date",
        how="left",
        maintain_order="left",
    ).join(lagged, on="previous", how="left", maintain_order="left")
    for name, joined in spec.join_spec.columns.items():
        observed = fred.filter(pl.col("series") == joined.series)
        found = newest_known(grid_, observed, max_age_days=joined.max_age_days)
        out = out.join(
            found.rename({"value": name, "age_days": f"{name}_age_days"}),
            on="date",
            how="left",
            maintain_order="left",
        )
    return out.drop("previous", "decision_time", "listed")
