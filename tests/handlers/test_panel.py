"""The panel: every session, and nothing that was not known at its decision time."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cbi_stream.engine.slices import grid_frame
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.words.span import Span
from handlers.assemble.master import master
from handlers.assemble.panel import panel

# Monday 3 June to Friday 14 June 2024: ten sessions, no holiday.
FIRST, END = date(2024, 6, 3), date(2024, 6, 15)
DECIDED = datetime(2024, 6, 5, 23, tzinfo=UTC)  # 18:00 in Chicago on Wednesday 5 June
Make = Callable[..., pl.DataFrame]


def _bar(day: date, close: float | None = 45.0, volume: int | None = 7) -> Any:
    four = dict.fromkeys(("open", "high", "low", "close"), close)
    return {"symbol": "ZL", "date": day, "volume": volume, **four}


def _observed(day: date, value: float | None, known: datetime, **more: Any) -> Any:
    row = {"series": "VIXCLS", "date": day, "vintage": 0, "value": value}
    return row | {"knowable_at": known, **more}


@pytest.fixture
def make(registry: Registry, spec: Spec, rows_of: Any, fits: Any) -> Make:
    """Return a function from bars and observations to the panel."""

    def made(
        bars: list[Any],
        observed: list[Any] = (),  # type: ignore[assignment]
        extent: Any = None,
        counted: Any = (),
    ) -> Any:
        known = extent or Span(FIRST, END)
        grid = grid_frame(registry, Span(FIRST, date(2024, 7, 15)), known)
        given = {"fred": list(observed), "cftc": list(counted)}
        joined = {
            source: rows_of(f"staging.{source}", given.get(source, []))
            for source in registry.join_spec.sources
        }
        prices = rows_of("staging.prices", bars)
        out = panel(sessions=grid, prices=prices, **joined, spec=spec)
        return fits("features.panel", out)

    return made


def _on(frame: pl.DataFrame, day: date) -> dict[str, Any]:
    return frame.row(by_predicate=pl.col("date") == day, named=True)


def test_the_grid_is_dense_over_holes(make: Make) -> None:
    """A session without a bar is a row of nulls, so that windows never slide."""
    days = [date(2024, 6, 3), date(2024, 6, 6), date(2024, 6, 14)]
    found = make([_bar(day) for day in days])
    assert found.height == 10
    assert found.filter(pl.col("close").is_not_null())["date"].to_list() == days
    assert all(day.weekday() < 5 for day in found["date"])


def test_the_panel_ends_with_the_newest_priced_session(make: Make) -> None:
    """Sessions beyond the extent are not listed, although the calendar has them."""
    found = make([_bar(FIRST)], extent=Span(FIRST, date(2024, 6, 6)))
    assert found["date"].max() == date(2024, 6, 5)


def test_bars_of_other_symbols_and_days_are_not_taken(make: Make) -> None:
    """Only the target's bars stand in the panel, and only on sessions."""
    other = {**_bar(FIRST, 99.0), "symbol": "ZS"}
    weekend = _bar(date(2024, 6, 8), 98.0)
    found = make([_bar(FIRST), other, weekend])
    assert found["close"].drop_nulls().to_list() == [45.0]


def test_volume_is_that_of_the_session_before(make: Make) -> None:
    """A session's own volume is final one session later; Monday sees Friday's."""
    days = [date(2024, 6, 6), date(2024, 6, 7), date(2024, 6, 10)]
    bars = [_bar(day, volume=n) for n, day in enumerate(days, start=1)]
    found = make(bars)
    assert [_on(found, day)["volume_lag1"] for day in days] == [None, 1.0, 2.0]
    assert _on(found, date(2024, 6, 11))["volume_lag1"] == 3.0
    assert _on(found, date(2024, 6, 12))["volume_lag1"] is None


def test_volume_of_a_hole_is_missing_and_not_older(make: Make) -> None:
    """After a session without a bar there is no volume: an older one is not shifted."""
    found = make([_bar(date(2024, 6, 4)), _bar(date(2024, 6, 6))])
    assert _on(found, date(2024, 6, 6))["volume_lag1"] is None


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (DECIDED, (15.0, 0)),
        (DECIDED - timedelta(microseconds=1), (15.0, 0)),
        (DECIDED + timedelta(microseconds=1), (None, None)),
    ],
)
def test_nothing_is_used_that_was_known_after_the_decision(
    make: Make, known: datetime, expected: tuple[Any, Any]
) -> None:
    """At the decision time an observation counts, a microsecond later it does not."""
    day = date(2024, 6, 5)
    row = _on(make([_bar(FIRST)], [_observed(day, 15.0, known)]), day)
    assert (row["vix"], row["vix_age_days"]) == expected


