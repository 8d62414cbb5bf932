"""Every feature in plain Python, written from its formula alone. It knows no kernel.

A definition gets the rows that its window holds, oldest first, as dicts; so a window
that is stated too short in feature_registry.json gives another value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from math import fsum, log, sqrt
from typing import Any

Row = dict[str, Any]
Rows = list[Row]
Values = Sequence[float | None]
RANGES_FROM = date(2012, 1, 3)


def _held(values: Values) -> list[float]:
    return [v for v in values if v is not None]


def _mean(values: Values, need: int) -> float | None:
    held = _held(values)
    return fsum(held) / len(held) if len(held) >= need else None


def _std(values: Values, need: int) -> float | None:
    held = _held(values)
    if len(held) < max(need, 2):
        return None
    if max(held) == min(held):
        return 0.0
    mean = fsum(held) / len(held)
    return sqrt(fsum((v - mean) ** 2 for v in held) / (len(held) - 1))


def _zscore(values: Values, need: int) -> float | None:
    mean, std = _mean(values, need), _std(values, need)
    if values[-1] is None or not std:
        return None
    return (values[-1] - mean) / std


def _rank(values: Values, need: int) -> float | None:
    held, here = _held(values), values[-1]
    if len(held) < need or here is None:
        return None
    below = sum(v < here for v in held)
    alike = sum(v == here for v in held)
    return (below + (alike + 1) / 2) / len(held)


def _slope(values: Values, need: int) -> float | None:
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    return _co([v for _, v in points], [float(i) for i, _ in points], need)[0]


def _co(y: Values, x: Values, need: int) -> tuple[float | None, float | None]:
    """Return beta and correlation."""
    pairs = [(a, b) for a, b in zip(y, x, strict=True) if None not in (a, b)]
    if len(pairs) < max(need, 2):
        return None, None
    my, mx = (
        fsum(a for a, _ in pairs) / len(pairs),
        fsum(b for _, b in pairs) / len(pairs),
    )
    yy = fsum((a - my) ** 2 for a, _ in pairs)
    xx = fsum((b - mx) ** 2 for _, b in pairs)
    yx = fsum((a - my) * (b - mx) for a, b in pairs)
    return (yx / xx if xx else None), (yx / sqrt(yy * xx) if yy and xx else None)


def _ewm(values: Values, decay: float) -> float | None:
    weighed = [
        (decay**age, v) for age, v in enumerate(reversed(values)) if v is not None
    ]
    if not weighed:
        return None
    return fsum(w * v for w, v in weighed) / fsum(w for w, _ in weighed)


def _column(rows: Rows, name: str) -> Values:
    return [row[name] for row in rows]


def _log_return(rows: Rows, name: str, over: int) -> float | None:
    if len(rows) <= over:
        return None
    now, then = rows[-1][name], rows[-1 - over][name]
    if now is None or then is None or now <= 0 or then <= 0:
        return None
    return log(now) - log(then)


def _change(rows: Rows, name: str, over: int) -> float | None:
    if len(rows) <= over or None in (rows[-1][name], rows[-1 - over][name]):
        return None
    return rows[-1][name] - rows[-1 - over][name]


def _returns(rows: Rows, name: str) -> Values:
    return [_log_return(rows[: i + 1], name, 1) for i in range(1, len(rows))]


def _beside(rows: Rows, name: str, over: int, need: int) -> Any:
    short = rows[-over - 1 :]
    y, x = _returns(short, "close"), _returns(short, name)
    return _co(y, x, need)


def _volatility(rows: Rows, over: int, need: int) -> float | None:
    std = _std(_returns(rows[-over - 1 :], "close"), need)
    return None if std is None else std * sqrt(252.0)


def _minus(left: float | None, right: float | None) -> float | None:
    return None if left is None or right is None else left - right


def _over(left: float | None, right: float | None) -> float | None:
    return None if left is None or not right else left / right


def _from_extreme(rows: Rows, pick: Callable[[list[float]], float]) -> float | None:
    closes = _held(_column(rows, "close"))
    if len(closes) < 189 or rows[-1]["close"] is None:
        return None
    return log(rows[-1]["close"]) - log(pick(closes))


def _bollinger(rows: Rows) -> float | None:
    closes = _column(rows, "close")
    mean, std = _mean(closes, 15), _std(closes, 15)
    if closes[-1] is None or not std:
        return None
    lower, upper = mean - 2 * std, mean + 2 * std
    return (closes[-1] - lower) / (upper - lower)


def _rsi(rows: Rows) -> float | None:
    changes = [_change(rows[: i + 1], "close", 1) for i in range(1, len(rows))]
    if len(_held(changes[-27:])) < 21:
        return None
    up = _ewm([None if c is None else max(c, 0.0) for c in changes], 13 / 14)
    down = _ewm([None if c is None else max(-c, 0.0) for c in changes], 13 / 14)
    moved = any(_held(changes[-27:]))
    return 100.0 - 100.0 * down / (up + down) if moved else None


def _macd(rows: Rows) -> float | None:
    logs = [None if v is None else log(v) for v in _column(rows[-192:], "close")]
    if len(_held(logs[-26:])) < 20:
        return None
    return _ewm(logs, 1 - 2 / 13) - _ewm(logs, 1 - 2 / 27)


def _signal(rows: Rows) -> float | None:
    first = max(0, len(rows) - 64)
    macds = [_macd(rows[: i + 1]) for i in range(first, len(rows))]
    return _ewm(macds, 0.8) if len(_held(macds[-9:])) >= 7 else None


def _sound(row: Row) -> bool:
    bar = [row[name] for name in ("open", "high", "low", "close")]
    if None in bar or row["date"] < RANGES_FROM:
        return False
    return 0 < row["low"] == min(bar) and row["high"] == max(bar)


def _true_range(row: Row, before: Row) -> float | None:
    if not _sound(row) or before["close"] is None:
        return None
    top = max(row["high"], before["close"])
    return log(top / min(row["low"], before["close"]))


def _atr(rows: Rows) -> float | None:
    pairs = zip(rows[1:], rows, strict=False)
    found = [_true_range(row, before) for row, before in pairs]
    return _ewm(found, 13 / 14) if len(_held(found[-27:])) >= 21 else None


def _parkinson(rows: Rows) -> float | None:
    found = [log(r["high"] / r["low"]) ** 2 if _sound(r) else None for r in rows]
    mean = _mean(found, 15)
    return None if mean is None else sqrt(252 * mean / (4 * log(2)))


def _garman_klass(rows: Rows) -> float | None:
    found = [
        0.5 * log(r["high"] / r["low"]) ** 2
        - (2 * log(2) - 1) * log(r["close"] / r["open"]) ** 2
        if _sound(r)
        else None
        for r in rows
    ]
    mean = _mean(found, 15)
    return None if mean is None else sqrt(252 * mean)


def _volume_ratio(rows: Rows) -> float | None:
    return _over(rows[-1]["volume_lag1"], _mean(_column(rows, "volume_lag1"), 15))


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


def _spread(rows: Rows, left: str, right: str) -> float | None:
    return _minus(rows[-1][left], rows[-1][right])


def _gap(rows: Rows) -> float | None:
    short = _beside(rows, "crude_close", 60, 45)[1]
    long = _beside(rows, "crude_close", 252, 189)[1]
    return None if None in (short, long) else abs(short - long)


def _share_of(row: Row, who: str) -> float | None:
    names = ("open_interest", f"{who}_long", f"{who}_short")
    held, long, short = (row[name] for name in names)
    ages = {row[f"{name}_age_days"] for name in names}
    if None in (held, long, short) or len(ages) != 1 or None in ages:
        return None
    return (long - short) / held


def _speculators(rows: Rows) -> Values:
    return [_share_of(row, "speculators") for row in rows]


def _wti_basis(rows: Rows) -> float | None:
    spot, age = rows[-1]["wti_spot"], rows[-1]["wti_spot_age_days"]
    if None in (spot, age):
        return None
    day = rows[-1]["date"] - timedelta(days=age)
    future = [row["crude_close"] for row in rows if row["date"] == day]
    return _minus(spot, future[0]) if future else None


DEFINITIONS: dict[str, Callable[[Rows], float | None]] = {
    "return_1": lambda r: _log_return(r, "close", 1),
    "return_5": lambda r: _log_return(r, "close", 5),
    "return_20": lambda r: _log_return(r, "close", 20),
    "return_60": lambda r: _log_return(r, "close", 60),
    "mean_20": lambda r: _mean(_column(r, "close"), 15),
    "mean_60": lambda r: _mean(_column(r, "close"), 45),
    "mean_252": lambda r: _mean(_column(r, "close"), 189),
    "ewm_20": lambda r: (
        _ewm(_column(r, "close"), 19 / 21)
        if len(_held(_column(r, "close"))) >= 15
        else None
    ),
    "zscore_60": lambda r: _zscore(_column(r, "close"), 45),
    "rank_252": lambda r: _rank(_column(r, "close"), 189),
    "slope_20": lambda r: _slope(_column(r, "close"), 15),
    "distance_from_high_252": lambda r: _from_extreme(r, max),
    "distance_from_low_252": lambda r: _from_extreme(r, min),
    "bollinger_position_20": _bollinger,
    "rsi_14": _rsi,
    "macd_12_26": _macd,
    "macd_signal_9": _signal,
    "volatility_20": lambda r: _volatility(r, 20, 15),
    "volatility_60": lambda r: _volatility(r, 60, 45),
    "volatility_ratio_20_60": lambda r: _over(
        _volatility(r, 20, 15), _volatility(r, 60, 45)
    ),
    "atr_14": _atr,
    "parkinson_20": _parkinson,
    "garman_klass_20": _garman_klass,
    "volume_zscore_60": lambda r: _zscore(_column(r, "volume_lag1"), 45),
    "volume_ratio_20": _volume_ratio,
    "corr_vix_60": lambda r: _beside(r, "vix", 60, 45)[1],
    "beta_vix_60": lambda r: _beside(r, "vix", 60, 45)[0],
    "corr_soybeans_60": lambda r: _beside(r, "soybeans_close", 60, 45)[1],
    "beta_soybeans_60": lambda r: _beside(r, "soybeans_close", 60, 45)[0],
    "corr_crude_60": lambda r: _beside(r, "crude_close", 60, 45)[1],
    "beta_crude_60": lambda r: _beside(r, "crude_close", 60, 45)[0],
    "corr_gold_60": lambda r: _beside(r, "gold_close", 60, 45)[1],
    "corr_crude_gap_60_252": _gap,
    "soybeans_return_20": lambda r: _log_return(r, "soybeans_close", 20),
    "crude_return_20": lambda r: _log_return(r, "crude_close", 20),
    "crush_usd_per_bushel": _crush,
    "oil_share": _oil_share,
    "treasury_change_20": lambda r: _change(r, "treasury_10y", 20),
    "real_policy_rate": lambda r: _spread(r, "fed_funds", "breakeven_5y"),
    "curve_10y_2y": lambda r: _spread(r, "treasury_10y", "treasury_2y"),
    "curve_30y_10y": lambda r: _spread(r, "treasury_30y", "treasury_10y"),
    "fed_funds_change_60": lambda r: _change(r, "fed_funds", 60),
    "breakeven_change_20": lambda r: _change(r, "breakeven_5y", 20),
    "vix_change_5": lambda r: _change(r, "vix", 5),
    "vix_zscore_252": lambda r: _zscore(_column(r, "vix"), 189),
    "dollar_return_20": lambda r: _log_return(r, "dollar_index", 20),
    "wti_basis": _wti_basis,
    "speculators_net_share": lambda r: _share_of(r[-1], "speculators"),
    "hedgers_net_share": lambda r: _share_of(r[-1], "hedgers"),
    "speculators_net_share_change_20": lambda r: (
        _minus(_speculators(r)[-1], _speculators(r)[-21]) if len(r) > 20 else None
    ),
    "speculators_net_rank_252": lambda r: _rank(_speculators(r), 189),
    "open_interest_change_20": lambda r: _log_return(r, "open_interest", 20),
}
