"""Relative strength of a price by Wilder: gains among all moves. It looks at no level.

The weights end, so that a value depends on its window alone; three quarters of the
span are needed inside the span itself, else a hole would be bridged by what stands
before it.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

WINDOWS = {9: 160, 14: 240, 25: 255}
"""Changes that count, by Wilder's number of sessions n. The weights left out add up to
(1 - 1/n)^window: 7e-9, 2e-8 and 3e-5, the last one as the family looks back no
further."""


def strength(prices: pl.DataFrame, column: str, *, over: int) -> pl.Series:
    """Return the relative strength index of a price, in percent, in its order of rows.

    Wilder, New Concepts in Technical Trading Systems (1978): 100 times Wilder's mean
    gain over Wilder's mean absolute change. His smoothing has the weight 1/n for the
    newest change: the exponential mean of span 2n - 1, as 2 / (2n) = 1/n. Null where
    none of the newest 2n - 1 changes moved. He begins with a plain mean of n changes
    instead of weights that end.
    """
    span, window = 2 * over - 1, WINDOWS[over]
    change = pl.col(column) - k.lag(column, 1)
    changes = prices.select(gain=change.clip(lower_bound=0.0), move=change.abs())
    rolled = k.roll(
        changes,
        {
            "gains": k.ewm_mean("gain", span, window=window, min_count=1),
            "moves": k.ewm_mean("move", span, window=window, min_count=1),
            "known": k.sum("move", span, min_count=-(-3 * span // 4)),
        },
    )
    index = pl.col("gains") / pl.col("moves") * 100.0
    return rolled.select(pl.when(pl.col("known") > 0).then(index)).to_series()
