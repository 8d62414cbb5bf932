"""The target's bars as far as they can be trusted. It never mends one.

A bar counts from `ranges_from` of settings.yaml on, where all four prices are there
and above zero and the high and low enclose the open and the close; any other one is
missing.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream import kernels as k

_BAR = ("open", "high", "low", "close")


def sound_bars(panel: pl.DataFrame, first: date) -> pl.DataFrame:
    """Return open, high, low and close, in cents a pound, null where no bar counts.

    `before` is the previous close, which any positive one is good for.
    """
    low, high = pl.col("low"), pl.col("high")
    sound = (pl.col("date") >= first) & (low > 0)
    for inside in (pl.col("open"), pl.col("close")):
        sound &= (low <= inside) & (inside <= high)
    before = k.lag("close", 1)
    return panel.select(
        *(pl.when(sound).then(pl.col(name)).alias(name) for name in _BAR),
        before=pl.when(before > 0).then(before),
    )


def log_bars(panel: pl.DataFrame, first: date) -> pl.DataFrame:
    """Return the logs of `sound_bars`: a range is then a share of the price."""
    return sound_bars(panel, first).select(pl.all().log())


def typical_prices(panel: pl.DataFrame, first: date) -> pl.Series:
    """Return (high + low + close) / 3 in cents a pound (Lambert, Commodities, 1980).

    Here three prices above zero are enough: a close that lies a tick above its high
    moves the mean of the three by a third of a tick.
    """
    high, low, close = (pl.col(name) for name in ("high", "low", "close"))
    there = (pl.col("date") >= first) & (high > 0) & (low > 0) & (close > 0)
    prices = panel.select(pl.when(there).then((high + low + close) / 3.0))
    return prices.to_series()
