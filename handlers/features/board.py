"""The crush over time, its products beside the beans, and beans beside grain.

It mends no price. The crush of one session jumps where one leg rolls before another, so
means of five sessions are compared, never single ones.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k
from handlers.features.cross_asset import board_crush, oil_share

_OIL = 0.11
"""US dollars a bushel per cent a pound: 11 pounds of oil from a bushel."""
_MEAL = 0.022
"""US dollars a bushel per dollar a short ton: 44 of 2,000 pounds."""
_BEANS = 0.01
"""US dollars per cent."""

_MEANS = {
    "newest": k.mean("crush", 5, min_count=4),
    "month": k.mean("crush", 20, min_count=15),
    "quarter": k.mean("crush", 60, min_count=45),
    "eleven": k.mean("crush", 11, min_count=8),
}
_ROLLED = {
    "crush_zscore_252": k.zscore("newest", 252, min_count=189),
}
_RATIOS_ROLLED = {
    "oil_share_zscore_60": k.zscore("oil_share", 60, min_count=45),
    "oil_share_rank_252": k.rank("oil_share", 252, min_count=189),
    "oil_soybeans_rank_252": k.rank("oil_soybeans_value", 252, min_count=189),
    "meal_soybeans_rank_252": k.rank("meal_soybeans_value", 252, min_count=189),
    "soybeans_corn_rank_252": k.rank("soybeans_corn_ratio", 252, min_count=189),
    "wheat_corn_rank_252": k.rank("wheat_corn_ratio", 252, min_count=189),
}


def board(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows."""
    return pl.concat([_crush_over_time(panel), _ratios(panel)], how="horizontal")


def _crush_over_time(panel: pl.DataFrame) -> pl.DataFrame:
    """Return what the board crush does, in US dollars per bushel and in deviations.

    crush_seasonal_gap is the mean of five sessions less that of the eleven around the
    day 252 sessions before the newest: crushers' margins have seasons.
    """
    means = k.roll(pl.DataFrame({"crush": board_crush(panel)}), _MEANS)
    newest = pl.col("newest")
    return k.roll(means, _ROLLED).select(
        *_ROLLED,
        crush_trend_20=pl.col("month") - k.lag("month", 20),
        crush_distance_60=newest - pl.col("quarter"),
        crush_seasonal_gap=newest - k.lag("eleven", 247),
    )


def _ratios(panel: pl.DataFrame) -> pl.DataFrame:
    """Return values of products in shares of the cost of the beans, and price ratios.

    A bushel of soybeans gives 11 pounds of oil and 44 of meal (CME Group, Soybean Crush
    Reference Guide). Corn, wheat and soybeans are all in cents per bushel.
    """
    names = ("close", "meal_close", "soybeans_close", "corn_close", "wheat_close")
    paid = panel.select(_positive(name) for name in names)
    oil, meal, beans, corn, wheat = (pl.col(name) for name in names)
    values = paid.select(
        oil_share=oil_share(),
        oil_meal=oil * _OIL / (meal * _MEAL),
        oil_soybeans_value=oil * _OIL / (beans * _BEANS),
        meal_soybeans_value=meal * _MEAL / (beans * _BEANS),
        soybeans_corn_ratio=beans / corn,
        wheat_corn_ratio=wheat / corn,
    )
    return k.roll(values, _RATIOS_ROLLED).select(
        "oil_soybeans_value",
        "meal_soybeans_value",
        "soybeans_corn_ratio",
        "wheat_corn_ratio",
        *_RATIOS_ROLLED,
        oil_meal_change_5=k.log_return("oil_meal", 5),
        oil_meal_change_20=k.log_return("oil_meal", 20),
        oil_meal_change_60=k.log_return("oil_meal", 60),
        soybeans_corn_change_20=k.log_return("soybeans_corn_ratio", 20),
        wheat_corn_change_20=k.log_return("wheat_corn_ratio", 20),
    )


def _positive(name: str) -> pl.Expr:
    """Return a price, null where it is zero or below."""
    return pl.when(pl.col(name) > 0).then(pl.col(name)).alias(name)
