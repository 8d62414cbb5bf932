"""Policy: how uncertain newspapers find it, what it announced, and which rates hold.

It reads what was staged, not the panel: windows here count days, and mentions are many
to a day. Nothing is seen before its knowable_at, and no mention is carried on for ever.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import grid, handler, known
from handlers.features.announcements import (
    DOCUMENT_DAYS,
    EVENT_DAYS,
    RATE_DAYS,
    documents_counted,
    events_counted,
    rates_in_force,
)
from handlers.features.uncertainty import REACH, uncertainty

_DAILY = 5
"""Days; indices that are out on the second morning, and weekends."""
_WEEKLY = 15
"""Days; the geopolitical index comes with a file a week, eight days late."""


@handler(
    reads={
        "calendar.sessions": grid("staging.prices"),
        "staging.tpu": known(max_age=REACH + _DAILY),
        "staging.epu": known(max_age=REACH + _DAILY),
        "staging.gpr": known(max_age=REACH + _WEEKLY),
        "staging.documents": known(max_age=DOCUMENT_DAYS),
        "staging.events": known(max_age=EVENT_DAYS),
        "staging.policy_rates": known(max_age=RATE_DAYS),
    },
    writes="features.policy",
)
def policy(
    sessions: pl.DataFrame,
    tpu: pl.DataFrame,
    *,
    epu: pl.DataFrame,
    gpr: pl.DataFrame,
    documents: pl.DataFrame,
    events: pl.DataFrame,
    policy_rates: pl.DataFrame,
) -> pl.DataFrame:
    """Return one row of features per session of the target's extent."""
    listed = sessions.filter("listed").select("date", "decision_time")
    indices = (
        ("tpu", tpu, "daily_tpu_index", _DAILY),
        ("epu", epu, "us.daily", _DAILY),
        ("gpr", gpr, "gprd", _WEEKLY),
        ("gpr_threat", gpr, "gprd_threat", _WEEKLY),
        ("gpr_act", gpr, "gprd_act", _WEEKLY),
    )
    found = [
        uncertainty(
            listed,
            rows.filter(pl.col("series") == series),
            prefix=name,
            max_age_days=age,
        )
        for name, rows, series, age in indices
    ]
    found += [
        documents_counted(listed, documents),
        events_counted(listed, events),
        rates_in_force(listed, policy_rates),
    ]
    # Each has the sessions in their order.
    return pl.concat(
        [listed.select("date"), *(each.drop("date") for each in found)],
        how="horizontal",
    )
