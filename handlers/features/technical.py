"""Trend, momentum, range and cross-asset features of the target. It never looks ahead.

Returns are correlated, not levels: two levels that both drift correlate by themselves.

Windows count sessions; a feature needs three quarters of its window, else it is null.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k

_ROOT_YEAR = 252.0**0.5
"""Daily to yearly volatility, by the usual 252 sessions."""
_EWM_WINDOW = 256
"""Where the weights of the exponential mean of span 20 end; below 1e-11 there."""

_AS_ROLLED = (
    "mean_20",
    "mean_60",
    "mean_252",
    "ewm_20",
    "zscore_60",
    "rank_252",
    "slope_20",
    "volume_zscore_60",
    "corr_vix_60",
    "beta_vix_60",
)
"""The features that are rolled values as they are."""


@handler(
    reads={"features.panel": sessions(back=_EWM_WINDOW - 1)},
    writes="features.technical",
)
def technical(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    logs = panel.select(
        "date",
        "close",
        "volume_lag1",
        "treasury_10y",
        return_1=k.log_return("close"),
        return_vix=k.log_return("vix"),
    )
    rolled = k.roll(
        logs,
        {
            "mean_20": k.mean("close", 20, min_count=15),
            "mean_60": k.mean("close", 60, min_count=45),
            "mean_252": k.mean("close", 252, min_count=189),
            "ewm_20": k.ewm_mean("close", span=20, window=_EWM_WINDOW, min_count=15),
            "zscore_60": k.zscore("close", 60, min_count=45),
            "rank_252": k.rank("close", 252, min_count=189),
            "slope_20": k.slope("close", 20, min_count=15),
            "std_20": k.std("return_1", 20, min_count=15),
            "std_60": k.std("return_1", 60, min_count=45),
            "volume_zscore_60": k.zscore("volume_lag1", 60, min_count=45),
            "corr_vix_60": k.corr(
                y="return_1", x="return_vix", window=60, min_count=45
            ),
            "beta_vix_60": k.beta(
                y="return_1", x="return_vix", window=60, min_count=45
            ),
        },
    )
    return rolled.select(
        "date",
        "return_1",
        return_5=k.log_return("close", 5),
        return_20=k.log_return("close", 20),
        treasury_change_20=pl.col("treasury_10y") - k.lag("treasury_10y", 20),
        volatility_20=pl.col("std_20") * _ROOT_YEAR,
        volatility_60=pl.col("std_60") * _ROOT_YEAR,
        **{name: pl.col(name) for name in _AS_ROLLED},
    )
