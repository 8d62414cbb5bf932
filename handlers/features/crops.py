"""How US soybeans stand in the field, against the same week of earlier years.

It never fills the winter: out of season there is no report, and so no feature. Weeks
compiled by slot stand in where the official figure is not there; they are knowable a
week later.
"""

from __future__ import annotations

import polars as pl

from handlers.features import reports

READ_BACK = 1900
_SERIES = {
    "good": "us.soybeans_condition_pct_good",
    "excellent": "us.soybeans_condition_pct_excellent",
    "condition_by_slot": "us.soybeans_condition_good_excellent_by_slot",
    "planted_official": "us.soybeans_progress_pct_planted",
    "planted_by_slot": "us.soybeans_planted_by_slot",
    "harvested": "us.soybeans_progress_pct_harvested",
}
_MEASURED = ("condition", "planted", "harvested")
_MAX_AGE = 17
"""Days; the next week's report is out after eight days, one by slot after fifteen."""
_YEARS = 5
_LEAST_YEARS = 4
_NEAR = 3
"""Days that the same week of another year may lie away: weeks end on Sundays."""


def crops(listed: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return per session the newest condition and progress, in percent of the crop.

    Args:
        listed: sessions with `date` and `decision_time`.
        rows: of staging.nass.
    """
    states, told = reports.side_by_side_known(listed, rows, _SERIES, days=READ_BACK)
    weeks = told.select(
        "state",
        "observed",
        condition=pl.coalesce(
            pl.col("good") + pl.col("excellent"), "condition_by_slot"
        ),
        planted=pl.coalesce("planted_official", "planted_by_slot"),
        harvested="harvested",
    )
    out = listed.select("date")
    for name in _MEASURED:
        measured = weeks.select("state", "observed", value=name).drop_nulls()
        said = reports.on_sessions(states, _of(measured, name), max_age_days=_MAX_AGE)
        out = out.join(said, on="date", how="left", maintain_order="left")
    return out


def _of(weeks: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return per state what a measure's newest week says."""
    newest = weeks.group_by("state", maintain_order=True).last()
    usual = reports.of_earlier_years(
        newest, weeks, years=_YEARS, near_days=_NEAR, least=_LEAST_YEARS
    )
    gap = pl.col("value") - pl.col("usual")
    both = newest.join(
        usual, on=["state", "observed"], how="left", maintain_order="left"
    )
    if name != "condition":
        called = {"planted": "planting", "harvested": "harvest"}[name]
        return both.select("state", "observed", gap.alias(f"{called}_us_progress_gap"))
    last_week = weeks.select(
        "state", pl.col("observed").dt.offset_by("7d"), before="value"
    )
    both = both.join(
        last_week, on=["state", "observed"], how="left", maintain_order="left"
    )
    return both.select(
        "state",
        "observed",
        harvest_us_condition=pl.col("value"),
        harvest_us_condition_change_1=pl.col("value") - pl.col("before"),
        harvest_us_condition_gap=gap,
    )
