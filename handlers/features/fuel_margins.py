"""Soybean oil and corn beside the fuels that they turn into, in US dollars per gallon.

It never mixes units: cents a pound, dollars a barrel and cents a bushel are all made
dollars a gallon first. Fuels keep prices below zero; differences hold them.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

OIL_USD_PER_GALLON = 0.075
"""US dollars a gallon per cent a pound: a gallon of fuel takes 7.5 pounds of oil."""
_CRUDE = 1.0 / 42.0
"""US dollars a gallon per dollar a barrel."""
_CORN = 0.01 / 2.8
"""US dollars a gallon per cent a bushel: 2.8 gallons of ethanol from a bushel."""

_ROLLED = {
    "boho_zscore_60": k.zscore("boho_usd_per_gallon", 60, min_count=45),
    "boho_zscore_252": k.zscore("boho_usd_per_gallon", 252, min_count=189),
    "oil_crude_zscore_252": k.zscore("oil_crude_usd_per_gallon", 252, min_count=189),
    "oil_crude_ratio_rank_252": k.rank("oil_crude_ratio", 252, min_count=189),
    "oil_gasoline_zscore_252": k.zscore("oil_gasoline", 252, min_count=189),
    "ethanol_margin_rank_252": k.rank(
        "ethanol_margin_usd_per_gallon", 252, min_count=189
    ),
    "ethanol_margin_zscore_60": k.zscore(
        "ethanol_margin_usd_per_gallon", 60, min_count=45
    ),
}


def boho() -> pl.Expr:
    """Return 0.075 * ZL - HO: what credits must pay for, in US dollars per gallon.

    Soybean oil in cents per pound, heating oil in dollars per gallon; the bean oil to
    heating oil spread that the trade calls BOHO.
    """
    return pl.col("close") * OIL_USD_PER_GALLON - pl.col("heating_oil_close")


def fuel_margins(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    The ethanol margin is gasoline less the corn in a gallon of ethanol; it leaves out
    the gas that is burnt, the feed that is left and the credits.
    """
    oil = pl.col("close") * OIL_USD_PER_GALLON
    crude, gasoline = pl.col("crude_close") * _CRUDE, pl.col("gasoline_close")
    margins = panel.select(
        boho_usd_per_gallon=boho(),
        oil_crude_usd_per_gallon=oil - crude,
        oil_crude_ratio=pl.when(crude > 0).then(oil / crude),
        oil_gasoline=oil - gasoline,
        ethanol_margin_usd_per_gallon=gasoline - pl.col("corn_close") * _CORN,
    )
    return k.roll(margins, _ROLLED).select(
        "boho_usd_per_gallon",
        "oil_crude_usd_per_gallon",
        "ethanol_margin_usd_per_gallon",
        *_ROLLED,
        boho_change_5=_change("boho_usd_per_gallon", 5),
        boho_change_20=_change("boho_usd_per_gallon", 20),
        boho_change_60=_change("boho_usd_per_gallon", 60),
        oil_crude_change_20=_change("oil_crude_usd_per_gallon", 20),
        oil_gasoline_change_20=_change("oil_gasoline", 20),
        ethanol_margin_change_20=_change("ethanol_margin_usd_per_gallon", 20),
    )


def _change(column: str, over: int) -> pl.Expr:
    return pl.col(column) - k.lag(column, over)
