"""The training files: features and resolved labels of one horizon, side by side.

A row whose label is open or unresolved is left out; nothing is filled in.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, effect

_LABEL = ("target_price", "target_log_return", "target_up", "matures_on")


@effect(after=("features.master", "labels.forward"), spec=("exports",))
def export(
    master: pl.DataFrame, forward: pl.DataFrame, *, spec: Spec
) -> dict[str, pl.DataFrame]:
    """Return one frame per file of exports.yaml, sorted by date."""
    return {
        name: master.join(
            forward.filter(
                (pl.col("horizon") == entry.horizon) & pl.col("resolved")
            ).select("date", *_LABEL),
            on="date",
            how="inner",
            maintain_order="left",
        )
        for name, entry in spec.exports.exports.items()
    }
