"""More features of the technical family, those of bars and volume. It knows no kernel."""

from __future__ import annotations

from collections.abc import Callable
from math import log

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    change,
    column,
    faded_mean,
    held,
    log_return,
    mean_of,
    together,
)
from tests.features.definitions.technical import RANGES_FROM, atr, sound
from tests.features.definitions.trend import log_over


def _position(rows: Rows, over: int, need: int) -> float | None:
    """Return where the close lies between the low, 0, and the high, 1, of sound bars."""
    bars = [row for row in rows[-over:] if sound(row)]
    close = rows[-1]["close"]
    if close is None or len(bars) < need:
        return None
    low, high = min(b["low"] for b in bars), max(b["high"] for b in bars)
    return (close - low) / (high - low) if low <= close <= high and low < high else None


def _mean_position(rows: Rows) -> float | None:
    if len(rows) < 3:
        return None
    ends = (rows[: len(rows) - back] for back in range(3))
    mean = mean_of([_position(r, 14, 11) for r in ends], 3)
    return None if mean is None else 100 * mean


def _slow_position(rows: Rows) -> float | None:
    if len(rows) < 5:
        return None
    return mean_of([_mean_position(rows[: len(rows) - back]) for back in range(3)], 3)


def _williams(rows: Rows) -> float | None:
    found = _position(rows, 14, 11)
    return None if found is None else -100 * (1 - found)


def typical(row: Row) -> float | None:
    """Return the mean of high, low and close, where all are above zero."""
    prices = [row["high"], row["low"], row["close"]]
    if None in prices or row["date"] < RANGES_FROM or min(prices) <= 0:
        return None
    return sum(prices) / 3


def _cci(rows: Rows) -> float | None:
    prices = [typical(row) for row in rows]
    middle = mean_of(prices, 15)
    if prices[-1] is None or middle is None:
        return None
    around = mean_of([None if p is None else abs(p - middle) for p in prices], 1)
    return (prices[-1] - middle) / (0.015 * around) if around else None


def _keltner(rows: Rows) -> float | None:
    closes, reach = column(rows, "close"), atr(rows[-241:])
    if len(held(closes[-256:])) < 15 or closes[-1] is None or not reach:
        return None
    return log(closes[-1] / faded_mean(closes, 19 / 21)) / (4 * reach) + 0.5


def _weighed(
    rows: Rows, over: int, need: int, of: Callable[[Rows], float | None]
) -> tuple[list[float], list[float]] | None:
    """Return values of the sessions before and the volumes known a session later."""
    pairs = []
    for t in range(max(1, len(rows) - over), len(rows)):
        value, volume = of(rows[:t]), rows[t]["volume_lag1"]
        if value is not None and volume is not None:
            pairs.append((value, volume))
    if len(pairs) < need:
        return None
    return [value for value, _ in pairs], [volume for _, volume in pairs]


def _sign(rows: Rows) -> float | None:
    move = change(rows, "close", 1)
    return None if move is None else float((move > 0) - (move < 0))


def _obv(rows: Rows) -> float | None:
    found = _weighed(rows, 20, 15, _sign)
    if found is None or not sum(found[1]):
        return None
    return sum(s * v for s, v in zip(*found, strict=True)) / sum(found[1])


def _rise(rows: Rows) -> float | None:
    now, then = typical(rows[-1]), typical(rows[-2]) if len(rows) > 1 else None
    if now is None or then is None:
        return None
    return now if now > then else -now if now < then else 0.0


def _money_flow(rows: Rows) -> float | None:
    found = _weighed(rows, 14, 11, _rise)
    flows = [p * v for p, v in zip(*found, strict=True)] if found else []
    whole = sum(abs(f) for f in flows)
    return 100 * sum(f for f in flows if f > 0) / whole if whole else None


def _place(rows: Rows) -> float | None:
    bar = rows[-1]
    if not sound(bar) or bar["high"] == bar["low"]:
        return None
    up, down = bar["close"] - bar["low"], bar["high"] - bar["close"]
    return (up - down) / (bar["high"] - bar["low"])


def _chaikin(rows: Rows) -> float | None:
    found = _weighed(rows, 20, 15, _place)
    if found is None or not sum(found[1]):
        return None
    return sum(p * v for p, v in zip(*found, strict=True)) / sum(found[1])


def _volume_trend(rows: Rows) -> float | None:
    volumes = column(rows, "volume_lag1")
    return log_over(mean_of(volumes[-20:], 15), mean_of(volumes, 45))


def _move(rows: Rows) -> float | None:
    found = log_return(rows, "close", 1)
    return None if found is None else abs(found)


def _volume_and_move(rows: Rows) -> float | None:
    found = _weighed(rows, 60, 45, _move)
    return None if found is None else together(*found, 45)[1]


DEFINITIONS: dict[str, Definition] = {
    "stochastic_k_14": _mean_position,
    "stochastic_d_14": _slow_position,
    "cci_20": _cci,
    "donchian_position_20": lambda r: _position(r, 20, 15),
    "williams_r_14": _williams,
    "obv_share_20": _obv,
    "money_flow_14": _money_flow,
    "chaikin_flow_20": _chaikin,
    "volume_trend_20_60": _volume_trend,
    "corr_volume_move_60": _volume_and_move,
    "keltner_position_20": _keltner,
}
