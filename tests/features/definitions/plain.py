"""What definitions are made of, in plain Python: means, ranks, slopes. It knows no kernel.

Windows hold the newest value last; `need` is how many values must be there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import fsum, log, sqrt
from typing import Any

Row = dict[str, Any]
Rows = list[Row]
Values = Sequence[float | None]
Definition = Callable[[Rows], float | None]


def held(values: Values) -> list[float]:
    """Return the values that are there."""
    return [v for v in values if v is not None]


def mean_of(values: Values, need: int) -> float | None:
    """Return the mean."""
    there = held(values)
    return fsum(there) / len(there) if len(there) >= need else None


def std_of(values: Values, need: int) -> float | None:
    """Return the sample's standard deviation (ddof 1)."""
    there = held(values)
    if len(there) < max(need, 2):
        return None
    if max(there) == min(there):
        return 0.0
    middle = fsum(there) / len(there)
    return sqrt(fsum((v - middle) ** 2 for v in there) / (len(there) - 1))


def zscore_of(values: Values, need: int) -> float | None:
    """Return how many standard deviations the newest value is above the mean."""
    middle, spread_ = mean_of(values, need), std_of(values, need)
    if values[-1] is None or middle is None or not spread_:
        return None
    return (values[-1] - middle) / spread_


def rank_of(values: Values, need: int) -> float | None:
    """Return the newest value's average rank among all, as a share of their number."""
    there, here = held(values), values[-1]
    if len(there) < need or here is None:
        return None
    below = sum(v < here for v in there)
    alike = sum(v == here for v in there)
    return (below + (alike + 1) / 2) / len(there)


def slope_of(values: Values, need: int) -> float | None:
    """Return the slope of the least-squares line through the values, per session."""
    points = [(i, v) for i, v in enumerate(values) if v is not None]
    return together([v for _, v in points], [float(i) for i, _ in points], need)[0]


def together(y: Values, x: Values, need: int) -> tuple[float | None, float | None]:
    """Return beta of y on x, and their correlation, where both are there."""
    pairs = [
        (a, b) for a, b in zip(y, x, strict=True) if a is not None if b is not None
    ]
    if len(pairs) < max(need, 2):
        return None, None
    my = fsum(a for a, _ in pairs) / len(pairs)
    mx = fsum(b for _, b in pairs) / len(pairs)
    yy = fsum((a - my) ** 2 for a, _ in pairs)
    xx = fsum((b - mx) ** 2 for _, b in pairs)
    yx = fsum((a - my) * (b - mx) for a, b in pairs)
    return (yx / xx if xx else None), (yx / sqrt(yy * xx) if yy and xx else None)


def faded_mean(values: Values, decay: float) -> float | None:
    """Return the mean with weights that fall by `decay` a session, of what is there."""
    weighed = [
        (decay**age, v) for age, v in enumerate(reversed(values)) if v is not None
    ]
    if not weighed:
        return None
    return fsum(w * v for w, v in weighed) / fsum(w for w, _ in weighed)


def column(rows: Rows, name: str) -> Values:
    """Return one column."""
    return [row[name] for row in rows]


def log_return(rows: Rows, name: str, over: int) -> float | None:
    """Return the log of the newest value over the one `over` sessions earlier."""
    if len(rows) <= over:
        return None
    now, then = rows[-1][name], rows[-1 - over][name]
    if now is None or then is None or now <= 0 or then <= 0:
        return None
    return log(now) - log(then)


def change(rows: Rows, name: str, over: int) -> float | None:
    """Return the newest value minus the one `over` sessions earlier."""
    if len(rows) <= over or None in (rows[-1][name], rows[-1 - over][name]):
        return None
    return rows[-1][name] - rows[-1 - over][name]


def returns_of(rows: Rows, name: str) -> Values:
    """Return the log returns of one session inside the window, one fewer than rows."""
    return [log_return(rows[: i + 1], name, 1) for i in range(1, len(rows))]


def beside(
    rows: Rows, name: str, over: int, need: int
) -> tuple[float | None, float | None]:
    """Return beta and correlation of the target's newest returns with another's."""
    short = rows[-over - 1 :]
    return together(returns_of(short, "close"), returns_of(short, name), need)


def volatility_of(rows: Rows, over: int, need: int) -> float | None:
    """Return the yearly deviation of the target's newest returns."""
    found = std_of(returns_of(rows[-over - 1 :], "close"), need)
    return None if found is None else found * sqrt(252.0)


def rsi_of(rows: Rows, name: str, over: int) -> float | None:
    """Return Wilder's relative strength index, in percent, of the window's changes."""
    values = column(rows, name)
    changes = [None if None in pair else pair[1] - pair[0] for pair in pairwise(values)]
    newest, keep = held(changes[1 - 2 * over :]), 1 - 1 / over
    if len(newest) < 0.75 * (2 * over - 1) or not any(newest):
        return None
    up = faded_mean([None if c is None else max(c, 0.0) for c in changes], keep)
    down = faded_mean([None if c is None else max(-c, 0.0) for c in changes], keep)
    return 100.0 - 100.0 * down / (up + down)


def minus(left: float | None, right: float | None) -> float | None:
    """Return the difference, where both are there."""
    return None if left is None or right is None else left - right


def ratio(left: float | None, right: float | None) -> float | None:
    """Return the ratio, where both are there and the second is not zero."""
    return None if left is None or not right else left / right


def spread(rows: Rows, left: str, right: str) -> float | None:
    """Return the difference of two columns of the newest row."""
    return minus(rows[-1][left], rows[-1][right])
