"""The volatility of other markets, VIX among them, beside the target's. No level is filled.

VIX is the expected volatility of US shares. It is never called implied volatility of
soybean oil; its gap to the target's own volatility is a gap between two markets.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k
from handlers.features.deviations import log_ratio
from handlers.features.markets import MARKETS

_BESIDE = ("soybeans", "crude")
_ROOT_YEAR = 252.0**0.5
_PERCENT = 100.0

_ROLLED = {
    **{f"{name}_std_20": k.std(name, 20, min_count=15) for name in MARKETS},
    **{f"{name}_std_60": k.std(name, 60, min_count=45) for name in _BESIDE},
    "own_20": k.std("return_1", 20, min_count=15),
    "own_60": k.std("return_1", 60, min_count=45),
    "vix_rank_252": k.rank("vix", 252, min_count=189),
    "vix_highest": k.max("vix", 20, min_count=15),
    "vix_lowest": k.min("vix", 20, min_count=15),
    "vix_std": k.std("return_vix", 60, min_count=45),
}


def fear(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    Volatilities are yearly deviations (ddof 1) of log returns, 252 sessions a year.
    vix_less_volatility_20 is VIX minus the target's volatility of 20 sessions in
    percent, both in points a year.
    """
    returns = panel.select(
        "vix",
        return_1=k.log_return("close"),
        return_vix=k.log_return("vix"),
        **{name: k.log_return(f"{name}_close") for name in MARKETS},
    )
    own = pl.col("own_20") * (_ROOT_YEAR * _PERCENT)
    return k.roll(returns, _ROLLED).select(
        *(
            (pl.col(f"{name}_std_20") * _ROOT_YEAR).alias(f"{name}_volatility_20")
            for name in MARKETS
        ),
        *(
            log_ratio(pl.col("own_60"), pl.col(f"{name}_std_60")).alias(
                f"volatility_over_{name}_60"
            )
            for name in _BESIDE
        ),
        "vix_rank_252",
        vix_return_20=k.log_return("vix", 20),
        vix_range_20=log_ratio(pl.col("vix_highest"), pl.col("vix_lowest")),
        vix_volatility_60=pl.col("vix_std") * _ROOT_YEAR,
        vix_less_volatility_20=pl.col("vix") - own,
    )
