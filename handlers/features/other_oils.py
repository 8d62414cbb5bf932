"""Palm, rapeseed and sunflower oil beside soybean oil, in US dollars per tonne.

Palm comes from Kuala Lumpur in ringgit and is turned into dollars with the rate of the
same session. It never pairs monthly means of two months, and never fills a price.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k
from handlers.features.fuel_margins import OIL_USD_PER_GALLON

_TONNE = 22.0462
"""US dollars a tonne per cent a pound: 2,204.62 pounds."""
_FUEL = OIL_USD_PER_GALLON / _TONNE
"""US dollars a gallon per dollar a tonne: 7.5 pounds."""
_OTHERS = ("palm", "rapeseed", "sunflower")
"""Oils of which the World Bank has monthly means."""

_ROLLED = {
    "fcpo_ratio_zscore_60": k.zscore("fcpo_log_ratio", 60, min_count=45),
    "fcpo_ratio_rank_252": k.rank("fcpo_log_ratio", 252, min_count=189),
    "corr_fcpo_60": k.corr(y="return_1", x="fcpo_return_1", window=60, min_count=45),
    "corr_fcpo_252": k.corr(y="return_1", x="fcpo_return_1", window=252, min_count=189),
    "beta_fcpo_60": k.beta(y="return_1", x="fcpo_return_1", window=60, min_count=45),
    "fcpo_deviation_60": k.std("fcpo_return_1", 60, min_count=45),
    "fcpo_fuel_zscore_252": k.zscore("fcpo_fuel", 252, min_count=189),
}
_YEAR = 252.0
"""Sessions, as for the other volatilities."""


def other_oils(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows."""
    return pl.concat([_palm(panel), _by_month(panel)], how="horizontal")


def _palm(panel: pl.DataFrame) -> pl.DataFrame:
    """Return palm of the session beside the target and beside heating oil.

    fcpo_fuel is a gallon's worth of palm (7.5 pounds) less a gallon of heating oil, in
    US dollars per gallon: below zero palm is burnt without any mandate.
    """
    ringgit, rate = pl.col("fcpo_close"), pl.col("myr_close")
    dollars = pl.when((ringgit > 0) & (rate > 0)).then(ringgit / rate)
    prices = panel.select("close", "heating_oil_close", palm=dollars)
    oil, palm = pl.col("close") * _TONNE, pl.col("palm")
    gallon = palm * _FUEL
    beside = prices.select(
        fcpo_spread_usd_per_tonne=oil - palm,
        fcpo_log_ratio=pl.when((oil > 0) & (palm > 0)).then((oil / palm).log()),
        fcpo_fuel=gallon - pl.col("heating_oil_close"),
        return_1=k.log_return("close"),
        fcpo_return_1=k.log_return("palm"),
        fcpo_return_20=k.log_return("palm", 20),
    )
    ratio, fuel = "fcpo_log_ratio", "fcpo_fuel"
    return k.roll(beside, _ROLLED).select(
        "fcpo_spread_usd_per_tonne",
        ratio,
        "fcpo_return_1",
        "fcpo_return_20",
        *(name for name in _ROLLED if name != "fcpo_deviation_60"),
        fcpo_volatility_60=pl.col("fcpo_deviation_60") * _YEAR**0.5,
        fcpo_ratio_change_5=pl.col(ratio) - k.lag(ratio, 5),
        fcpo_ratio_change_20=pl.col(ratio) - k.lag(ratio, 20),
        fcpo_ratio_change_60=pl.col(ratio) - k.lag(ratio, 60),
        fcpo_fuel_change_20=pl.col(fuel) - k.lag(fuel, 20),
    )


def _by_month(panel: pl.DataFrame) -> pl.DataFrame:
    """Return log ratios of monthly means, each of soybean oil over another oil.

    The means of one month come in one workbook and carry one age; else null.
    """
    ratios = panel.select(_month_ratio(other) for other in _OTHERS)
    ranks = {
        f"{other}_month_rank_252": k.rank(f"{other}_month_ratio", 252, min_count=189)
        for other in _OTHERS
    }
    changes = {
        f"{other}_month_change_60": pl.col(f"{other}_month_ratio")
        - k.lag(f"{other}_month_ratio", 60)
        for other in _OTHERS
    }
    return k.roll(ratios, ranks).with_columns(**changes)


def _month_ratio(other: str) -> pl.Expr:
    soybean, them = "world_soybean_oil", f"world_{other}_oil"
    one_month = pl.col(f"{soybean}_age_days") == pl.col(f"{them}_age_days")
    paid = (pl.col(soybean) > 0) & (pl.col(them) > 0)
    ratio = (pl.col(soybean) / pl.col(them)).log()
    return pl.when(one_month & paid).then(ratio).alias(f"{other}_month_ratio")
