"""Window-pure rolling columns: the value at row t depends on its window alone.

Rows outside the window, other requests and chunking never change a bit:

    from cbi_stream import kernels as k

    prices = prices.with_columns(ret=k.log_return("close"))
    prices = k.roll(prices, {
        "mean_20": k.mean("close", 20),
        "zscore_60": k.zscore("close", 60, min_count=45),
        "beta_60": k.beta(y="ret", x="ret_vix", window=60),
        "trend_26": k.ewm_mean("close", span=26),
    })

Read `tree` first (how a window is put together), then `moments`, then `formulas`.
"""

from __future__ import annotations

from cbi_stream.kernels.ask import (
    KERNELS,
    beta,
    corr,
    cov,
    ewm_mean,
    max,
    mean,
    min,
    rank,
    slope,
    std,
    sum,
    var,
    zscore,
)
from cbi_stream.kernels.kernel import Kernel
from cbi_stream.kernels.returns import lag, log_return, simple_return
from cbi_stream.kernels.roll import roll

__all__ = [
    "KERNELS",
    "Kernel",
    "beta",
    "corr",
    "cov",
    "ewm_mean",
    "lag",
    "log_return",
    "max",
    "mean",
    "min",
    "rank",
    "roll",
    "simple_return",
    "slope",
    "std",
    "sum",
    "var",
    "zscore",
]
