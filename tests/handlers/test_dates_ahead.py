"""Rates that are announced before they hold; of no other source is a date ahead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from handlers.conform.observations import observations

SAID = datetime(2024, 12, 31, 10, tzinfo=UTC)
HOLDS = date(2025, 4, 1)


@pytest.mark.parametrize(
    ("source", "series", "fate"),
    [
        ("policy_rates", "indonesia.biodiesel_blend_percent", "staged"),
        ("desk", "fcpo_myr_per_tonne", "quarantined"),
    ],
)
def test_a_rate_may_hold_from_a_later_day(
    spec_of: Any, rows_of: Any, line: Any, source: str, series: str, fate: str
) -> None:
    """A policy's rate is knowable from its announcement; a price of the future is none."""
    raw = f"raw.{source}"
    said = line(HOLDS, series=series, value="40", stamp=SAID, as_of=SAID)
    made = observations(
        **{source: rows_of(raw, [said])},
        decisions=rows_of("raw.decisions", []),
        spec=spec_of(source),
    )
    assert made.fates["fate"].to_list() == [fate]
    if fate == "staged":
        (row,) = made.staged.rows(named=True)
        assert (row["date"], row["knowable_at"], row["basis"], row["value"]) == (
            HOLDS,
            SAID,
            "stamp",
            40.0,
        )
    else:
        assert "future_date" in made.quarantined["rules"][0].split(",")
