"""Supply and use: what the balances say and revise, and how the crop stands.

It reads reports, never prices, and takes from each what was out by the decision time.
WASDE dates a figure by the first day of its marketing year, so the read looks ahead in
dates; in time it does not, as every row is held against its stamp.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import days, grid, handler, known
from handlers.features.balances import READ_AHEAD, READ_BACK, balances
from handlers.features.crops import READ_BACK as CROPS_BACK
from handlers.features.crops import crops


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.wasde": days(
            READ_BACK,
            READ_AHEAD,
            columns=("series", "date", "vintage", "value", "knowable_at"),
        ),
        "staging.nass": known(max_age=CROPS_BACK),
    },
    writes="features.supply",
)
def supply(
    sessions: pl.DataFrame, wasde: pl.DataFrame, nass: pl.DataFrame
) -> pl.DataFrame:
    """Return one row of features per session."""
    listed = sessions.filter("listed")
    said = balances(listed, wasde)
    return said.join(crops(listed, nass), on="date", how="left", maintain_order="left")
