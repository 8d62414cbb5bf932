"""How far the target's close moves a session, and how that changes. It knows no bar.

Yearly volatilities take 252 sessions a year. A deviation is the sample's (ddof 1).
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

_ROOT_YEAR = 252.0**0.5
_EWM_WINDOW = 256
"""Where the weights of the exponential mean of span 20 end; below 1e-11 there."""

_ROLLED = {
    "std_5": k.std("return_1", 5, min_count=4),
    "std_10": k.std("return_1", 10, min_count=8),
    "std_20": k.std("return_1", 20, min_count=15),
    "std_60": k.std("return_1", 60, min_count=45),
    "std_120": k.std("return_1", 120, min_count=90),
    "std_252": k.std("return_1", 252, min_count=189),
    "ewm": k.ewm_mean("squared", 20, window=_EWM_WINDOW, min_count=1),
    "known": k.sum("squared", 20, min_count=15),
}
_OF_ROLLED = {
    "volatility_rank_252": k.rank("std_20", 252, min_count=189),
    "mean_of_std": k.mean("std_20", 60, min_count=45),
    "std_of_std": k.std("std_20", 60, min_count=45),
}


def deviations(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    volatility_ewm_20: the root of the exponential mean of squared log returns, without
    a mean taken off, as RiskMetrics (J.P. Morgan, 1996) does.

    volatility_of_volatility_60: the deviation of volatility_20 over 60 sessions as a
    share of its mean.
    """
    returns = panel.select(return_1=k.log_return("close")).with_columns(
        squared=pl.col("return_1") * pl.col("return_1")
    )
    known = pl.col("known").is_not_null()
    usual = pl.col("mean_of_std")
    return k.roll(k.roll(returns, _ROLLED), _OF_ROLLED).select(
        *(
            (pl.col(f"std_{n}") * _ROOT_YEAR).alias(f"volatility_{n}")
            for n in (5, 10, 120, 252)
        ),
        pl.when(known)
        .then(pl.col("ewm").sqrt() * _ROOT_YEAR)
        .alias("volatility_ewm_20"),
        "volatility_rank_252",
        volatility_of_volatility_60=pl.when(usual > 0).then(
            pl.col("std_of_std") / usual
        ),
        volatility_ratio_5_60=log_ratio(pl.col("std_5"), pl.col("std_60")),
        volatility_ratio_20_252=log_ratio(pl.col("std_20"), pl.col("std_252")),
        volatility_change_20=log_ratio(pl.col("std_20"), k.lag("std_20", 20)),
    )


def log_ratio(one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Return the log of one positive number over another; null unless both are above 0."""
    return pl.when((one > 0) & (other > 0)).then((one / other).log())
