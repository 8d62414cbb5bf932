"""Features on real bars against TA-Lib and pandas. Neither is ever part of the product.

The bars are soybean oil's since 2015, 2,897 sessions without a hole; crude's beside
them hold the close below zero. Where both count the same window, equality is to 1e-9;
where TA-Lib's smoothing never ends and ours does, the tolerance stands with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
import talib

from cbi_stream.lake.canonical import schema_of
from cbi_stream.registry.loader import Registry
from tests.features.conftest import Family

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"
FOLDER = REAL / "yahoo_futures_2026"
SETTLED = 600
"""Sessions after which nothing is left of where TA-Lib begins: (24/25)^600 = 2e-11."""
Bars = pd.DataFrame
Oracle = Callable[[Bars], pd.Series]
YEAR = np.sqrt(252.0)


def _read(name: str, digits: int) -> pl.DataFrame:
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        pytest.skip("no real files: this needs the folder shared/data/real")
    columns = pl.col("open", "high", "low", "close").round(digits)
    return pl.read_csv(path, try_parse_dates=True).with_columns(columns)


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    """Return the target's bars with crude's close beside them."""
    crude = _read("wti", 2).select("date", crude_close="close")
    return _read("soybean_oil", 2).join(crude, on="date", how="left").sort("date")


@pytest.fixture(scope="module")
def bars(market: pl.DataFrame) -> Bars:
    """Return the same for pandas and TA-Lib, with what several oracles take."""
    found = pd.DataFrame({n: market[n].to_numpy() for n in market.columns[1:]})
    found["volume"] = found["volume"].astype(float)
    found["r"] = np.log(found["close"]).diff()
    found["typical"] = (found["high"] + found["low"] + found["close"]) / 3
    found["width"] = np.log(found["high"] / found["low"])
    return found


@pytest.fixture(scope="module")
def found(
    registry: Registry, families: dict[str, Family], market: pl.DataFrame
) -> dict[str, np.ndarray]:
    """Return every feature of the three families on these bars, nulls as NaN."""
    schema = schema_of(registry.contracts["features.panel"])
    given = market.with_columns(volume_lag1=pl.col("volume").shift(1).cast(pl.Float64))
    panel = given.select(
        (pl.col(n) if n in given.columns else pl.lit(None).alias(n)).cast(kind)
        for n, kind in schema.items()
    )
    tables = ("features.technical", "features.volatility", "features.complex")
    frames = [families[table](panel).drop("date") for table in tables]
    return {n: f[n].to_numpy() for f in frames for n in f.columns}


def _log(b: Bars, name: str) -> np.ndarray:
    return np.log(b[name].to_numpy())


def _slope(over: int) -> Oracle:
    return lambda b: talib.LINEARREG_SLOPE(_log(b, "close"), over)


def _to_mean(over: int) -> Oracle:
    return lambda b: np.log(b["close"] / talib.SMA(b["close"], over))


def _stochastic(b: Bars) -> tuple[pd.Series, pd.Series]:
    return talib.STOCH(
        b["high"], b["low"], b["close"],
        fastk_period=14, slowk_period=3, slowk_matype=0, slowd_period=3, slowd_matype=0,
    )  # fmt: skip


def _bands(b: Bars) -> pd.Series:
    # TA-Lib's deviation is the population's, ours the sample's.
    wide = 2.0 * np.sqrt(20 / 19)
    upper, middle, lower = talib.BBANDS(b["close"], 20, wide, wide)
    return (upper - lower) / middle


def _donchian(b: Bars) -> pd.Series:
    high, low = talib.MAX(b["high"], 20), talib.MIN(b["low"], 20)
    return (b["close"] - low) / (high - low)


def _channel(b: Bars) -> pd.Series:
    high, low = talib.MAX(b["close"], 55), talib.MIN(b["close"], 55)
    return (b["close"] - low) / (high - low)


def _balance(b: Bars) -> pd.Series:
    share = talib.OBV(b["close"], b["volume"]).diff(20) / talib.SUM(b["volume"], 20)
    return share.shift(1)


def _chaikin(b: Bars) -> pd.Series:
    # TA-Lib adds nothing for a session without a range; such a one has no place for us.
    flow = talib.AD(b["high"], b["low"], b["close"], b["volume"]).diff(20)
    whole = b["volume"].where(b["high"] > b["low"], 0.0).rolling(20).sum()
    usable = (b["high"] > b["low"]).rolling(20).sum() >= 15
    return (flow / whole).where(usable).shift(1)


def _deviation(over: int) -> Oracle:
    scale = YEAR * np.sqrt(over / (over - 1))
    return lambda b: talib.STDDEV(b["r"].fillna(0.0), over) * scale


WINDOWED: dict[str, Oracle] = {
    "roc_10": lambda b: talib.ROC(b["close"], 10),
    "williams_r_14": lambda b: talib.WILLR(b["high"], b["low"], b["close"], 14),
    "stochastic_k_14": lambda b: _stochastic(b)[0],
    "stochastic_d_14": lambda b: _stochastic(b)[1],
    "cci_20": lambda b: talib.CCI(b["high"], b["low"], b["close"], 20),
    "aroon_oscillator_25": lambda b: talib.AROONOSC(b["close"], b["close"], 25),
    "bollinger_width_20": _bands,
    "donchian_position_20": _donchian,
    "channel_position_55": _channel,
    "log_slope_10": _slope(10),
    "log_slope_60": _slope(60),
    "log_slope_120": _slope(120),
    **{f"distance_from_mean_{n}": _to_mean(n) for n in (7, 50, 100, 200)},
    "mean_gap_50_200": lambda b: np.log(
        talib.SMA(b["close"], 50) / talib.SMA(b["close"], 200)
    ),
    "detrended_20": lambda b: np.log(b["close"].shift(11) / talib.SMA(b["close"], 20)),
    "obv_share_20": _balance,
    "money_flow_14": lambda b: talib.MFI(
        b["high"], b["low"], b["close"], b["volume"], 14
    ).shift(1),
    "chaikin_flow_20": _chaikin,
    "corr_volume_move_60": lambda b: talib.CORREL(
        b["volume"], b["r"].abs().fillna(0.0), 60
    ).shift(1),
    **{f"volatility_{n}": _deviation(n) for n in (5, 10, 120, 252)},
}
"""What TA-Lib counts over the same window as we do."""


def _differences(
    found: np.ndarray, expected: pd.Series, *, since: int, rel: float, at: float
) -> np.ndarray:
    """Return the sessions whose values differ; a value has to be there on nearly all."""
    there = np.asarray(expected, dtype=float)[since:]
    ours = found[since:]
    both = np.isfinite(there) & np.isfinite(ours)
    assert both.sum() >= 0.99 * np.isfinite(there).sum()
    assert both.sum() > 2_000
    apart = np.abs(ours - there) > rel * np.abs(there) + at
    return np.flatnonzero(apart & both) + since


@pytest.mark.parametrize("name", WINDOWED)
def test_windowed_indicators_are_talibs(bars, found, name):
    """Over the same window both give the same number, to 1e-9 of it."""
    expected = WINDOWED[name](bars)
    apart = _differences(found[name], expected, since=260, rel=1e-9, at=1e-11)
    assert apart.tolist() == []


def _trix(b: Bars) -> pd.Series:
    return np.log1p(talib.TRIX(b["close"], 12) / 100.0)


def _true_range(b: Bars) -> np.ndarray:
    return talib.ATR(_log(b, "high"), _log(b, "low"), _log(b, "close"), 14)


def _keltner(b: Bars) -> pd.Series:
    middle = talib.EMA(b["close"], 20)
    return np.log(b["close"] / middle) / (4.0 * _true_range(b)) + 0.5


def _macd(b: Bars, part: int) -> np.ndarray:
    return talib.MACD(_log(b, "close"), 12, 26, 9)[part]


def _crude_strength(b: Bars) -> pd.Series:
    """Return TA-Lib's on a carried price, where none of the window is carried."""
    strength = talib.RSI(b["crude_close"].ffill(), 14)
    return strength.where(b["crude_close"].rolling(241).count() == 241)


