"""Volatility from a session's open, high, low and close. It never mends a bar.

Which bars count is said in `bars`; any other one is missing. All features are of log
prices, so that a range is a share of the price.
"""

from __future__ import annotations

from datetime import date
from math import log

import polars as pl

from cbi_stream import kernels as k
from handlers.features.bars import log_bars

_YEAR = 252.0
"""Sessions a year, as for the other volatilities."""
_PER_SQUARED_RANGE = 1.0 / (4.0 * log(2.0))
"""Parkinson, The Extreme Value Method (1980): what a squared log range counts for."""
_PER_SQUARED_DAY = 2.0 * log(2.0) - 1.0
"""Garman and Klass, On the Estimation of Security Price Volatilities (1980)."""
_WILDER_SPAN = 27
"""Wilder's smoothing over 14 sessions: 2 / (27 + 1) = 1/14."""
_WILDER_WINDOW = 240
"""Sessions; the weights left out add up to (13/14)^240 = 2e-8."""

_ROLLED = {
    "true_ranges": k.ewm_mean(
        "true_range", _WILDER_SPAN, window=_WILDER_WINDOW, min_count=1
    ),
    "true_ranges_known": k.sum("true_range", _WILDER_SPAN, min_count=21),
    "parkinson": k.mean("squared_range", 20, min_count=15),
    "garman_klass": k.mean("variance", 20, min_count=15),
}


def ranges(panel: pl.DataFrame, *, first: date) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    atr_14 is Wilder's average true range, of log prices, and parkinson_20 and
    garman_klass_20 are yearly volatilities (log) over 20 sessions:

        true range    max(high, previous close) - min(low, previous close)
        parkinson     sqrt(252 * mean((high - low)^2) / (4 ln 2))
        garman_klass  sqrt(252 * mean((high - low)^2 / 2 - (2 ln 2 - 1)
                      * (close - open)^2)), their estimator without drift

    Args:
        panel: with date, open, high, low and close.
        first: the first session whose highs and lows can be trusted.
    """
    known = pl.col("true_ranges_known").is_not_null()
    return k.roll(_parts(log_bars(panel, first)), _ROLLED).select(
        atr_14=pl.when(known).then(pl.col("true_ranges")),
        parkinson_20=(pl.col("parkinson") * (_YEAR * _PER_SQUARED_RANGE)).sqrt(),
        garman_klass_20=(pl.col("garman_klass") * _YEAR).sqrt(),
    )


def _parts(logs: pl.DataFrame) -> pl.DataFrame:
    """Return per session what the three measures are means of."""
    high, low, before = pl.col("high"), pl.col("low"), pl.col("before")
    squared = (high - low) * (high - low)
    day = pl.col("close") - pl.col("open")
    both = high.is_not_null() & before.is_not_null()
    # max_horizontal skips nulls: without a previous close it would be the plain range.
    reach = pl.max_horizontal(high, before) - pl.min_horizontal(low, before)
    return logs.select(
        true_range=pl.when(both).then(reach),
        squared_range=squared,
        variance=squared * 0.5 - day * day * _PER_SQUARED_DAY,
    )
