"""What families of prices must never do, on simulated panels. No real bar is needed."""

from __future__ import annotations

import polars as pl
import pytest

from cbi_stream.registry.loader import Registry
from tests.features.conftest import Family

TECHNICAL, VOLATILITY = "features.technical", "features.volatility"
COMPLEX = "features.complex"
OF_VOLUME = (
    "obv_share_20", "money_flow_14", "chaikin_flow_20", "volume_trend_20_60",
    "corr_volume_move_60",
)  # fmt: skip
OF_BARS = {
    TECHNICAL: {
        "stochastic_k_14": 13, "stochastic_d_14": 15, "williams_r_14": 11,
        "cci_20": 15, "donchian_position_20": 15, "money_flow_14": 13,
        "chaikin_flow_20": 16, "keltner_position_20": 21,
    },
    VOLATILITY: {
        "parkinson_30": 23, "garman_klass_30": 23, "rogers_satchell_20": 15,
        "yang_zhang_20": 15, "yang_zhang_30": 23, "overnight_gap": 1,
        "overnight_volatility_20": 15, "overnight_share_20": 15, "range_ratio_20": 15,
        "close_to_range_20": 15,
    },
}  # fmt: skip
"""Features of highs and lows, and the how manyeth trusted bar gives the first value."""


def _last(panel: pl.DataFrame, **changed: pl.Expr | float) -> pl.DataFrame:
    """Return the panel with another last row."""
    row = pl.int_range(pl.len()) == panel.height - 1
    return panel.with_columns(
        pl.when(row).then(value).otherwise(name).alias(name)
        for name, value in changed.items()
    )


def test_volume_stands_beside_its_own_bar(families, whole):
    """A session's own bar moves no feature of volume; the volume known on it does."""
    bar = {name: pl.col(name) * 1.5 for name in ("open", "high", "low", "close")}
    before, own, volume = (
        families[TECHNICAL](panel).select(OF_VOLUME).row(-1, named=True)
        for panel in (whole, _last(whole, **bar), _last(whole, volume_lag1=9e5))
    )
    assert own == before
    assert [name for name in OF_VOLUME if volume[name] == before[name]] == []


def test_the_bar_before_counts_with_its_volume(families, whole):
    """All volume on one session gives that session's sign, side and place alone."""
    fell = whole.height - 2
    alone = whole.with_columns(
        volume_lag1=pl.when(pl.int_range(pl.len()) == fell + 1).then(7.0).otherwise(0.0)
    )
    found = families[TECHNICAL](alone).row(-1, named=True)
    bar, closes = whole.row(fell, named=True), whole["close"]
    sign = 1.0 if closes[fell] > closes[fell - 1] else -1.0
    width = bar["high"] - bar["low"]
    place = (2 * bar["close"] - bar["high"] - bar["low"]) / width
    assert found["obv_share_20"] == sign
    assert found["money_flow_14"] in (0.0, 100.0)
    assert found["chaikin_flow_20"] == pytest.approx(place)


@pytest.mark.parametrize("table", OF_BARS)
def test_features_of_bars_begin_where_settings_say(
    registry: Registry, families: dict[str, Family], whole: pl.DataFrame, table: str
) -> None:
    """The first value comes with three quarters of a window of trusted bars."""
    found = families[table](whole)
    sessions = whole.filter(pl.col("date") >= registry.settings.ranges_from)["date"]
    for name, bars in OF_BARS[table].items():
        days = found.filter(pl.col(name).is_not_null())["date"]
        assert days[0] == sessions[bars - 1], name


def test_entries_say_since_when_bars_can_be_trusted(registry):
    """What is made of highs and lows is available from ranges_from, the rest earlier."""
    since = registry.settings.ranges_from
    bars = {"atr_14", "parkinson_20", "garman_klass_20"}
    bars |= {name for names in OF_BARS.values() for name in names}
    for table in (TECHNICAL, VOLATILITY, COMPLEX):
        for each in registry.feature_registry.of_table(table):
            assert (each.available_from == since) == (each.name in bars), each.name


