"""Figures about models: none too good to be possible, and each one recomputed.

A figure is what stored forecasts and true prices give. It is never taken from where it
was typed, and one without its number of forecasts is none.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import absent, failed, places, table_of, value, verdict

_KEY = ("model", "horizon")


@gate
def not_better_than_possible(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    error: str,
    reference: str,
    limits: dict[str, float],
) -> Finding:
    """An error far below the random walk's asks for a review before it is believed.

    Args:
        rows: one row per model and horizon.
        subject: what it is.
        error: the column of the model's error.
        reference: the column of the random walk's error on the same forecasts.
        limits: by horizon the least share of it that is credible without a review.
    """
    missing = absent(rows, [*_KEY, error, reference], subject)
    if missing:
        return missing
    limit = pl.col("horizon").replace_strict(
        list(limits), list(limits.values()), default=None, return_dtype=pl.Float64
    )
    good = (value(error) >= limit * value(reference)) & (value(reference) > 0)
    bad = rows.filter(~good.fill_null(False))
    return verdict(
        places(bad, [*_KEY, error, reference]),
        expected="; ".join(f"{h} at least {x:g}" for h, x in limits.items())
        + " of the random walk's error",
        found=f"{bad.height} of {rows.height} rows ask for a review",
    )


@whole_gate
def metrics_recomputable(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the tables say it all
    *,
    metrics: str,
    forecasts: str,
    labels: str,
    least: int,
    tolerance: float,
) -> Finding:
    """Each mean absolute error is that of the stored forecasts, with their number.

    Args:
        tables: metrics, forecasts and labels.
        subject: what is judged.
        metrics: the table with `n` and `mean_absolute_error` by model and horizon.
        forecasts: the table with `forecast` by model, date and horizon.
        labels: the table with `target_price` by date and horizon.
        least: figures of fewer forecasts are none.
        tolerance: how far a figure may lie off, relative.
    """
    told = table_of(tables, metrics, [*_KEY, "n", "mean_absolute_error"])
    made = table_of(tables, forecasts, [*_KEY, "date", "forecast"])
    true = table_of(tables, labels, ["date", "horizon", "target_price"])
    for each in (told, made, true):
        if isinstance(each, Finding):
            return each
    if (
        isinstance(told, Finding)
        or isinstance(made, Finding)
        or isinstance(true, Finding)
    ):
        return failed("three tables", "fewer")
    again = _again(made, true)
    both = told.join(again, on=list(_KEY), how="left", maintain_order="left")
    near = (
        value("mean_absolute_error") - pl.col("true_error")
    ).abs() <= tolerance * pl.col("true_error")
    good = near & (pl.col("n") == pl.col("true_n")) & (pl.col("n") >= least)
    bad = both.filter(~good.fill_null(False))
    columns = [*_KEY, "n", "true_n", "mean_absolute_error", "true_error"]
    return verdict(
        places(bad, columns),
        expected=f"each figure as its forecasts give it, of at least {least}",
        found=f"{bad.height} of {told.height} figures are not",
    )


def _again(made: pl.DataFrame, true: pl.DataFrame) -> pl.DataFrame:
    """Return number and mean absolute error of the forecasts whose price is known."""
    off = (value("forecast") - value("target_price")).abs()
    graded = made.join(true, on=["date", "horizon"], how="inner").select(*_KEY, off=off)
    return (
        graded.drop_nulls("off")
        .group_by(_KEY)
        .agg(true_n=pl.len(), true_error=pl.col("off").mean())
    )
