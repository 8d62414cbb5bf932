"""The target's price at each horizon, on the calendar's first session on or after.

A horizon is calendar days. A session without a settlement gives an unresolved label
with its reason, never the next close. The price is the front month, unadjusted.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, days, from_registry, grid, handler

_AHEAD = from_registry("horizons.reach")
"""The longest horizon, and the longest stretch without a session after it."""


@handler(
    reads={
        "calendar.sessions": grid("staging.prices", ahead=_AHEAD),
        "staging.prices": days(ahead=_AHEAD),
    },
    writes="labels.forward",
    spec=("settings", "horizons"),
)
def forward(
    sessions: pl.DataFrame, prices: pl.DataFrame, *, spec: Spec
) -> pl.DataFrame:
    """Return one row per session of the target and horizon."""
    closes = prices.filter(pl.col("symbol") == spec.settings.target).select(
        "date", "close"
    )
    base = (
        sessions.filter(pl.col("listed"))
        .select("date")
        .join(closes, on="date", how="left", maintain_order="left")
        .rename({"close": "base_price"})
    )
    parts = [
        _one_horizon(base, sessions, closes, name, length)
        for name, length in spec.horizons.days.items()
    ]
    return pl.concat(parts)


def _one_horizon(
    base: pl.DataFrame,
    sessions: pl.DataFrame,
    closes: pl.DataFrame,
    name: str,
    length: int,
) -> pl.DataFrame:
    due = base.with_columns(due=pl.col("date").dt.offset_by(f"{length}d"))
    targets = sessions.select(due=pl.col("date"), matures_on="date", listed="listed")
    # Both sides are sorted by date; the check would only warn about that.
    matched = due.join_asof(targets, on="due", strategy="forward").join(
        closes.rename({"date": "matures_on", "close": "target_price"}),
        on="matures_on",
        how="left",
        maintain_order="left",
    )
    target, origin = pl.col("target_price"), pl.col("base_price")
    reason = (
        pl.when(origin.is_null())
        .then(pl.lit("missing_base"))
        .when(~pl.col("listed"))
        .then(pl.lit("open"))
        .when(target.is_null())
        .then(pl.lit("missing_settlement"))
    )
    resolved = origin.is_not_null() & target.is_not_null()
    return matched.with_columns(resolved=resolved, reason=reason).select(
        "date",
        "matures_on",
        "base_price",
        "resolved",
        "reason",
        horizon=pl.lit(name),
        target_price=pl.when("resolved").then(target),
        # A difference of logs: polars may divide a single row by other bits than many.
        target_log_return=pl.when("resolved").then(target.log() - origin.log()),
        target_up=pl.when("resolved").then(target > origin),
    )