def test_a_broken_bar_is_no_bar_for_volatility(families, whole):
    """A close above its high counts as a session without a bar."""
    broken = families[VOLATILITY](_last(whole, high=pl.col("close") - 0.01))
    without = families[VOLATILITY](_last(whole, high=None))
    alone = families[VOLATILITY](whole)
    for name in OF_BARS[VOLATILITY]:
        assert broken[name][-1] == without[name][-1], name
        assert broken[name][-1] != alone[name][-1], name


def test_holes_are_not_bridged(families, panel):
    """Inside an outage of 40 sessions nothing of 40 sessions or less has a value."""
    inside = slice(645, 650)
    names = {
        TECHNICAL: ("rsi_9", "trix_12", "run_length_5", "stochastic_d_14", "cci_20"),
        VOLATILITY: ("volatility_ewm_20", "yang_zhang_20", "vix_range_20"),
        COMPLEX: ("gold_rsi_14", "wheat_return_20", "corn_rank_252"),
    }
    for table, asked in names.items():
        found = families[table](panel)
        for name in asked:
            assert found[name][inside].null_count() == 5, name


@pytest.mark.parametrize(
    ("closes", "run"),
    [
        ([40, 41, 42, 43, 42, 43, 44], 2.0),
        ([40, 41, 42, 43, 42, 41, 40], -3.0),
        ([40, 41, 42, 43, 44, 45, 46], 5.0),
        ([46, 45, 44, 43, 42, 41, 40], -5.0),
        ([40, 41, 42, 43, 42, 41, 41], 0.0),
        ([40, 41, 42, 41, None, 43, 44], None),
        ([40, None, 42, 43, 42, 43, 44], 2.0),
        ([40, 41, 42, 43, 44, 45, None], None),
    ],
)
def test_a_run_is_counted_until_it_turns(families, whole, closes, run):
    """Rises and falls in a row, at most five; a hole inside a run leaves it open."""
    rows = whole[:7].with_columns(pl.Series("close", closes, dtype=pl.Float64))
    assert families[TECHNICAL](rows)["run_length_5"][-1] == run


def test_a_price_below_zero_stays_out_of_logs_alone(families, whole):
    """Crude at -37.63 has no log and no distance; its rank and strength see the fall."""
    found = families[COMPLEX](_last(whole, crude_close=-37.63)).row(-1, named=True)
    for what in ("return_5", "zscore_60", "distance_from_mean_200"):
        assert found[f"crude_{what}"] is None
    assert found["crude_distance_from_high_252"] is None
    assert found["crude_rank_252"] == pytest.approx(1 / 252)
    assert found["crude_rsi_14"] < 10
    assert found["crude_volatility_60"] is not None


def test_one_market_moves_its_own_features_alone(families, whole):
    """Another price of wheat changes what is named after wheat, and nothing else."""
    full = families[COMPLEX](whole)
    other = families[COMPLEX](
        whole.with_columns(wheat_close=pl.col("wheat_close").reverse())
    )
    moved = {n for n in full.columns if not full[n].equals(other[n], null_equal=True)}
    assert moved == {n for n in full.columns if n.startswith("wheat_")}
    assert len(moved) == 9


def test_a_trend_has_the_values_that_it_must_have(families, whole):
    """A close that rises one per cent a session is steady in every measure."""
    steady = whole.with_columns(close=10.0 * 1.01 ** pl.int_range(pl.len()) ** 1.0)
    found = families[TECHNICAL](steady.head(400)).row(-1, named=True)
    assert found["efficiency_60"] == pytest.approx(1.0)
    assert found["aroon_oscillator_25"] == pytest.approx(100.0)
    assert found["log_slope_60"] == pytest.approx(0.00995033, rel=1e-6)
    assert found["trix_12"] == pytest.approx(0.00995033, rel=1e-6)
    assert found["channel_position_55"] == found["up_share_20"] == 1.0
    assert found["chande_20"] == found["rsi_25"] == pytest.approx(100.0)
    assert found["return_acceleration_20"] == pytest.approx(0.0, abs=1e-12)
