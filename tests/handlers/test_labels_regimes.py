"""Regimes of sessions: one each, half-open; and what a training may know of them."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from cbi_stream.engine.slices import grid_frame
from cbi_stream.kernels.weights import effective_rows, weights_at
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.words.span import Span
from handlers.labels.regimes import regimes


@pytest.fixture
def found(registry: Registry, spec: Spec, fits: Any) -> pl.DataFrame:
    """Return the regimes of all sessions of the target."""
    span = Span(date(2000, 3, 15), date(2026, 7, 14))
    grid = grid_frame(registry, span.widen(0, 60), span)
    return fits("labels.regimes", regimes(sessions=grid, spec=spec))


def _on(found: pl.DataFrame, day: date) -> dict[str, Any]:
    return found.row(by_predicate=pl.col("date") == day, named=True)


def test_each_listed_session_has_one_regime(
    found: pl.DataFrame, registry: Registry
) -> None:
    """No session without one, none twice, none after the target's last."""
    days = registry.sessions.between(Span(date(2000, 3, 15), date(2026, 7, 14)))
    assert found["date"].to_list() == list(days)
    assert found["regime"].n_unique() >= 7


def test_a_regime_begins_on_its_start(found: pl.DataFrame) -> None:
    """The day before belongs to the one before; an end is no day of the regime."""
    assert _on(found, date(2007, 7, 31))["regime"] == "china_supercycle"
    assert _on(found, date(2007, 8, 1))["regime"] == "financial_crisis"
    assert _on(found, date(2025, 1, 17))["regime"] == "trump_anticipation"
    assert _on(found, date(2025, 1, 21))["regime"] == "trump_second_term"


def test_a_cutoff_knows_only_the_regimes_before_it(
    found: pl.DataFrame, spec: Spec
) -> None:
    """In June 2008 nobody had named the crisis that began in August 2007."""
    otherwise = spec.regime_calendar.weight_before_known
    day = date(2008, 6, 2)
    early = weights_at(found, date(2008, 6, 30), otherwise=otherwise)
    late = weights_at(found, date(2008, 9, 16), otherwise=otherwise)
    assert (_on(early, day)["weight"], _on(late, day)["weight"]) == (100, 200)
    assert early["date"].max() == date(2008, 6, 30)


def test_known_on_the_day_itself_is_not_before_it(found: pl.DataFrame) -> None:
    """What is named on the cutoff's own day counts from the next one on."""
    day = date(2020, 2, 3)
    on = weights_at(found, date(2020, 3, 11), otherwise=100)
    after = weights_at(found, date(2020, 3, 12), otherwise=100)
    assert (_on(on, day)["weight"], _on(after, day)["weight"]) == (100, 350)


def test_effective_rows_by_hand() -> None:
    """(1 + 3)^2 / (1 + 9) = 1.6; equal weights lose nothing; none are worth none."""
    assert effective_rows(pl.Series([1, 3])) == pytest.approx(1.6)
    assert effective_rows(pl.Series([7.0] * 5 + [None])) == pytest.approx(5.0)
    assert effective_rows(pl.Series([], dtype=pl.Float64)) == 0.0


def test_no_feature_is_a_regime(registry: Registry) -> None:
    """The weight stands beside the label, on neither surface."""
    names = registry.feature_registry.on_surface("full")
    assert not {"regime", "training_weight", "regime_known_from"} & {*names}
