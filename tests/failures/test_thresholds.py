"""F09, F18, F19, F37: thresholds that never matter, and figures that cannot be true.

Each fault is planted into history that passes without it; nothing is fitted to it.
"""

from __future__ import annotations

import polars as pl

from handlers.gates.skill import metrics_recomputable, not_better_than_possible
from handlers.gates.thresholds import hit_rate
from tests.failures.frames import (
    assert_fails,
    assert_passes,
    draws,
    effect,
    labels,
    market,
    partition,
)

MASTER = "features.master"
RATE = {
    "table": MASTER,
    "above": {},
    "below": {},
    "between": (0.001, 0.4),
    "episodes": 3,
    "apart": 20,
}
LIMITS = {"1w": 0.95, "1m": 0.9, "3m": 0.85, "6m": 0.75, "12m": 0.7}
POSSIBLE = {"error": "mae", "reference": "random_walk_mae", "limits": LIMITS}
AGAIN = {
    "metrics": "metrics",
    "forecasts": "forecasts",
    "labels": "labels.forward",
    "least": 100,
    "tolerance": 1e-9,
}


def history():
    """Return daily rain of the size that F09 tells of: half the days none, never 200."""
    rows = market()
    rain = [max(0.0, 12 * x) for x in draws(rows.height, seed=31)]
    return rows.select("date", rain=pl.Series(rain))


def test_f09_a_monthly_threshold_on_daily_rain():
    """Below 50 mm is true on every day; a daily threshold fires now and then."""
    rows = {MASTER: history()}
    assert_passes(hit_rate, rows, effect(), **{**RATE, "above": {"rain": 25.0}})
    drought = {**RATE, "below": {"rain": 50.0}}
    assert_fails(hit_rate, rows, effect(), at="rain < 50: 100.0 %", **drought)


def test_f37_a_threshold_out_of_reach():
    """A score that is capped at 1 never passes 1.5; one storm is no history."""
    rows = history().with_columns(score=(pl.col("rain") / 20).clip(0, 1))
    crisis = {**RATE, "above": {"score": 1.5}}
    assert_fails(hit_rate, {MASTER: rows}, effect(), at="score > 1.5: 0.0 %", **crisis)
    spell = pl.int_range(pl.len()).is_between(100, 130)
    once = rows.with_columns(score=pl.when(spell).then(2.0).otherwise("score"))
    assert_fails(hit_rate, {MASTER: once}, effect(), at="1 episodes", **crisis)
    thrice = rows.with_columns(
        score=pl.when(pl.int_range(pl.len()) % 300 < 10).then(2.0).otherwise("score")
    )
    assert_passes(hit_rate, {MASTER: thrice}, effect(), **crisis)
    nothing = rows.with_columns(score=pl.lit(None, dtype=pl.Float64))
    assert_fails(hit_rate, {MASTER: nothing}, effect(), at="score", **crisis)


def test_f19_an_error_that_is_too_good():
    """0.76 % at a month, where the random walk has 5.8, asks for a review."""
    rows = pl.DataFrame(
        {
            "model": ["gradient"] * 2,
            "horizon": ["1w", "1m"],
            "mae": [2.75, 5.6],
            "random_walk_mae": [2.79, 5.82],
        }
    )
    metrics = partition("models.metrics")
    assert_passes(not_better_than_possible, rows, metrics, **POSSIBLE)
    for mae in (0.76, 5.82 * 0.89, float("nan"), None):
        fake = rows.with_columns(mae=pl.Series([2.75, mae]))
        assert_fails(
            not_better_than_possible, fake, metrics, at="horizon=1m", **POSSIBLE
        )
    other = rows.with_columns(horizon=pl.lit("2w"))
    assert_fails(not_better_than_possible, other, metrics, at="horizon=2w", **POSSIBLE)


def graded():
    """Return labels, forecasts that repeat the price, and their true figures."""
    made = labels(market())
    forecasts = made.select(
        "date", "horizon", model=pl.lit("walk"), forecast=pl.col("base_price")
    )
    off = (pl.col("base_price") - pl.col("target_price")).abs()
    metrics = (
        made.filter("resolved")
        .group_by("horizon")
        .agg(mean_absolute_error=off.mean(), n=pl.len())
        .with_columns(model=pl.lit("walk"))
    )
    return {"metrics": metrics, "forecasts": forecasts, "labels.forward": made}


def test_f18_figures_that_were_typed():
    """A figure that its forecasts do not give, or of one forecast, fails."""
    true = graded()
    assert_passes(metrics_recomputable, true, effect(), **AGAIN)
    typed = true["metrics"].with_columns(mean_absolute_error=pl.lit(0.76))
    assert_fails(
        metrics_recomputable, true | {"metrics": typed}, effect(), at="0.76", **AGAIN
    )
    count = true["metrics"].with_columns(n=pl.lit(1000, dtype=pl.UInt32))
    assert_fails(
        metrics_recomputable, true | {"metrics": count}, effect(), at="n=1000", **AGAIN
    )
    one = true["forecasts"].group_by("horizon").head(1)
    assert_fails(
        metrics_recomputable,
        true | {"forecasts": one},
        effect(),
        at="true_n=1",
        **AGAIN,
    )
    without = true["metrics"].drop("n")
    assert_fails(
        metrics_recomputable, true | {"metrics": without}, effect(), at="n", **AGAIN
    )
