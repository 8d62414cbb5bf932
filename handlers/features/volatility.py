"""How far the target and other markets moved, by several measures. It never looks ahead.

Windows count sessions; a feature needs three quarters of its window, else it is null.
Each idea is a pure function of a panel: `deviations`, `shape`, `bar_ranges`, `fear`.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, handler, sessions
from handlers.features.bar_ranges import bar_ranges
from handlers.features.deviations import deviations
from handlers.features.fear import fear
from handlers.features.markets import MARKETS
from handlers.features.shape import shape

_REACH = 252 + 20
"""Sessions: the rank of a volatility of 20 returns among 252 such volatilities."""
_PANEL = ("open", "high", "low", "close", "vix", *(f"{m}_close" for m in MARKETS))


@handler(
    reads={"features.panel": sessions(back=_REACH - 1, columns=_PANEL)},
    writes="features.volatility",
    spec=("settings",),
)
def volatility(panel: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return one row of features per session of the panel."""
    first = spec.settings.ranges_from
    ideas = (
        deviations(panel),
        shape(panel),
        bar_ranges(panel, first=first),
        fear(panel),
    )
    # Each has the panel's rows in the panel's order.
    return pl.concat([panel.select("date"), *ideas], how="horizontal")
