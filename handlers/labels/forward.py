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
    horizons = pl.DataFrame(
        {"horizon": list(spec.horizons.days), "days": list(spec.horizons.days.values())}
    )
    base = (
        sessions.filter(pl.col("listed"))
        .select("date")
        .join(closes, on="date", how="left", maintain_order="left")
        .rename({"close": "base_price"})
        .join(horizons, how="cross", maintain_order="left")
    )
    # A date is a count of days: the sum is exact, whatever the time zone.
    due = (pl.col("date").cast(pl.Int32) + pl.col("days")).cast(pl.Int32).cast(pl.Date)
    targets = sessions.select(due=pl.col("date"), matures_on="date", listed="listed")
    matched = (
        base.with_columns(due=due)
        .sort("due")
        .join_asof(targets, on="due", strategy="forward")
        .join(
            closes.rename({"date": "matures_on", "close": "target_price"}),
            on="matures_on",
            how="left",
            maintain_order="left",
        )
    )
    return _labelled(matched)


def _labelled(matched: pl.DataFrame) -> pl.DataFrame:
    """Return the labels, or why there is none."""
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
        "horizon",
        "matures_on",
        "base_price",
        "resolved",
        "reason",
        target_price=pl.when("resolved").then(target),
        # A difference of logs: polars may divide a single row by other bits than many.
        target_log_return=pl.when("resolved").then(target.log() - origin.log()),
        target_up=pl.when("resolved").then(target > origin),
    )
