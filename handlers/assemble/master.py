"""All features of a session side by side, in the order of the contract.

It never computes a value.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import days, handler


@handler(
    reads={"features.panel": days(), "features.{families}": days()},
    writes="features.master",
)
def master(panel: pl.DataFrame, families: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return one row per session of the panel."""
    out = panel
    for family in families.values():
        out = out.join(family, on="date", how="left", maintain_order="left")
    return out
