"""Every kernel against a two-pass oracle in exact fractions, which shares no code.

Its tolerances are of the size of the answer's own scale: 1e-12 of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import polars as pl
import pytest

from cbi_stream import kernels as k

ROWS, TOLERANCE = 1_400, 1e-12
WINDOWS = (2, 5, 20, 63, 252)

# A window's present values: (session, value), oldest first.
Seen = list[tuple[int, Fraction]]
# What the answer should be (None for null), and the scale its error is measured on.
Expected = tuple[float | None, float]

NOTHING: Expected = (None, 1.0)
FLOATS = {"y": pl.Float64, "x": pl.Float64}


def moments(left: list[Fraction], right: list[Fraction]) -> tuple[Fraction, ...]:
    """Return both spreads and the co-spread, from the means in a second pass."""
    mean_l, mean_r = (Fraction(sum(v), len(v)) for v in (left, right))
    far_l, far_r = [v - mean_l for v in left], [v - mean_r for v in right]
    return (
        sum((v * v for v in far_l), Fraction(0)),
        sum((v * v for v in far_r), Fraction(0)),
        sum((a * b for a, b in zip(far_l, far_r, strict=True)), Fraction(0)),
    )


def root(value: Fraction) -> float:
    """Return the square root of a fraction."""
    return math.sqrt(float(value))


def fit(y: list[Fraction], x: list[Fraction]) -> Expected:
    """Return the least-squares slope of y on x."""
    spread_y, spread_x, shared = moments(y, x)
    if not spread_x:
        return NOTHING
    return float(shared / spread_x), root(spread_y / spread_x) or 1.0


def spread_of(seen: Seen) -> Fraction:
    """Return the sum of squared distances from the mean."""
    values = [value for _, value in seen]
    return moments(values, values)[0]


def o_sum(seen: Seen, _: int) -> Expected:
    """Sum."""
    return float(sum(v for _, v in seen)), float(sum(abs(v) for _, v in seen))


def o_mean(seen: Seen, _: int) -> Expected:
    """Mean."""
    total = sum(v for _, v in seen)
    return float(total / len(seen)), max(abs(float(v)) for _, v in seen)


def o_var(seen: Seen, _: int) -> Expected:
    """Sample variance."""
    if len(seen) < 2:
        return NOTHING
    variance = float(spread_of(seen) / (len(seen) - 1))
    return variance, variance


def o_std(seen: Seen, row: int) -> Expected:
    """Sample deviation."""
    variance, _ = o_var(seen, row)
    return NOTHING if variance is None else (math.sqrt(variance), math.sqrt(variance))


def o_zscore(seen: Seen, row: int) -> Expected:
    """Distance from the mean in deviations."""
    spread = spread_of(seen)
    if not spread or seen[-1][0] != row:
        return NOTHING
    far = seen[-1][1] - Fraction(sum(v for _, v in seen), len(seen))
    return float(far) / root(spread / (len(seen) - 1)), 1.0


def o_slope(seen: Seen, _: int) -> Expected:
    """Slope on the session number."""
    return fit([v for _, v in seen], [Fraction(at) for at, _ in seen])


def o_rank(seen: Seen, row: int) -> Expected:
    """Average place among ties, over the count."""
    at, last = seen[-1]
    if at != row:
        return NOTHING
    below = sum(v < last for _, v in seen)
    equal = sum(v == last for _, v in seen)
    return float((below + Fraction(equal + 1, 2)) / len(seen)), 1.0


def o_max(seen: Seen, _: int) -> Expected:
    """Highest."""
    return float(max(v for _, v in seen)), 0.0


def o_min(seen: Seen, _: int) -> Expected:
    """Lowest."""
    return float(min(v for _, v in seen)), 0.0


ONE: dict[str, Callable[[Seen, int], Expected]] = {
    "sum": o_sum,
    "mean": o_mean,
    "var": o_var,
    "std": o_std,
    "zscore": o_zscore,
    "slope": o_slope,
    "rank": o_rank,
    "max": o_max,
    "min": o_min,
}


def o_cov(y: list[Fraction], x: list[Fraction]) -> Expected:
    """Sample covariance."""
    if len(y) < 2:
        return NOTHING
    spread_y, spread_x, shared = moments(y, x)
    scale = root(spread_y) * root(spread_x) / (len(y) - 1)
    return float(shared / (len(y) - 1)), scale


def o_corr(y: list[Fraction], x: list[Fraction]) -> Expected:
    """Pearson's correlation."""
    spread_y, spread_x, shared = moments(y, x)
    if not spread_y or not spread_x:
        return NOTHING
    return float(shared) / (root(spread_y) * root(spread_x)), 1.0


