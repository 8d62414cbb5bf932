"""Each feature against its formula in plain Python. Nothing here asks a kernel."""

from __future__ import annotations

import math
from datetime import date, timedelta

import polars as pl
import pytest

from cbi_stream.registry.loader import Registry
from tests.features import panels
from tests.features.conftest import TABLES, Family
from tests.features.definitions import DEFINITIONS

EDGES = (13, 14, 15, 18, 19, 20, 21, 27, 43, 44, 45, 60, 187, 188, 189, 251, 255)
"""Rows around which the first windows hold enough values."""


def _wrong(
    registry: Registry, families: dict[str, Family], panel: pl.DataFrame, table: str
) -> list[str]:
    """Return the cells of some rows that are not what the formula says."""
    rows, found = panel.to_dicts(), families[table](panel).to_dicts()
    wrong = []
    for feature in registry.feature_registry.of_table(table):
        name, window = feature.name, feature.window_sessions
        for t in [*EDGES, *range(0, len(rows), 7), len(rows) - 1]:
            expected = DEFINITIONS[name](rows[max(0, t + 1 - window) : t + 1])
            value = found[t][name]
            if not _same(expected, value):
                wrong.append(f"{name} at row {t}: {expected}, found {value}")
    return wrong


def _same(expected: float | None, value: float | None) -> bool:
    if expected is None or value is None:
        return expected is value
    return math.isclose(expected, value, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_a_whole_panel_gives_what_the_formulas_say(registry, families, whole, table):
    """Where nothing is missing every feature equals its formula, and its nulls too."""
    assert _wrong(registry, families, whole, table) == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("seed", [1, 7])
def test_a_torn_panel_gives_what_the_formulas_say(registry, families, table, seed):
    """Holes, flat stretches, broken bars and negative prices change no definition."""
    panel = panels.torn(registry, seed=seed)
    assert _wrong(registry, families, panel, table) == []


@pytest.mark.parametrize("table", TABLES)
def test_the_comparison_is_about_values(families, whole, panel, table):
    """Past the longest window every feature has values, in the torn panel too."""
    # Null by rule: the crush where simulated legs jump, the basis of closed Fridays.
    by_rule = ("crush_usd_per_bushel", "wti_basis")
    full = families[table](whole)[430:].drop("date", *by_rule, strict=False)
    torn = families[table](panel)[300:].drop("date")
    held = {name: torn.height - torn[name].null_count() for name in torn.columns}
    assert full.null_count().sum_horizontal().item() == 0
    assert [n for n in held if held[n] < 0.3 * torn.height] == []


def test_a_negative_price_has_no_log_return(families, whole):
    """The crude of 2020-04-20 leaves its returns null; a difference keeps it."""
    # A Friday, as the simulated spot prices are those of Fridays.
    fell = next(t for t in range(500, 506) if whole["date"][t].weekday() == 4)
    here = pl.int_range(pl.len()) == fell
    crude = pl.when(here).then(-37.63).otherwise("crude_close")
    fallen = whole.with_columns(crude_close=crude)
    found = families["features.technical"](fallen)
    nulls = found["crude_return_20"].is_null().arg_true().to_list()
    assert [t for t in nulls if t >= 20] == [fell, fell + 20]
    assert found["corr_crude_60"][61:].null_count() == 0
    basis, plain = (families["features.macro"](p)["wti_basis"] for p in (fallen, whole))
    moved = (basis - plain).filter(basis != plain)
    assert moved.len() == 5
    assert moved.to_list() == pytest.approx([whole["crude_close"][fell] + 37.63] * 5)


def test_ranges_begin_where_settings_say(families, whole, registry):
    """No range feature has a value before fifteen bars from ranges_from."""
    found = families["features.technical"](whole)
    first = registry.settings.ranges_from
    for name, bars in (("atr_14", 21), ("parkinson_20", 15), ("garman_klass_20", 15)):
        days = found.filter(pl.col(name).is_not_null())["date"]
        sessions = whole.filter(pl.col("date") >= first)["date"]
        assert days[0] == sessions[bars - 1], name


def test_a_broken_bar_counts_as_missing(families, whole):
    """A high below the close, a low above the open, and a zero are no bars."""
    last = whole.height - 1
    row = pl.int_range(pl.len()) == last
    alone = families["features.technical"](whole)
    without = families["features.technical"](
        whole.with_columns(open=pl.when(~row).then("open"))
    )
    for broken in (
        {"high": pl.col("close") - 0.01},
        {"low": pl.col("open") + 0.01},
        {"low": pl.lit(0.0)},
        {"high": pl.col("low") - 1.0},
    ):
        (name, value), *_ = broken.items()
        bars = whole.with_columns(pl.when(row).then(value).otherwise(name).alias(name))
        found = families["features.technical"](bars)
        for feature in ("atr_14", "parkinson_20", "garman_klass_20"):
            assert found[feature][last] == without[feature][last]
            assert found[feature][last] != alone[feature][last]


@pytest.mark.parametrize(
    ("first", "kept"),
    [
        (date(2012, 9, 12), [True, False, False]),
        (date(2012, 9, 8), [True, True, False]),
        (date(2012, 9, 9), [True, False, False]),
        (date(2012, 9, 17), [True, False, True]),
        (date(2012, 9, 18), [True, True, True]),
        (date(2012, 6, 12), [True, True, True]),
        (date(2012, 11, 12), [True, False, False]),
    ],
)
def test_a_roll_mismatch_leaves_the_crush_null(families, whole, first, kept):
    """The jump of 2008-09-12 and the one back are null around a last trade alone."""
    legs = {
        "date": [first + timedelta(days=i) for i in range(3)],
        "meal_close": [350.0, 359.0, 336.5],
        "close": [47.0, 47.15, 46.08],
        "soybeans_close": [1216.0, 1490.0, 1179.0],
    }
    jumped = whole[:3].with_columns(pl.Series(n, v) for n, v in legs.items())
    found = families["features.technical"](jumped)["crush_usd_per_bushel"]
    assert found.is_not_null().to_list() == kept
    assert found[0] == pytest.approx(0.71)


def test_a_hole_is_not_bridged(families, panel):
    """Inside an outage of 40 sessions nothing of 27 sessions or less has a value."""
    found = families["features.technical"](panel)
    for name in ("rsi_14", "macd_12_26", "macd_signal_9", "atr_14", "mean_20"):
        assert found[name][640:650].null_count() == 10, name


def test_positions_of_two_reports_are_not_mixed(families, panel):
    """Where one number is a week older than the others the share is null."""
    mixed = panel["speculators_long_age_days"] != panel["open_interest_age_days"]
    share = families["features.macro"](panel)["speculators_net_share"]
    assert mixed.sum() > 20
    assert share.filter(mixed).null_count() == mixed.sum()
