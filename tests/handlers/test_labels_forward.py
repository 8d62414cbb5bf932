"""Labels: the calendar's first session on or after, and a reason where there is none."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from cbi_stream.engine.slices import grid_frame
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.words.span import Span
from handlers.effects.export import export
from handlers.labels.forward import forward

FIRST = date(2023, 12, 1)
Make = Callable[..., pl.DataFrame]


@pytest.fixture
def make(registry: Registry, spec: Spec, rows_of: Any, fits: Any) -> Make:
    """Return a function that labels a market: all sessions up to a last day."""

    def made(last: date, **closes: float | None) -> pl.DataFrame:
        span = Span(FIRST, last + timedelta(days=1))
        other = {
            date.fromisoformat(k[1:].replace("_", "-")): v for k, v in closes.items()
        }
        bars = [
            {"symbol": "ZL", "date": day, "close": other.get(day, 40.0 + i)}
            for i, day in enumerate(registry.sessions.between(span))
        ]
        bars += [{**bar, "symbol": "ZS", "close": 1.0} for bar in bars]
        ahead = registry.number("horizons.reach")
        out = forward(
            sessions=grid_frame(registry, span.widen(0, ahead), span),
            prices=rows_of("staging.prices", bars),
            spec=spec,
        )
        return fits("labels.forward", out)

    return made


@pytest.fixture
def weighed(rows_of: Any) -> pl.DataFrame:
    """Return the regimes of some sessions."""
    regime = {"regime": "calm", "weight": 250, "known_from": FIRST}
    days = [FIRST, date(2023, 12, 11), date(2024, 1, 3), date(2024, 2, 20)]
    return rows_of("labels.regimes", [{"date": day, **regime} for day in days])


def _label(frame: pl.DataFrame, day: date, horizon: str) -> dict[str, Any]:
    here = (pl.col("date") == day) & (pl.col("horizon") == horizon)
    return frame.row(by_predicate=here, named=True)


def test_every_session_has_every_horizon(make: Make, registry: Registry) -> None:
    """One row per session and horizon, resolved or not."""
    found = make(date(2024, 3, 28))
    sessions = registry.sessions.between(Span(FIRST, date(2024, 3, 29)))
    assert found.height == len(sessions) * 5
    assert set(found["horizon"]) == {"1w", "1m", "3m", "6m", "12m"}


@pytest.mark.parametrize(
    ("day", "horizon", "matures"),
    [
        (date(2024, 2, 29), "12m", date(2025, 2, 28)),  # 365 days after a leap day
        (date(2024, 2, 28), "1w", date(2024, 3, 6)),  # over the leap day
        (date(2023, 12, 18), "1w", date(2023, 12, 26)),  # Christmas: the next session
        (date(2024, 3, 22), "1w", date(2024, 4, 1)),  # Good Friday: Monday after
        (date(2024, 6, 27), "1w", date(2024, 7, 5)),  # Independence Day
        (date(2024, 1, 4), "1m", date(2024, 2, 5)),  # a Saturday: Monday
        (date(2024, 5, 28), "6m", date(2024, 11, 25)),  # a Sunday: Monday
        (date(2024, 5, 1), "3m", date(2024, 7, 30)),
    ],
)
def test_a_label_matures_on_the_first_session_on_or_after(
    make: Make, registry: Registry, day: date, horizon: str, matures: date
) -> None:
    """Calendar days are counted, then the calendar is asked."""
    found = _label(make(date(2025, 3, 5)), day, horizon)
    due = day + timedelta(days=registry.horizons.days[horizon])
    assert found["matures_on"] == registry.sessions.on_or_after(due)
    assert found["matures_on"] == matures
    assert found["resolved"]
    assert found["reason"] is None


def test_a_resolved_label_is_what_the_price_became(make: Make) -> None:
    """Return and direction follow from the two closes; other symbols do not count."""
    frame = make(date(2024, 1, 31), d2024_01_03=50.0, d2024_01_10=45.0)
    found = _label(frame, date(2024, 1, 3), "1w")
    assert (found["base_price"], found["target_price"]) == (50.0, 45.0)
    assert found["target_log_return"] == pytest.approx(math.log(0.9), rel=1e-15)
    assert found["target_up"] is False


def test_an_equal_price_is_not_up(make: Make) -> None:
    """Up means above."""
    frame = make(date(2024, 1, 31), d2024_01_03=50.0, d2024_01_10=50.0)
    found = _label(frame, date(2024, 1, 3), "1w")
    assert (found["target_log_return"], found["target_up"]) == (0.0, False)


@pytest.mark.parametrize(
    ("last", "reason"), [(date(2024, 1, 9), "open"), (date(2024, 1, 10), None)]
)
def test_a_label_is_open_until_its_session_came(
    make: Make, last: date, reason: str | None
) -> None:
    """On the last session before maturity it is open, on the next it is resolved."""
    found = _label(make(last), date(2024, 1, 3), "1w")
    assert found["reason"] == reason
    assert found["resolved"] is (reason is None)
    assert found["matures_on"] == date(2024, 1, 10)


def test_a_session_without_a_settlement_is_no_label(make: Make) -> None:
    """The next close is never taken instead."""
    frame = make(date(2024, 1, 31), d2024_01_10=None)
    found = _label(frame, date(2024, 1, 3), "1w")
    assert (found["resolved"], found["reason"]) == (False, "missing_settlement")
    assert [found[n] for n in ("target_price", "target_log_return", "target_up")] == [
        None
    ] * 3
    assert found["base_price"] is not None


def test_a_session_without_a_price_has_no_base(make: Make) -> None:
    """Without a price at its own date a label cannot be resolved."""
    found = _label(make(date(2024, 1, 31), d2024_01_03=None), date(2024, 1, 3), "1w")
    assert (found["resolved"], found["reason"]) == (False, "missing_base")
    assert found["target_price"] is None


def test_every_unresolved_label_has_one_reason(make: Make) -> None:
    """Resolved and a reason exclude each other, in every row."""
    frame = make(date(2024, 2, 29), d2024_01_10=None, d2024_01_17=None)
    assert (frame["resolved"] == frame["reason"].is_null()).all()
    assert set(frame["reason"].drop_nulls()) == {
        "open",
        "missing_settlement",
        "missing_base",
    }


def test_exports_hold_resolved_rows_of_their_horizon(
    make: Make, spec: Spec, rows_of: Any, weighed: pl.DataFrame
) -> None:
    """Features of sessions whose label is known, in order, with nothing filled in."""
    labels = make(date(2024, 2, 29), d2024_01_10=None)
    days = [FIRST, date(2023, 12, 11), date(2024, 1, 3), date(2024, 2, 20)]
    master = rows_of("features.master", [{"date": d, "close": 1.0} for d in days])
    made = export(master=master, forward=labels, regimes=weighed, spec=spec)
    found = made["zl_training_full_allhistory_1m"]
    # 11 December matures on 10 January, which has no settlement; 20 February is open.
    assert found["date"].to_list() == [FIRST, date(2024, 1, 3)]
    assert found["matures_on"].to_list() == [date(2024, 1, 2), date(2024, 2, 2)]
    assert found["target_price"].null_count() == 0
    assert found.columns[-7:] == [
        "target_price",
        "target_log_return",
        "target_up",
        "matures_on",
        "regime",
        "training_weight",
        "regime_known_from",
    ]
    assert found["training_weight"].to_list() == [250, 250]


def test_there_is_one_file_per_entry(
    make: Make, spec: Spec, rows_of: Any, weighed: pl.DataFrame
) -> None:
    """The names are those of exports.yaml."""
    master = rows_of("features.master", [{"date": FIRST}])
    labels = make(date(2024, 1, 31))
    made = export(master=master, forward=labels, regimes=weighed, spec=spec)
    assert list(made) == list(spec.exports.exports)


def test_the_prod_surface_lacks_what_was_not_knowable(
    make: Make, spec: Spec, rows_of: Any, weighed: pl.DataFrame
) -> None:
    """Restated history stands on the full surface only."""
    master = rows_of("features.master", [{"date": FIRST}])
    labels = make(date(2024, 1, 31))
    made = export(master=master, forward=labels, regimes=weighed, spec=spec)
    full = made["zl_training_full_allhistory_1m"].columns
    prod = made["zl_training_prod_allhistory_1m"].columns
    assert set(full) - set(prod) >= {"financial_conditions", "cpi_growth_12m"}
    assert set(prod) <= set(full)