PAIR = {"cov": o_cov, "corr": o_corr, "beta": fit}


NOISE = np.random.default_rng(11).standard_normal(ROWS)
KINDS = {
    "prices": np.round(30 * np.exp(np.cumsum(NOISE * 0.006)), 2),
    "a million and noise": 1e6 + NOISE,
    "a million and little noise": 1e6 + NOISE * 1e-3,
    "tiny": NOISE * 1e-9,
    "about zero": NOISE,
}


def series(kind: str) -> list[float | None]:
    """Return one kind of series with 6 % nulls, a 100-row gap and flat stretches."""
    values = KINDS[kind].copy()
    values[300:640], values[900:930] = values[300], values[900]
    missing = np.random.default_rng(5).random(ROWS) < 0.06
    missing[700:800] = True
    return [None if gone else float(v) for v, gone in zip(values, missing, strict=True)]


def judge(found: float | None, expected: Expected, where: str) -> None:
    """Fail unless the answer is within the tolerance, or both are null."""
    value, scale = expected
    if value is None or found is None:
        assert (found, value) == (None, None), where
    else:
        assert abs(found - value) <= TOLERANCE * scale, (where, found, value)


def seen_in(values: list[float | None], row: int, window: int) -> Seen:
    """Return what a window holds, as exact fractions."""
    start = max(0, row - window + 1)
    return [
        (at, Fraction(value))
        for at in range(start, row + 1)
        if (value := values[at]) is not None
    ]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_kernels_of_one_column(kind: str, window: int) -> None:
    """Each one-column kernel agrees with exact arithmetic on every kind of series."""
    values, least = series(kind), max(1, window // 2)
    asked = {name: k.KERNELS[name]("x", window, min_count=least) for name in ONE}
    made = k.roll(pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}), asked)
    for row in range(0, ROWS, 43):
        seen = seen_in(values, row, window)
        for name, oracle in ONE.items():
            expected = oracle(seen, row) if len(seen) >= least else NOTHING
            judge(made[name][row], expected, f"{name} at {row}")


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("kind", KINDS)
def test_kernels_of_two_columns(kind: str, window: int) -> None:
    """Each pair kernel agrees with exact arithmetic over rows where both stand."""
    y, x = series(kind), series("prices")[::-1]
    least = max(1, window // 2)
    asked = {
        n: k.KERNELS[n](y="y", x="x", window=window, min_count=least) for n in PAIR
    }
    made = k.roll(pl.DataFrame({"y": y, "x": x}, schema_overrides=FLOATS), asked)
    for row in range(0, ROWS, 43):
        right = dict(seen_in(x, row, window))
        both = [(v, right[at]) for at, v in seen_in(y, row, window) if at in right]
        for name, oracle in PAIR.items():
            expected = NOTHING
            if len(both) >= least:
                expected = oracle([v for v, _ in both], [v for _, v in both])
            judge(made[name][row], expected, f"{name} at {row}")


@pytest.mark.parametrize("span", [1, 2, 12, 26])
@pytest.mark.parametrize("kind", KINDS)
def test_the_exponential_mean_against_the_whole_past(kind: str, span: int) -> None:
    """Cut at its default window, it agrees with the mean over all earlier rows."""
    values = series(kind)
    frame = pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)})
    made = k.roll(frame, {"ewm": k.ewm_mean("x", span, min_count=1)})["ewm"]
    decay = (span - 1) / (span + 1)
    for row in range(0, ROWS, 43):
        seen = seen_in(values, row, ROWS)
        weights = [decay ** (row - at) for at, _ in seen]
        total = math.fsum(weights)
        if values[row] is None and (span == 1 or total < 1e-15):
            continue  # the cut leaves nothing that weighs
        sums = math.fsum(w * float(v) for w, (_, v) in zip(weights, seen, strict=True))
        scale = max(abs(float(v)) for _, v in seen)
        judge(made[row], (sums / total, scale), f"ewm_mean at {row}")


def test_every_kernel_has_an_oracle() -> None:
    """A new kernel fails here until it has an oracle of its own."""
    assert set(k.KERNELS) == {*ONE, *PAIR, "ewm_mean"}
