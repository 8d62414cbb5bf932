"""What is odd about a session's data, under names of its own. It mends and hides nothing.

These say how far a row can be trusted; they are no signals of the market.
"""

from __future__ import annotations

import polars as pl

LOOK_BACK = 3
"""Sessions before a row that are looked at."""
_JUMP = 0.10
"""Log; ZL moved farther on two days in 25 years."""
_STALE = 3
"""So many equal closes in a row are stale."""
_OWN = ("open", "high", "low")


def quality(panel: pl.DataFrame) -> pl.DataFrame:
    """Return by date the flags of a panel: null where their own inputs are missing."""
    close = pl.col("close")
    before = close.shift(1)
    moved = pl.when((close > 0) & (before > 0)).then((close.log() - before.log()).abs())
    same = pl.all_horizontal(close == close.shift(i) for i in range(1, _STALE))
    ages = [n for n in panel.columns if n.endswith("_age_days")]
    inputs = [n.removesuffix("_age_days") for n in ages]
    missing = pl.sum_horizontal(pl.col(n).is_null() for n in inputs)
    return panel.select(
        "date",
        quality_close_missing=close.is_null(),
        quality_bar_incomplete=pl.any_horizontal(pl.col(n).is_null() for n in _OWN),
        quality_price_jump=moved > _JUMP,
        quality_stale_close=same,
        quality_inputs_missing=missing.cast(pl.Float64) * (1.0 / max(len(inputs), 1)),
    )