SMOOTHED: dict[str, tuple[Oracle, float]] = {
    # 100 times the weights left out, (8/9)^160, (13/14)^240 and (24/25)^255, by how much
    # larger the moves may have been then: up to three times.
    "rsi_9": (lambda b: talib.RSI(b["close"], 9), 2e-6),
    "rsi_14": (lambda b: talib.RSI(b["close"], 14), 6e-6),
    "rsi_25": (lambda b: talib.RSI(b["close"], 25), 9e-3),
    "ewm_20": (lambda b: talib.EMA(b["close"], 20), 1e-9),
    # The weights left out, 4e-7, times a log distance of less than 1.
    "macd_12_26": (lambda b: _macd(b, 0), 4e-7),
    "macd_signal_9": (lambda b: _macd(b, 1), 4e-7),
    "macd_histogram_9": (lambda b: _macd(b, 2), 8e-7),
    # 2e-4 of the weights, times a log distance of less than 0.5, times 2/13 a session.
    "trix_12": (_trix, 1.5e-5),
    "atr_14": (_true_range, 1e-9),
    # An average true range of 1 % that is off by 2e-8 of it.
    "keltner_position_20": (_keltner, 1e-7),
    # Moves of 50 dollars before moves of 50 cents.
    "crude_rsi_14": (_crude_strength, 2e-4),
}
"""What TA-Lib smooths without an end, and how far the end of our weights may move it."""


