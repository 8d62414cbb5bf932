"""Weights of training rows: as known at a cutoff, and what they leave. No model here.

A regime that was named in hindsight counts only from the day on which it was known.
"""

from __future__ import annotations

from datetime import date

import polars as pl


def weights_at(regimes: pl.DataFrame, cutoff: date, *, otherwise: int) -> pl.DataFrame:
    """Return the weight of each session as a training with this cutoff may know it.

    Args:
        regimes: `date`, `weight` and `known_from`.
        cutoff: the day of the last decision that the training may look at.
        otherwise: what a session counts whose regime was not known before it.

    Returns:
        `date` and `weight` of the sessions up to the cutoff.
    """
    known = pl.col("known_from") < cutoff
    return regimes.filter(pl.col("date") <= cutoff).select(
        "date", weight=pl.when(known).then("weight").otherwise(otherwise)
    )


def effective_rows(weights: pl.Series) -> float:
    """Return how many equal rows these weights are worth: (sum w)^2 / sum w^2 (Kish)."""
    plain = weights.drop_nulls().cast(pl.Float64)
    squares = float((plain * plain).sum())
    return float(plain.sum()) ** 2 / squares if squares else 0.0
