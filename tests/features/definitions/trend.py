"""More features of the technical family, those of closes, in plain Python. No kernel."""

from __future__ import annotations

from math import log

from tests.features.definitions.plain import (
    Definition,
    Rows,
    Values,
    change,
    column,
    faded_mean,
    held,
    log_return,
    mean_of,
    minus,
    ratio,
    returns_of,
    rsi_of,
    slope_of,
    std_of,
)
from tests.features.definitions.technical import macd, signal


def log_over(one: float | None, other: float | None) -> float | None:
    """Return the log of one positive number over another."""
    if one is None or other is None or min(one, other) <= 0:
        return None
    return log(one / other)


def _mean(rows: Rows, over: int, need: int) -> float | None:
    return mean_of(column(rows[-over:], "close"), need)


def _aroon(rows: Rows) -> float | None:
    closes = list(reversed(column(rows, "close")))
    there = held(closes)
    if closes[0] is None or len(there) < 20:
        return None
    return (closes.index(min(there)) - closes.index(max(there))) / 25 * 100


def _detrended(rows: Rows) -> float | None:
    if len(rows) < 12:
        return None
    return log_over(rows[-12]["close"], _mean(rows, 20, 15))


def _width(rows: Rows) -> float | None:
    closes = column(rows, "close")
    spread = std_of(closes, 15)
    return None if spread is None else 4 * spread / mean_of(closes, 15)


def _channel(rows: Rows) -> float | None:
    closes = column(rows, "close")
    there = held(closes)
    if closes[-1] is None or len(there) < 42 or max(there) == min(there):
        return None
    return (closes[-1] - min(there)) / (max(there) - min(there))


def _acceleration(rows: Rows) -> float | None:
    early = log_return(rows[:-20], "close", 20) if len(rows) > 40 else None
    return minus(log_return(rows, "close", 20), early)


def _changes(rows: Rows) -> Values:
    return [change(rows[i : i + 2], "close", 1) for i in range(len(rows) - 1)]


def _chande(rows: Rows) -> float | None:
    there = held(_changes(rows))
    path = sum(abs(c) for c in there)
    return 100 * sum(there) / path if len(there) >= 15 and path else None


def _smooth(values: Values) -> Values:
    found: list[float | None] = []
    for t in range(len(values)):
        known = len(held(values[max(0, t - 11) : t + 1])) >= 9
        window = values[max(0, t - 51) : t + 1]
        found.append(faded_mean(window, 11 / 13) if known else None)
    return found


def _trix(rows: Rows) -> float | None:
    values = _smooth(_smooth(_smooth(column(rows, "close"))))
    return log_over(values[-1], values[-2]) if len(values) > 1 else None


def _run(rows: Rows) -> float | None:
    length, here = 0, None
    for move in reversed(_changes(rows)):
        if move is None:
            return None
        direction = (move > 0) - (move < 0)
        here = direction if here is None else here
        if direction != here:
            return float(here * length)
        length += 1
    # Every session of the window is of the run; a shorter window leaves it open.
    return float(here * length) if length == 5 else None


def _ups(rows: Rows, need: int) -> float | None:
    return mean_of([None if c is None else float(c > 0) for c in _changes(rows)], need)


def _efficiency(rows: Rows, over: int, need: int) -> float | None:
    moves = [None if r is None else abs(r) for r in returns_of(rows, "close")]
    path, distance = mean_of(moves, need), log_return(rows, "close", over)
    return None if distance is None else ratio(abs(distance) / over, path)


def _rate(rows: Rows) -> float | None:
    if len(rows) < 11:
        return None
    found = ratio(rows[-1]["close"], rows[-11]["close"])
    return None if found is None else 100 * (found - 1)


def _log_slope(rows: Rows, need: int) -> float | None:
    closes = column(rows, "close")
    return slope_of([None if c is None else log(c) for c in closes], need)


def _distance(over: int, need: int) -> Definition:
    return lambda r: log_over(r[-1]["close"], _mean(r, over, need))


DEFINITIONS: dict[str, Definition] = {
    "distance_from_mean_7": _distance(7, 6),
    "distance_from_mean_50": _distance(50, 38),
    "distance_from_mean_100": _distance(100, 75),
    "distance_from_mean_200": _distance(200, 150),
    "mean_gap_50_200": lambda r: log_over(_mean(r, 50, 38), _mean(r, 200, 150)),
    "log_slope_10": lambda r: _log_slope(r, 8),
    "log_slope_60": lambda r: _log_slope(r, 45),
    "log_slope_120": lambda r: _log_slope(r, 90),
    "aroon_oscillator_25": _aroon,
    "detrended_20": _detrended,
    "bollinger_width_20": _width,
    "channel_position_55": _channel,
    "return_120": lambda r: log_return(r, "close", 120),
    "return_252": lambda r: log_return(r, "close", 252),
    "return_acceleration_20": _acceleration,
    "roc_10": _rate,
    "rsi_9": lambda r: rsi_of(r, "close", 9),
    "rsi_25": lambda r: rsi_of(r, "close", 25),
    "chande_20": _chande,
    "trix_12": _trix,
    "run_length_5": _run,
    "up_share_20": lambda r: _ups(r, 15),
    "up_share_60": lambda r: _ups(r, 45),
    "efficiency_20": lambda r: _efficiency(r, 20, 15),
    "efficiency_60": lambda r: _efficiency(r, 60, 45),
    "macd_histogram_9": lambda r: minus(macd(r), signal(r)),
}