@pytest.mark.parametrize("name", SMOOTHED)
def test_smoothed_indicators_are_talibs_but_for_the_end_of_the_weights(
    bars, found, name
):
    """After 600 sessions TA-Lib's beginning is gone, and only our end is left."""
    oracle, at = SMOOTHED[name]
    apart = _differences(found[name], oracle(bars), since=SETTLED, rel=0.0, at=at)
    assert apart.tolist() == []


def _rolled(over: int, name: str = "r") -> Callable[[Bars], object]:
    return lambda b: b[name].rolling(over, min_periods=-(-3 * over // 4))


def _skewness(over: int) -> Oracle:
    correction = (over - 2) / np.sqrt(over * (over - 1))
    return lambda b: _rolled(over)(b).skew() * correction


def _kurtosis(over: int) -> Oracle:
    scale = (over - 2) * (over - 3) / (over - 1)
    return lambda b: (_rolled(over)(b).kurt() * scale - 6) / (over + 1)


def _path(over: int) -> Oracle:
    return lambda b: (
        np.log(b["close"] / b["close"].shift(over)).abs()
        / b["r"].abs().rolling(over).sum()
    )


def _chande(b: Bars) -> pd.Series:
    change = b["close"].diff()
    return 100 * change.rolling(20).sum() / change.abs().rolling(20).sum()


def _satchell(b: Bars) -> pd.Series:
    high, low, close = (np.log(b[n] / b["open"]) for n in ("high", "low", "close"))
    return high * (high - close) + low * (low - close)


def _yang_zhang(over: int) -> Oracle:
    def oracle(b: Bars) -> pd.Series:
        k = 0.34 / (1.34 + (over + 1) / (over - 1))
        night = np.log(b["open"] / b["close"].shift(1)).rolling(over).var()
        day = np.log(b["close"] / b["open"]).rolling(over).var()
        within = _satchell(b).rolling(over).mean()
        return YEAR * np.sqrt(night + k * day + (1 - k) * within)

    return oracle


def _garman_klass(b: Bars) -> pd.Series:
    day = np.log(b["close"] / b["open"])
    part = 0.5 * b["width"] ** 2 - (2 * np.log(2) - 1) * day**2
    return YEAR * np.sqrt(part.rolling(30).mean())


def _run(b: Bars) -> pd.Series:
    sign = np.sign(b["close"].diff())
    length = sign.groupby((sign != sign.shift()).cumsum()).cumcount() + 1
    return sign * length.clip(upper=5)


def _jumps(b: Bars) -> pd.Series:
    pairs = (b["r"] * b["r"].shift(1)).abs().rolling(60).mean()
    return 1 - np.pi / 2 * pairs / (b["r"] ** 2).rolling(60).mean()


def _variance_ratio(b: Bars) -> pd.Series:
    longer = b["r"].rolling(5).sum().rolling(60).var()
    return longer / (5 * b["r"].rolling(60).var())


def _crude(b: Bars) -> pd.Series:
    price = b["crude_close"].where(b["crude_close"] > 0)
    # No return bridges a missing price, nor the close below zero.
    return np.log(price).diff()


PANDAS: dict[str, Oracle] = {
    "chande_20": _chande,
    "run_length_5": _run,
    "up_share_60": lambda b: (b["close"].diff() > 0).astype(float).rolling(60).mean(),
    "efficiency_20": _path(20),
    "efficiency_60": _path(60),
    "volume_trend_20_60": lambda b: np.log(
        b["volume"].rolling(20).mean() / b["volume"].rolling(60).mean()
    ).shift(1),
    "volatility_ewm_20": lambda b: YEAR * np.sqrt((b["r"] ** 2).ewm(span=20).mean()),
    "volatility_rank_252": lambda b: (
        b["r"].rolling(20).std().rolling(252).rank(pct=True)
    ),
    "skewness_60": _skewness(60),
    "skewness_252": _skewness(252),
    "kurtosis_60": _kurtosis(60),
    "kurtosis_252": _kurtosis(252),
    "jump_share_60": _jumps,
    "variance_ratio_5_60": _variance_ratio,
    "return_autocorr_60": lambda b: b["r"].rolling(60).corr(b["r"].shift(1)),
    "parkinson_30": lambda b: (
        YEAR * np.sqrt((b["width"] ** 2).rolling(30).mean() / (4 * np.log(2)))
    ),
    "garman_klass_30": _garman_klass,
    "rogers_satchell_20": lambda b: YEAR * np.sqrt(_satchell(b).rolling(20).mean()),
    "yang_zhang_20": _yang_zhang(20),
    "yang_zhang_30": _yang_zhang(30),
    "crude_rank_252": lambda b: (
        b["crude_close"].rolling(252, min_periods=189).rank(pct=True)
    ),
    "crude_volatility_60": lambda b: YEAR * _crude(b).rolling(60, min_periods=45).std(),
}
"""What pandas counts over the same window as we do."""
TIED = {"volatility_rank_252": 0.51 / 252}
"""Where a return leaves a window that an equal one enters, two volatilities are equal but
for the last bit, and which is the greater is a matter of half a place."""


@pytest.mark.parametrize("name", PANDAS)
def test_rolled_features_are_those_of_pandas(bars, found, name):
    """Pandas adds and takes away as it goes, so it is right to some 1e-9 of a value."""
    expected = PANDAS[name](bars)
    at = TIED.get(name, 1e-9)
    apart = _differences(found[name], expected, since=300, rel=1e-8, at=at)
    assert apart.tolist() == []


def test_the_close_below_zero_has_no_log(market, found):
    """Crude's return is null on 2020-04-20 and five sessions later; its rank is not."""
    fell = market["date"].to_list().index(date(2020, 4, 20))
    assert market["crude_close"][fell] == -37.63
    assert np.isnan(found["crude_return_5"][[fell, fell + 5]]).all()
    assert found["crude_rank_252"][fell] == pytest.approx(1 / 252, rel=0.02)
