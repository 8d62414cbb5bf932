"""Features of the volatility family in plain Python. It knows no kernel."""

from __future__ import annotations

from math import fsum, log, pi, sqrt

from tests.features.definitions.plain import (
    Definition,
    Row,
    Rows,
    Values,
    column,
    faded_mean,
    held,
    log_return,
    mean_of,
    minus,
    rank_of,
    ratio,
    returns_of,
    std_of,
    together,
)
from tests.features.definitions.technical import sound
from tests.features.definitions.trend import log_over

MARKETS = (
    "soybeans", "meal", "corn", "wheat", "crude", "heating_oil", "gasoline",
    "natural_gas", "gold",
)  # fmt: skip


def three_quarters(of: int) -> int:
    """Return how many of so many values are three quarters, rounded up."""
    return -(-3 * of // 4)


def returns(rows: Rows, over: int, name: str = "close") -> Values:
    """Return the newest log returns of one session."""
    return returns_of(rows[-over - 1 :], name)


def deviation(rows: Rows, over: int, name: str = "close") -> float | None:
    """Return the yearly deviation of the newest returns of a price."""
    found = std_of(returns(rows, over, name), three_quarters(over))
    return None if found is None else found * sqrt(252)


def _all_of_20(rows: Rows, over: int) -> Values:
    """Return the volatility of 20 sessions on each of the newest `over` sessions."""
    moves = returns(rows, over + 19)
    ends = range(len(moves) - over + 1, len(moves) + 1)
    return [std_of(moves[max(0, end - 20) : max(0, end)], 15) for end in ends]


def _rank(rows: Rows) -> float | None:
    return rank_of(_all_of_20(rows, 252), 189)


def _of_itself(rows: Rows) -> float | None:
    values = _all_of_20(rows, 60)
    spread, mean = std_of(values, 45), mean_of(values, 45)
    return None if spread is None else ratio(spread, mean)


def _faded(rows: Rows) -> float | None:
    squares = [None if r is None else r * r for r in returns_of(rows, "close")]
    if len(held(squares[-20:])) < 15:
        return None
    return sqrt(252 * faded_mean(squares, 19 / 21))


def _moved(rows: Rows) -> float | None:
    before = deviation(rows[:-20], 20) if len(rows) > 20 else None
    return log_over(deviation(rows, 20), before)


def _half(rows: Rows, side: int) -> float | None:
    moves = returns(rows, 60)
    squares = [None if r is None else max(side * r, 0.0) ** 2 for r in moves]
    mean = mean_of(squares, 45)
    return None if mean is None else sqrt(252 * mean)


def _moment(rows: Rows, over: int, power: int) -> float | None:
    there = held(returns(rows, over))
    if len(there) < three_quarters(over) or max(there) == min(there):
        return None
    mean = fsum(there) / len(there)
    m2 = fsum((r - mean) ** 2 for r in there) / len(there)
    found = fsum((r - mean) ** power for r in there) / len(there)
    return found / m2 ** (power / 2) - (3 if power == 4 else 0)


def _pairs(rows: Rows) -> list[tuple[float | None, float | None]]:
    moves = returns(rows, 61)
    return list(zip(moves[1:], moves, strict=False))


def _jumps(rows: Rows) -> float | None:
    products = [
        None if None in pair else abs(pair[0] * pair[1]) for pair in _pairs(rows)
    ]
    squares = [None if r is None else r * r for r in returns(rows, 60)]
    whole = ratio(mean_of(products, 45), mean_of(squares, 45))
    return None if whole is None else 1 - pi / 2 * whole


def _variance_ratio(rows: Rows) -> float | None:
    ends = range(max(0, len(rows) - 60), len(rows))
    longer = std_of([log_return(rows[: t + 1], "close", 5) for t in ends], 45)
    single = std_of(returns(rows, 60), 45)
    found = ratio(longer, single)
    return None if found is None else found**2 / 5


def _memory(rows: Rows) -> float | None:
    pairs = _pairs(rows)
    return together([b for b, _ in pairs], [a for _, a in pairs], 45)[1]


def _width(row: Row) -> float | None:
    return log(row["high"] / row["low"]) if sound(row) else None


def _day(row: Row) -> float | None:
    return log(row["close"] / row["open"]) if sound(row) else None


def _root(values: Values, need: int) -> float | None:
    mean = mean_of(values, need)
    return None if mean is None else sqrt(252 * mean)


def _parkinson(rows: Rows, over: int) -> float | None:
    widths = [_width(row) for row in rows[-over:]]
    squares = [None if w is None else w * w / (4 * log(2)) for w in widths]
    return _root(squares, three_quarters(over))


def _garman_klass(rows: Rows, over: int) -> float | None:
    bars = [(_width(row), _day(row)) for row in rows[-over:]]
    parts = [
        None if w is None else 0.5 * w * w - (2 * log(2) - 1) * d * d for w, d in bars
    ]
    return _root(parts, three_quarters(over))


def _satchell(row: Row) -> float | None:
    if not sound(row):
        return None
    high, low, close = (log(row[n] / row["open"]) for n in ("high", "low", "close"))
    return high * (high - close) + low * (low - close)


def _night(rows: Rows) -> float | None:
    if len(rows) < 2 or not sound(rows[-1]):
        return None
    return log_over(rows[-1]["open"], rows[-2]["close"])


def _nights(rows: Rows, over: int) -> Values:
    return [_night(rows[: t + 1]) for t in range(max(0, len(rows) - over), len(rows))]


def _yang_zhang(rows: Rows, over: int) -> float | None:
    need, newest = three_quarters(over), rows[-over:]
    night = std_of(_nights(rows, over), need)
    day = std_of([_day(row) for row in newest], need)
    satchell = mean_of([_satchell(row) for row in newest], need)
    if None in (night, day, satchell):
        return None
    k = 0.34 / (1.34 + (over + 1) / (over - 1))
    return sqrt(252 * (night**2 + k * day**2 + (1 - k) * satchell))


def _share_of_nights(rows: Rows) -> float | None:
    night = std_of(_nights(rows, 20), 15)
    day = std_of([_day(row) for row in rows[-20:]], 15)
    if night is None or day is None:
        return None
    return ratio(night**2, night**2 + day**2)


def _night_deviation(rows: Rows) -> float | None:
    found = std_of(_nights(rows, 20), 15)
    return None if found is None else found * sqrt(252)


def _width_ratio(rows: Rows) -> float | None:
    widths = [_width(row) for row in rows]
    return log_over(widths[-1], mean_of(widths, 15))


def _vix_range(rows: Rows) -> float | None:
    there = held(column(rows, "vix"))
    return log(max(there) / min(there)) if len(there) >= 15 else None


def _vix_gap(rows: Rows) -> float | None:
    own = deviation(rows, 20)
    return minus(rows[-1]["vix"], None if own is None else 100 * own)


def _of(name: str, over: int) -> Definition:
    return lambda r: deviation(r, over, name)


def _over(name: str) -> Definition:
    return lambda r: log_over(deviation(r, 60), deviation(r, 60, name))


DEFINITIONS: dict[str, Definition] = {
    **{f"volatility_{n}": _of("close", n) for n in (5, 10, 120, 252)},
    "volatility_ewm_20": _faded,
    "volatility_rank_252": _rank,
    "volatility_of_volatility_60": _of_itself,
    "volatility_ratio_5_60": lambda r: log_over(deviation(r, 5), deviation(r, 60)),
    "volatility_ratio_20_252": lambda r: log_over(deviation(r, 20), deviation(r, 252)),
    "volatility_change_20": _moved,
    "downside_deviation_60": lambda r: _half(r, -1),
    "upside_deviation_60": lambda r: _half(r, 1),
    "semi_deviation_ratio_60": lambda r: log_over(_half(r, -1), _half(r, 1)),
    "skewness_60": lambda r: _moment(r, 60, 3),
    "skewness_252": lambda r: _moment(r, 252, 3),
    "kurtosis_60": lambda r: _moment(r, 60, 4),
    "kurtosis_252": lambda r: _moment(r, 252, 4),
    "jump_share_60": _jumps,
    "variance_ratio_5_60": _variance_ratio,
    "return_autocorr_60": _memory,
    "parkinson_30": lambda r: _parkinson(r, 30),
    "garman_klass_30": lambda r: _garman_klass(r, 30),
    "rogers_satchell_20": lambda r: _root([_satchell(row) for row in r], 15),
    "yang_zhang_20": lambda r: _yang_zhang(r, 20),
    "yang_zhang_30": lambda r: _yang_zhang(r, 30),
    "overnight_gap": _night,
    "overnight_volatility_20": _night_deviation,
    "overnight_share_20": _share_of_nights,
    "range_ratio_20": _width_ratio,
    "close_to_range_20": lambda r: log_over(deviation(r, 20), _parkinson(r, 20)),
    **{f"{m}_volatility_20": _of(f"{m}_close", 20) for m in MARKETS},
    "volatility_over_soybeans_60": _over("soybeans_close"),
    "volatility_over_crude_60": _over("crude_close"),
    "vix_rank_252": lambda r: rank_of(column(r, "vix"), 189),
    "vix_return_20": lambda r: log_return(r, "vix", 20),
    "vix_range_20": _vix_range,
    "vix_volatility_60": _of("vix", 60),
    "vix_less_volatility_20": _vix_gap,
}
