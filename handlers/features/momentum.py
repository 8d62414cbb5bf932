"""How far and how steadily the target's close has moved. It knows no other market.

The exponential means have weights that end where the docstrings say, so that a value
depends on its window alone; each also needs three quarters of its span inside the span
itself, else a hole in the prices would be bridged by what stands before it.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k
from handlers.features.strength import strength

_MACD_WINDOW = 192
"""Sessions; the weights left out add up to (25/27)^192 = 4e-7 for the slower mean."""
_SIGNAL_WINDOW = 64
"""Sessions; the weights left out add up to 0.8^64 = 6e-7."""

_ROLLED = {
    "fast": k.ewm_mean("log_close", 12, window=_MACD_WINDOW, min_count=1),
    "slow": k.ewm_mean("log_close", 26, window=_MACD_WINDOW, min_count=1),
    "closes_known": k.sum("log_close", 26, min_count=20),
    "highest": k.max("log_close", 252, min_count=189),
    "lowest": k.min("log_close", 252, min_count=189),
}
_SIGNAL = {
    "signal": k.ewm_mean("macd_12_26", 9, window=_SIGNAL_WINDOW, min_count=1),
    "macd_known": k.sum("macd_12_26", 9, min_count=7),
}


def momentum(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    macd_12_26 and macd_signal_9 (Appel) are of log closes: the exponential mean of span
    12 minus that of span 26, and the mean of span 9 of that difference. So their unit
    is log (about a share of the price), the same at 20 and at 80 cents.
    """
    logs = panel.select(
        log_close=pl.when(pl.col("close") > 0).then(pl.col("close").log())
    )
    settled = pl.col("closes_known").is_not_null()
    rolled = k.roll(logs, _ROLLED).select(
        macd_12_26=pl.when(settled).then(pl.col("fast") - pl.col("slow")),
        distance_from_high_252=pl.col("log_close") - pl.col("highest"),
        distance_from_low_252=pl.col("log_close") - pl.col("lowest"),
    )
    signalled = pl.when(pl.col("macd_known").is_not_null()).then(pl.col("signal"))
    moves = k.roll(rolled, _SIGNAL).select(*rolled.columns, macd_signal_9=signalled)
    return moves.insert_column(0, strength(panel, "close", over=14).alias("rsi_14"))
