"""Features of the technical family in plain Python. It knows no kernel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from math import log, sqrt

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    beside,
    change,
    column,
    faded_mean,
    held,
    log_return,
    mean_of,
    rank_of,
    ratio,
    rsi_of,
    slope_of,
    std_of,
    volatility_of,
    zscore_of,
)

RANGES_FROM = date(2012, 1, 3)


def _from_extreme(rows: Rows, pick: Callable[[list[float]], float]) -> float | None:
    closes = held(column(rows, "close"))
    if len(closes) < 189 or rows[-1]["close"] is None:
        return None
    return log(rows[-1]["close"]) - log(pick(closes))


def _bollinger(rows: Rows) -> float | None:
    closes = column(rows, "close")
    mean, std = mean_of(closes, 15), std_of(closes, 15)
    if closes[-1] is None or not std:
        return None
    lower, upper = mean - 2 * std, mean + 2 * std
    return (closes[-1] - lower) / (upper - lower)


def macd(rows: Rows) -> float | None:
    """Return the difference of two exponential means of the log close."""
    logs = [None if v is None else log(v) for v in column(rows[-192:], "close")]
    if len(held(logs[-26:])) < 20:
        return None
    return faded_mean(logs, 1 - 2 / 13) - faded_mean(logs, 1 - 2 / 27)


def signal(rows: Rows) -> float | None:
    """Return the exponential mean of that difference."""
    first = max(0, len(rows) - 64)
    macds = [macd(rows[: i + 1]) for i in range(first, len(rows))]
    return faded_mean(macds, 0.8) if len(held(macds[-9:])) >= 7 else None


def sound(row: Row) -> bool:
    """Return whether a bar counts: whole, in order, and of a day with good ranges."""
    bar = [row[name] for name in ("open", "high", "low", "close")]
    if None in bar or row["date"] < RANGES_FROM:
        return False
    return 0 < row["low"] == min(bar) and row["high"] == max(bar)


def _true_range(row: Row, before: Row) -> float | None:
    if not sound(row) or before["close"] is None:
        return None
    top = max(row["high"], before["close"])
    return log(top / min(row["low"], before["close"]))


def atr(rows: Rows) -> float | None:
    """Return Wilder's average true range of log prices."""
    pairs = zip(rows[1:], rows, strict=False)
    found = [_true_range(row, before) for row, before in pairs]
    return faded_mean(found, 13 / 14) if len(held(found[-27:])) >= 21 else None


def _parkinson(rows: Rows) -> float | None:
    found = [log(r["high"] / r["low"]) ** 2 if sound(r) else None for r in rows]
    mean = mean_of(found, 15)
    return None if mean is None else sqrt(252 * mean / (4 * log(2)))


def _garman_klass(rows: Rows) -> float | None:
    found = [
        0.5 * log(r["high"] / r["low"]) ** 2
        - (2 * log(2) - 1) * log(r["close"] / r["open"]) ** 2
        if sound(r)
        else None
        for r in rows
    ]
    mean = mean_of(found, 15)
    return None if mean is None else sqrt(252 * mean)


def _volume_ratio(rows: Rows) -> float | None:
    return ratio(rows[-1]["volume_lag1"], mean_of(column(rows, "volume_lag1"), 15))


def _crush_of(row: Row) -> float | None:
    meal, oil, beans = (row[n] for n in ("meal_close", "close", "soybeans_close"))
    if None in (meal, oil, beans) or min(meal, oil, beans) <= 0:
        return None
    return 44 / 2000 * meal + 11 * oil / 100 - beans / 100


def _crush(rows: Rows) -> float | None:
    here, day = _crush_of(rows[-1]), rows[-1]["date"]
    before = _crush_of(rows[-2]) if len(rows) > 1 else None
    jumped = None not in (here, before) and abs(here - before) > 0.40
    rolls = 10 <= day.day <= 18 and day.month not in (2, 4, 6)
    return None if jumped and rolls else here


def _oil_share(rows: Rows) -> float | None:
    meal, oil = rows[-1]["meal_close"], rows[-1]["close"]
    if None in (meal, oil) or min(meal, oil) <= 0:
        return None
    return 0.11 * oil / (0.11 * oil + 0.022 * meal)


def _gap(rows: Rows) -> float | None:
    short = beside(rows, "crude_close", 60, 45)[1]
    long = beside(rows, "crude_close", 252, 189)[1]
    return None if None in (short, long) else abs(short - long)


DEFINITIONS: dict[str, Definition] = {
    "return_1": lambda r: log_return(r, "close", 1),
    "return_5": lambda r: log_return(r, "close", 5),
    "return_20": lambda r: log_return(r, "close", 20),
    "return_60": lambda r: log_return(r, "close", 60),
    "mean_20": lambda r: mean_of(column(r, "close"), 15),
    "mean_60": lambda r: mean_of(column(r, "close"), 45),
    "mean_252": lambda r: mean_of(column(r, "close"), 189),
    "ewm_20": lambda r: (
        faded_mean(column(r, "close"), 19 / 21)
        if len(held(column(r, "close"))) >= 15
        else None
    ),
    "zscore_60": lambda r: zscore_of(column(r, "close"), 45),
    "rank_252": lambda r: rank_of(column(r, "close"), 189),
    "slope_20": lambda r: slope_of(column(r, "close"), 15),
    "distance_from_high_252": lambda r: _from_extreme(r, max),
    "distance_from_low_252": lambda r: _from_extreme(r, min),
    "bollinger_position_20": _bollinger,
    "rsi_14": lambda r: rsi_of(r, "close", 14),
    "macd_12_26": macd,
    "macd_signal_9": signal,
    "volatility_20": lambda r: volatility_of(r, 20, 15),
    "volatility_60": lambda r: volatility_of(r, 60, 45),
    "volatility_ratio_20_60": lambda r: ratio(
        volatility_of(r, 20, 15), volatility_of(r, 60, 45)
    ),
    "atr_14": atr,
    "parkinson_20": _parkinson,
    "garman_klass_20": _garman_klass,
    "volume_zscore_60": lambda r: zscore_of(column(r, "volume_lag1"), 45),
    "volume_ratio_20": _volume_ratio,
    "corr_vix_60": lambda r: beside(r, "vix", 60, 45)[1],
    "beta_vix_60": lambda r: beside(r, "vix", 60, 45)[0],
    "corr_soybeans_60": lambda r: beside(r, "soybeans_close", 60, 45)[1],
    "beta_soybeans_60": lambda r: beside(r, "soybeans_close", 60, 45)[0],
    "corr_crude_60": lambda r: beside(r, "crude_close", 60, 45)[1],
    "beta_crude_60": lambda r: beside(r, "crude_close", 60, 45)[0],
    "corr_gold_60": lambda r: beside(r, "gold_close", 60, 45)[1],
    "corr_crude_gap_60_252": _gap,
    "soybeans_return_20": lambda r: log_return(r, "soybeans_close", 20),
    "crude_return_20": lambda r: log_return(r, "crude_close", 20),
    "crush_usd_per_bushel": _crush,
    "oil_share": _oil_share,
    "treasury_change_20": lambda r: change(r, "treasury_10y", 20),
}
