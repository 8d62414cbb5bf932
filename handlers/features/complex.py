"""Trend and momentum of the markets around soybean oil, by one formula each for all.

It never mixes two markets, so no units meet; the target's own stand in `technical`.
Crude has closed below zero (2020-04-20): such a price has no log, and a mean that is
not above zero no distance.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from cbi_stream import handler, sessions
from cbi_stream import kernels as k
from cbi_stream.kernels import Kernel
from handlers.features.deviations import log_ratio
from handlers.features.markets import MARKETS
from handlers.features.strength import strength

_ELSEWHERE = ("soybeans_return_20", "crude_return_20")
"""Features that `cross_asset` has made since before this family was."""
_ROOT_YEAR = 252.0**0.5
_REACH = 252

_ROLLED: dict[str, Callable[[str], Kernel]] = {
    "mean_200": lambda m: k.mean(f"{m}_close", 200, min_count=150),
    "zscore_60": lambda m: k.zscore(f"{m}_log", 60, min_count=45),
    "rank_252": lambda m: k.rank(f"{m}_close", 252, min_count=189),
    "std_60": lambda m: k.std(f"{m}_return", 60, min_count=45),
    "highest": lambda m: k.max(f"{m}_log", 252, min_count=189),
}
_MADE: dict[str, Callable[[str], pl.Expr]] = {
    "return_5": lambda m: k.log_return(f"{m}_close", 5),
    "return_20": lambda m: k.log_return(f"{m}_close", 20),
    "return_60": lambda m: k.log_return(f"{m}_close", 60),
    "zscore_60": lambda m: pl.col(f"{m}_zscore_60"),
    "rank_252": lambda m: pl.col(f"{m}_rank_252"),
    "rsi_14": lambda m: pl.col(f"{m}_rsi_14"),
    "distance_from_mean_200": lambda m: log_ratio(
        pl.col(f"{m}_close"), pl.col(f"{m}_mean_200")
    ),
    "volatility_60": lambda m: pl.col(f"{m}_std_60") * _ROOT_YEAR,
    "distance_from_high_252": lambda m: pl.col(f"{m}_log") - pl.col(f"{m}_highest"),
}
_FEATURES = [
    (market, what)
    for market in MARKETS
    for what in _MADE
    if f"{market}_{what}" not in _ELSEWHERE
]


@handler(
    reads={
        "features.panel": sessions(
            back=_REACH - 1, columns=tuple(f"{m}_close" for m in MARKETS)
        )
    },
    writes="features.complex",
)
def markets(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel.

    Of each market: log returns over 5, 20 and 60 sessions; how many deviations its log
    close lies over the mean of 60; the rank of its close among 252; Wilder's relative
    strength; the log of its close over its mean of 200 and over its high of 252; and
    its yearly volatility over 60 sessions.
    """
    prices = panel.select(
        "date",
        *(f"{m}_close" for m in MARKETS),
        **{f"{m}_log": _log(f"{m}_close") for m in MARKETS},
        **{f"{m}_return": k.log_return(f"{m}_close") for m in MARKETS},
    ).with_columns(
        strength(panel, f"{m}_close", over=14).alias(f"{m}_rsi_14") for m in MARKETS
    )
    asked = {f"{m}_{n}": kernel(m) for m in MARKETS for n, kernel in _ROLLED.items()}
    found = k.roll(prices, asked)
    return found.select(
        "date",
        **{f"{market}_{what}": _MADE[what](market) for market, what in _FEATURES},
    )


def _log(column: str) -> pl.Expr:
    return pl.when(pl.col(column) > 0).then(pl.col(column).log())