def test_the_newest_knowable_observation_is_taken_with_its_age(make: Make) -> None:
    """Age is calendar days from what was observed to the session."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    found = make(
        [_bar(FIRST)],
        [
            _observed(date(2024, 6, 3), 13.0, early),
            _observed(date(2024, 6, 6), 16.0, early),
        ],
    )
    values = [
        (r["vix"], r["vix_age_days"])
        for r in found.filter(pl.col("date") < date(2024, 6, 11)).rows(named=True)
    ]
    assert values == [(13.0, 0), (13.0, 1), (13.0, 2), (16.0, 0), (16.0, 1), (16.0, 4)]


def test_an_observation_that_is_too_old_is_missing(make: Make) -> None:
    """Five days are allowed: on the fifth it counts, on the sixth it does not."""
    early = datetime(2024, 5, 1, tzinfo=UTC)
    for day, expected in ((date(2024, 6, 5), 15.0), (date(2024, 6, 4), None)):
        observed = [_observed(day, 15.0, early)]
        assert _on(make([_bar(FIRST)], observed), date(2024, 6, 10))["vix"] == expected


def test_an_observation_of_a_later_date_is_not_taken(make: Make) -> None:
    """Even if it says that it was known: it describes a day that has not come."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    found = make([_bar(FIRST)], [_observed(date(2024, 6, 6), 16.0, early)])
    assert _on(found, date(2024, 6, 5))["vix"] is None


def test_each_session_sees_the_vintage_of_its_time(make: Make) -> None:
    """A restatement counts from the session on whose decision time knew it."""
    day = date(2024, 6, 4)
    observed = [
        _observed(day, 15.0, datetime(2024, 6, 4, 21, tzinfo=UTC)),
        _observed(day, 17.0, DECIDED + timedelta(hours=1), vintage=1),
    ]
    found = make([_bar(FIRST)], observed)
    seen = [_on(found, date(2024, 6, d))["vix"] for d in (3, 4, 5, 6, 7)]
    assert seen == [None, 15.0, 15.0, 17.0, 17.0]


def test_a_value_that_was_taken_back_gives_way_to_the_one_before(make: Make) -> None:
    """From then on the older observation is the newest one, at its own age."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    observed = [
        _observed(date(2024, 6, 3), 13.0, early),
        _observed(date(2024, 6, 4), 15.0, early),
        _observed(date(2024, 6, 4), None, DECIDED, vintage=1),
    ]
    found = make([_bar(FIRST)], observed)
    rows = [_on(found, date(2024, 6, d)) for d in (4, 5)]
    assert [(r["vix"], r["vix_age_days"]) for r in rows] == [(15.0, 0), (13.0, 2)]


def test_series_fill_their_own_column(make: Make) -> None:
    """Each column of join_spec.yaml reads its series and no other."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    rate = {**_observed(FIRST, 4.25, early), "series": "DGS10"}
    row = _on(make([_bar(FIRST)], [rate]), FIRST)
    assert (row["treasury_10y"], row["treasury_10y_age_days"]) == (4.25, 0)
    assert row["vix"] is None


def test_master_puts_tables_side_by_side(
    make: Make, registry: Registry, fits: Any, rows_of: Any
) -> None:
    """One row per session of the panel; without features the columns are null."""
    left = make([_bar(FIRST)])
    features = [{"date": date(2024, 6, 4), "return_1": 0.5}]
    families = {
        name: rows_of(f"features.{name}", features if name == "technical" else [])
        for name in registry.feature_registry.families
    }
    found = fits("features.master", master(panel=left, **families))
    assert found["date"].to_list() == left["date"].to_list()
    assert found["return_1"].to_list() == [None, 0.5, *[None] * 8]


def test_positions_of_a_tuesday_join_on_friday(make: Make) -> None:
    """They are out on Friday afternoon: neither Tuesday's nor Thursday's row has them."""
    tuesday = date(2024, 6, 4)
    counted = {
        **_observed(tuesday, 5e5, datetime(2024, 6, 7, 19, 30, tzinfo=UTC)),
        "series": "007601.open_interest",
    }
    found = make([_bar(FIRST)], counted=[counted])
    rows = [_on(found, date(2024, 6, d)) for d in (4, 5, 6, 7, 10)]
    assert [row["open_interest"] for row in rows] == [None, None, None, 5e5, 5e5]
    assert rows[3]["open_interest_age_days"] == 3


def test_growth_is_taken_within_what_was_known(make: Make) -> None:
    """Both months as they were known that day: a restatement is not growth."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    cpi = {"series": "CPIAUCSL"}
    observed = [
        _observed(date(2023, 5, 1), 100.0, early, **cpi),
        _observed(date(2024, 5, 1), 103.0, early, **cpi),
        _observed(date(2023, 5, 1), 101.0, DECIDED, vintage=1, **cpi),
    ]
    found = make([_bar(FIRST)], observed)
    seen = [_on(found, date(2024, 6, d))["cpi_growth_12m"] for d in (4, 5)]
    assert seen == pytest.approx([math.log(1.03), math.log(103 / 101)], abs=1e-15)


def test_growth_over_a_month_that_was_never_published_is_missing(make: Make) -> None:
    """No other month stands in for it."""
    early = datetime(2024, 6, 1, tzinfo=UTC)
    cpi = {"series": "CPIAUCSL"}
    observed = [
        _observed(date(2023, 4, 1), 100.0, early, **cpi),
        _observed(date(2024, 5, 1), 103.0, early, **cpi),
    ]
    assert _on(make([_bar(FIRST)], observed), FIRST)["cpi_growth_12m"] is None


def test_other_symbols_stand_beside_by_session(make: Make) -> None:
    """A session on which the other has no bar is null: no older close stands in."""
    crude = {**_bar(date(2024, 6, 4), -37.63), "symbol": "CL"}
    found = make([_bar(FIRST), crude])
    seen = [_on(found, date(2024, 6, d))["crude_close"] for d in (3, 4, 5)]
    assert seen == [None, -37.63, None]
