"""The training files: features and resolved labels of one horizon, side by side.

A row whose label is open or unresolved is left out; nothing is filled in. The regime and
its weight stand beside the label: they are named in hindsight, and never features.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, effect

_LABEL = ("target_price", "target_log_return", "target_up", "matures_on")


@effect(
    after=("features.master", "labels.forward", "labels.regimes"),
    spec=("exports", "feature_registry"),
)
def export(
    master: pl.DataFrame, forward: pl.DataFrame, regimes: pl.DataFrame, *, spec: Spec
) -> dict[str, pl.DataFrame]:
    """Return one frame per file of exports.yaml, sorted by date."""
    horizons = {entry.horizon for entry in spec.exports.exports.values()}
    labels = {
        horizon: forward.filter(
            (pl.col("horizon") == horizon) & pl.col("resolved")
        ).select("date", *_LABEL)
        for horizon in sorted(horizons)
    }
    weighted = regimes.select(
        "date", "regime", training_weight="weight", regime_known_from="known_from"
    )
    return {
        name: master.select("date", *spec.feature_registry.on_surface(entry.surface))
        .join(labels[entry.horizon], on="date", how="inner", maintain_order="left")
        .join(weighted, on="date", how="left", maintain_order="left")
        for name, entry in spec.exports.exports.items()
    }
