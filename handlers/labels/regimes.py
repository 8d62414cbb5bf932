"""The regime of each session and its weight in training. Never a feature.

Most regimes are named in hindsight; `known_from` says from which day on a training may
know of it.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, grid, handler


@handler(
    reads={"calendar.sessions": grid("staging.prices")},
    writes="labels.regimes",
    spec=("regime_calendar",),
)
def regimes(sessions: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return one row per session of the target's extent."""
    calendar = pl.DataFrame(
        [
            (each.start, each.name, each.weight, each.known_from)
            for each in spec.regime_calendar.regimes
        ],
        schema={
            "start": pl.Date,
            "regime": pl.String,
            "weight": pl.Int64,
            "known_from": pl.Date,
        },
        orient="row",
    )
    # The loader has seen that they are in order and that none ends before the next.
    return (
        sessions.filter("listed")
        .select("date")
        .join_asof(calendar, left_on="date", right_on="start", strategy="backward")
        .select("date", "regime", "weight", "known_from")
    )
