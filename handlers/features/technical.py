"""Trend, momentum, range and cross-asset features of the target. It never looks ahead.

Returns are correlated, not levels: two levels that both drift correlate by themselves.

Windows count sessions; a feature needs three quarters of its window, else it is null.
What is here reads the target's close and volume, VIX and the ten-year yield; the other
ideas stand in `momentum`, `ranges`, `cross_asset`, `trend`, `speed`, `steadiness`,
`oscillators` and `flows`, each a pure function of a panel.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, handler, sessions
from cbi_stream import kernels as k
from handlers.features.cross_asset import cross_asset
from handlers.features.flows import flows
from handlers.features.momentum import momentum
from handlers.features.oscillators import oscillators
from handlers.features.ranges import ranges
from handlers.features.speed import speed
from handlers.features.steadiness import steadiness
from handlers.features.trend import trend

_ROOT_YEAR = 252.0**0.5
"""Daily to yearly volatility, by the usual 252 sessions."""
_EWM_WINDOW = 256
"""Where the weights of the exponential mean of span 20 end; below 1e-11 there.

No other feature looks further back: differences over one session end their weights
earlier, so that the session before them is inside too."""

_ROLLED = {
    "mean_20": k.mean("close", 20, min_count=15),
    "mean_60": k.mean("close", 60, min_count=45),
    "mean_252": k.mean("close", 252, min_count=189),
    "ewm_20": k.ewm_mean("close", span=20, window=_EWM_WINDOW, min_count=15),
    "zscore_20": k.zscore("close", 20, min_count=15),
    "zscore_60": k.zscore("close", 60, min_count=45),
    "rank_252": k.rank("close", 252, min_count=189),
    "slope_20": k.slope("close", 20, min_count=15),
    "std_20": k.std("return_1", 20, min_count=15),
    "std_60": k.std("return_1", 60, min_count=45),
    "volume_20": k.mean("volume_lag1", 20, min_count=15),
    "volume_zscore_60": k.zscore("volume_lag1", 60, min_count=45),
    "corr_vix_60": k.corr(y="return_1", x="return_vix", window=60, min_count=45),
    "beta_vix_60": k.beta(y="return_1", x="return_vix", window=60, min_count=45),
}

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


_PANEL = (
    "open", "high", "low", "close", "volume_lag1", "vix", "treasury_10y",
    "soybeans_close", "meal_close", "crude_close", "gold_close",
)  # fmt: skip
"""What the features look at; a change of anything else in the panel reaches none."""


@handler(
    reads={"features.panel": sessions(back=_EWM_WINDOW - 1, columns=_PANEL)},
    writes="features.technical",
    spec=("settings",),
)
def technical(panel: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    first = spec.settings.ranges_from
    ideas = (
        momentum(panel),
        ranges(panel, first=first),
        cross_asset(panel),
        trend(panel),
        speed(panel),
        steadiness(panel),
        oscillators(panel, first=first),
        flows(panel, first=first),
    )
    # Each has the panel's rows in the panel's order.
    found = pl.concat([_levels(panel), *ideas], how="horizontal")
    return found.with_columns(
        macd_histogram_9=pl.col("macd_12_26") - pl.col("macd_signal_9"),
        keltner_position_20=_in_keltner_bands(panel["close"]),
    )


def _in_keltner_bands(close: pl.Series) -> pl.Expr:
    """Return 0 at the lower band, two average true ranges under ewm_20, 1 at the upper.

    Keltner's channel (1960) as Raschke draws it, in logs. Null where no range is known
    or there was none.
    """
    middle, reach = pl.col("ewm_20"), pl.col("atr_14")
    here = pl.lit(close)
    known = (here > 0) & (middle > 0) & (reach > 0)
    return pl.when(known).then((here / middle).log() / (reach * 4.0) + 0.5)


def _levels(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of the close, the volume, VIX and the ten-year yield.

    bollinger_position_20 is Bollinger's %b: 0 at the lower band of two deviations, 1 at
    the upper one. The deviation is the sample's (ddof 1), as everywhere here; Bollinger
    takes the population's, which is 2.6 % narrower over 20 values.
    """
    logs = panel.select(
        "date",
        "close",
        "volume_lag1",
        "treasury_10y",
        return_1=k.log_return("close"),
        return_vix=k.log_return("vix"),
    )
    slow, usual = pl.col("std_60"), pl.col("volume_20")
    return k.roll(logs, _ROLLED).select(
        "date",
        "return_1",
        return_5=k.log_return("close", 5),
        return_20=k.log_return("close", 20),
        return_60=k.log_return("close", 60),
        treasury_change_20=pl.col("treasury_10y") - k.lag("treasury_10y", 20),
        volatility_20=pl.col("std_20") * _ROOT_YEAR,
        volatility_60=slow * _ROOT_YEAR,
        volatility_ratio_20_60=pl.when(slow > 0).then(pl.col("std_20") / slow),
        bollinger_position_20=pl.col("zscore_20") * 0.25 + 0.5,
        volume_ratio_20=pl.when(usual > 0).then(pl.col("volume_lag1") / usual),
        **{name: pl.col(name) for name in _AS_ROLLED},
    )
