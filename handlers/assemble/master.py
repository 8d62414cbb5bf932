"""All features of a session side by side, in the order of the contract.

It never computes a value.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import days, handler


@handler(
    reads={"features.panel": days(), "features.technical": days()},
    writes="features.master",
)
def master(panel: pl.DataFrame, technical: pl.DataFrame) -> pl.DataFrame:
    """Return one row per session of the panel."""
    return panel.join(technical, on="date", how="left", maintain_order="left")
