"""The markets around soybean oil whose closes stand in the panel. No formula is here."""

from __future__ import annotations

MARKETS = (
    "soybeans", "meal", "corn", "wheat", "crude", "heating_oil", "gasoline",
    "natural_gas", "gold",
)  # fmt: skip
"""What the names of a market's columns begin with: `wheat_close`."""
