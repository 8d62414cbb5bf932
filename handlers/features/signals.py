"""The Big 8 and what follows from them, each from something that is measured.

A signal whose input is missing is null and says so; no constant ever stands in. All
scales, signs and limits are those of registry/signals.yaml; none is fitted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import polars as pl

from cbi_stream import Pillar, Spec, days, handler, sessions
from handlers.features.quality import LOOK_BACK, quality

_CALM = "FUNDAMENTALS_REGIME"
_MIXED = "MIXED_SIGNALS_REGIME"
_BALANCED = "BALANCED"


@handler(
    reads={
        "features.panel": sessions(back=LOOK_BACK),
        "features.technical": days(),
        "features.crush": days(),
        "features.biofuel": days(),
        "features.supply": days(),
        "features.china": days(),
        "features.policy": days(),
    },
    writes="features.signals",
    spec=("signals",),
)
def signals(
    panel: pl.DataFrame,
    technical: pl.DataFrame,
    crush: pl.DataFrame,
    biofuel: pl.DataFrame,
    supply: pl.DataFrame,
    china: pl.DataFrame,
    policy: pl.DataFrame,
    *,
    spec: Spec,
) -> pl.DataFrame:
    """Return one row of signals per session of the panel."""
    pillars, rules = spec.signals.pillars, spec.signals
    inputs = panel
    for family in (technical, crush, biofuel, supply, china, policy):
        inputs = inputs.join(family, on="date", how="left", maintain_order="left")
    scaled = inputs.select(
        "date", **{p.name: on_scale(summed(p), p.points) for p in pillars}
    )
    known = pl.sum_horizontal(pl.col(p.name).is_not_null() for p in pillars)
    out = scaled.with_columns(
        **{f"{p.name}_missing": pl.col(p.name).is_null() for p in pillars},
        **{p.flag: way_to_crisis(p) >= 1.0 for p in pillars},
        big8_pillars=known.cast(pl.Int64),
    )
    enough = pl.col("big8_pillars") >= rules.least_pillars
    together = {
        "big8_composite_score": composite(pillars),
        "crisis_intensity_score": intensity(pillars),
        "master_regime_classification": classified(pillars),
        "primary_signal_driver": driver(pillars, rules.halfway),
    }
    out = out.with_columns(
        **{name: pl.when(enough).then(each) for name, each in together.items()}
    )
    return out.join(quality(panel), on="date", how="left", maintain_order="left")


def summed(pillar: Pillar) -> pl.Expr:
    """Return the weighted sum of a pillar's inputs; null where one is missing."""
    total = pl.lit(0.0)
    for column, weight in pillar.inputs.items():
        total = total + pl.col(column) * weight
    return total


def on_scale(column: pl.Expr, points: Sequence[tuple[float, float]]) -> pl.Expr:
    """Return a column on its scale: straight lines between the points, level outside."""
    said = pl.lit(points[0][1])
    for (left, low), (right, high) in pairwise(points):
        slope = (high - low) / (right - left)
        said = said + (column.clip(left, right) - left) * slope
    return said


def way_to_crisis(pillar: Pillar) -> pl.Expr:
    """Return how far on the way from 0 to its crisis a pillar is; 1 and more is there."""
    return pl.col(pillar.name) * (1.0 / pillar.crisis)


def composite(pillars: Sequence[Pillar]) -> pl.Expr:
    """Return the weighted mean of what the known pillars say of the price, -1 to 1.

    A pillar counts with its sign; one without a sign says nothing of the price.
    """
    signed = [p for p in pillars if p.sign]
    return _weighted([(p.weight, pl.col(p.name) * float(p.sign)) for p in signed])


def intensity(pillars: Sequence[Pillar]) -> pl.Expr:
    """Return how much of a crisis the known pillars make, 0 to 100."""
    ways = [(p.weight, way_to_crisis(p).clip(0.0, 1.0)) for p in pillars]
    return _weighted(ways) * 100.0


def classified(pillars: Sequence[Pillar]) -> pl.Expr:
    """Return the regime of the one pillar in crisis, or that none or several are."""
    many = pl.sum_horizontal(pl.col(p.flag).fill_null(value=False) for p in pillars)
    said: Any = pl.when(many == 0).then(pl.lit(_CALM))
    said = said.when(many > 1).then(pl.lit(_MIXED))
    for pillar in pillars:
        said = said.when(pl.col(pillar.flag)).then(pl.lit(pillar.regime))
    regime: pl.Expr = said
    return regime


def driver(pillars: Sequence[Pillar], halfway: float) -> pl.Expr:
    """Return the pillar that is farthest on its way; of equals the first of the file."""
    ways = [way_to_crisis(p).clip(0.0).fill_null(0.0) for p in pillars]
    farthest = pl.max_horizontal(ways)
    said: Any = pl.when(farthest < halfway).then(pl.lit(_BALANCED))
    for pillar, way in zip(pillars, ways, strict=True):
        said = said.when(way == farthest).then(pl.lit(pillar.driver))
    name: pl.Expr = said
    return name


def _weighted(values: Sequence[tuple[float, pl.Expr]]) -> pl.Expr:
    """Return the mean of those that are there, by the weights beside them.

    The sums run in the order of the file, so that they are the same to the bit.
    """
    total, weight = pl.lit(0.0), pl.lit(0.0)
    for by, value in values:
        total = total + value.fill_null(0.0) * by
        weight = weight + value.is_not_null().cast(pl.Float64) * by
    return pl.when(weight > 0).then(total / weight)
