"""The board crush, what oils and grains cost beside each other, and fuels in one unit.

It never compares prices before both are in one unit, and never fills a missing leg.
What is here puts three ideas side by side: `board`, `fuel_margins` and `other_oils`,
each a pure function of a panel.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import handler, sessions
from handlers.features.board import board
from handlers.features.fuel_margins import fuel_margins
from handlers.features.other_oils import other_oils

_REACH = 258
"""Sessions before the newest one: eleven around the same day a year ago, and the one
before the first of them, which says whether its legs were of one contract month."""
_OILS = ("soybean_oil", "palm_oil", "rapeseed_oil", "sunflower_oil")
_PANEL = (
    "close", "soybeans_close", "meal_close", "corn_close", "wheat_close", "crude_close",
    "heating_oil_close", "gasoline_close", "fcpo_close", "myr_close",
    *(f"world_{oil}{age}" for oil in _OILS for age in ("", "_age_days")),
)  # fmt: skip


@handler(
    reads={"features.panel": sessions(back=_REACH, columns=_PANEL)},
    writes="features.crush",
)
def crush(panel: pl.DataFrame) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    ideas = (board(panel), fuel_margins(panel), other_oils(panel))
    # Each has the panel's rows in the panel's order.
    return pl.concat([panel.select("date"), *ideas], how="horizontal")
