"""How much more the target gained than each other market. It reads no future price.

A difference of two log returns has no unit, so markets in bushels, barrels and gallons
stand beside each other without any conversion.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import kernels as k

MARKETS = (
    "soybeans", "meal", "corn", "wheat", "crude", "heating_oil", "gasoline",
    "natural_gas", "gold",
)  # fmt: skip
"""Futures whose close of the session stands in the panel."""
_BESIDE = tuple(market for market in MARKETS if market != "meal")
"""Oil beside meal is oil_meal_change_<n> of the crush family."""
_WINDOWS = (20, 60)


def relative_strength(panel: pl.DataFrame) -> pl.DataFrame:
    """Return the features of a panel, in its order of rows.

    strength_<market>_<n> is log(close / close[n]) of the target less that of the market.
    """
    return panel.select(
        (k.log_return("close", over) - k.log_return(f"{market}_close", over)).alias(
            f"strength_{market}_{over}"
        )
        for market in _BESIDE
        for over in _WINDOWS
    )
