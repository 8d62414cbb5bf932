"""How fast the target's close has moved, and whether it speeds up. No other market.

Exponential means have weights that end where the docstrings say, so that a value
depends on its window alone.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k
from handlers.features.strength import strength

_TRIX_SPAN = 12
_TRIX_WINDOW = 52
"""Sessions; the weights left out add up to (11/13)^52 = 2e-4 for each of three means.
Of three such windows the oldest session weighs 3e-14: with longer ones it would weigh
nothing that a double can hold."""

_ROLLED = {
    "gains": k.sum("gain", 20, min_count=15),
    "moves": k.sum("move", 20, min_count=15),
}


def speed(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    return_acceleration_20: the log return of 20 sessions minus that of the 20 before.

    roc_10: the rate of change over 10 sessions, in percent.

    chande_20 (Chande and Kroll, The New Technical Trader, 1994): gains minus losses
    over gains plus losses of 20 changes, in percent; null where nothing moved.
    """
    change = pl.col("close") - k.lag("close", 1)
    changes = panel.select(
        "close", gain=change.clip(lower_bound=0.0), move=change.abs()
    )
    moves = pl.col("moves")
    share = pl.when(moves > 0).then(pl.col("gains") / moves)
    fast = k.log_return("close", 20)
    return k.roll(changes, _ROLLED).select(
        return_120=k.log_return("close", 120),
        return_252=k.log_return("close", 252),
        return_acceleration_20=fast - fast.shift(20),
        roc_10=k.simple_return("close", 10) * 100.0,
        rsi_9=strength(panel, "close", over=9),
        rsi_25=strength(panel, "close", over=25),
        chande_20=share * 200.0 - 100.0,
        trix_12=_trix(panel),
    )


def _trix(panel: pl.DataFrame) -> pl.Series:
    """Return the log change over one session of the close, thrice smoothed.

    Hutson, Good TRIX (Stocks & Commodities, 1983), who takes the percent change. Each
    smoothing is an exponential mean of span 12 that needs 9 values among its newest 12.
    """
    smooth = panel.select(pl.when(pl.col("close") > 0).then("close").alias("value"))
    for _ in range(3):
        rolled = k.roll(
            smooth,
            {
                "faded": k.ewm_mean(
                    "value", _TRIX_SPAN, window=_TRIX_WINDOW, min_count=1
                ),
                "known": k.sum("value", _TRIX_SPAN, min_count=9),
            },
        )
        smooth = rolled.select(
            value=pl.when(pl.col("known").is_not_null()).then(pl.col("faded"))
        )
    return smooth.select(k.log_return("value")).to_series()
