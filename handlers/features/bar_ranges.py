"""Volatility from open, high, low and close beyond the plain ranges. It mends no bar.

Which bars count is said in `bars`; any other one is missing. All features are of log
prices; yearly ones take 252 sessions a year.
"""

from __future__ import annotations

from datetime import date
from math import log

import polars as pl

from cbi_stream import kernels as k
from handlers.features.bars import log_bars
from handlers.features.deviations import log_ratio

_YEAR = 252.0
_PER_SQUARED_RANGE = 1.0 / (4.0 * log(2.0))
"""Parkinson, The Extreme Value Method (1980): what a squared log range counts for."""
_PER_SQUARED_DAY = 2.0 * log(2.0) - 1.0
"""Garman and Klass, On the Estimation of Security Price Volatilities (1980)."""
_LENGTHS = {20: 15, 30: 23}
"""Sessions of a window, and how many bars it needs."""

_ROLLED = {
    **{
        f"{name}_{n}": k.mean(name, n, min_count=least)
        for n, least in _LENGTHS.items()
        for name in ("squared_range", "garman_klass", "rogers_satchell", "range")
    },
    **{
        f"{name}_{n}": k.std(name, n, min_count=least)
        for n, least in _LENGTHS.items()
        for name in ("overnight", "day", "return_1")
    },
}


def bar_ranges(panel: pl.DataFrame, *, first: date) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    With h, l and c the logs of high, low and close over the open, yearly:

        rogers_satchell  sqrt(252 * mean(h (h - c) + l (l - c))), from Rogers and
                         Satchell (1991): no drift disturbs it
        yang_zhang       sqrt(252 * (v_o + k v_c + (1 - k) rs)), from Yang and Zhang
                         (2000): v_o and v_c are the variances of the open over the
                         close before and of c, k = 0.34 / (1.34 + (n + 1) / (n - 1))

    overnight_share_20 is v_o / (v_o + v_c). range_ratio_20 is the log of the session's
    range over its mean of 20 sessions; close_to_range_20 that of the deviation of the
    close over what the ranges say (Parkinson's).

    Args:
        panel: with date, open, high, low and close.
        first: the first session whose highs and lows can be trusted.
    """
    parts = _parts(log_bars(panel, first), panel)
    by_range = (pl.col("squared_range_20") * _PER_SQUARED_RANGE).sqrt()
    night, day = (pl.col(f"{n}_20") * pl.col(f"{n}_20") for n in ("overnight", "day"))
    return k.roll(parts, _ROLLED).select(
        parkinson_30=(pl.col("squared_range_30") * (_YEAR * _PER_SQUARED_RANGE)).sqrt(),
        garman_klass_30=(pl.col("garman_klass_30") * _YEAR).sqrt(),
        rogers_satchell_20=(pl.col("rogers_satchell_20") * _YEAR).sqrt(),
        yang_zhang_20=_yang_zhang(20),
        yang_zhang_30=_yang_zhang(30),
        overnight_gap=pl.col("overnight"),
        overnight_volatility_20=pl.col("overnight_20") * _YEAR**0.5,
        overnight_share_20=pl.when(night + day > 0).then(night / (night + day)),
        range_ratio_20=log_ratio(pl.col("range"), pl.col("range_20")),
        close_to_range_20=log_ratio(pl.col("return_1_20"), by_range),
    )


def _parts(logs: pl.DataFrame, panel: pl.DataFrame) -> pl.DataFrame:
    """Return per session what the measures are means and deviations of."""
    start, close = pl.col("open"), pl.col("close")
    high, low = pl.col("high"), pl.col("low")
    width, day = high - low, close - start
    return logs.select(
        width.alias("range"),
        squared_range=width * width,
        garman_klass=width * width * 0.5 - day * day * _PER_SQUARED_DAY,
        rogers_satchell=(high - start) * (high - close) + (low - start) * (low - close),
        overnight=start - pl.col("before"),
        day=day,
        return_1=panel.select(k.log_return("close")).to_series(),
    )


def _yang_zhang(over: int) -> pl.Expr:
    weight = 0.34 / (1.34 + (over + 1) / (over - 1))
    night, day = (pl.col(f"{name}_{over}") for name in ("overnight", "day"))
    within = pl.col(f"rogers_satchell_{over}") * (1.0 - weight)
    return ((night * night + day * day * weight + within) * _YEAR).sqrt()
