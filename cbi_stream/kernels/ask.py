"""The words a handler asks with: `mean("close", 20)`, `beta(y=..., x=..., window=60)`.

Each returns a `Kernel` for `roll`; none computes. Some are named after built-ins,
as they are read behind a prefix: `k.sum`, `k.max`, `k.min`.
"""

from __future__ import annotations

from collections.abc import Callable

from cbi_stream.kernels.kernel import Kernel

# At 20 spans the weights left out add up to exp(-40) = 4e-18 of the whole, as
# log((span - 1) / (span + 1)) < -2 / span: less than half a unit in the last place.
SETTLED_SPANS = 20


def _one(name: str, column: str, window: int, *, min_count: int | None) -> Kernel:
    return Kernel(name, (column,), window, window if min_count is None else min_count)


def _pair(
    name: str, columns: tuple[str, str], window: int, *, min_count: int | None
) -> Kernel:
    return Kernel(name, columns, window, window if min_count is None else min_count)


def sum(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the sum of the window's values, in the column's unit."""
    return _one("sum", column, window, min_count=min_count)


def mean(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the arithmetic mean, in the column's unit."""
    return _one("mean", column, window, min_count=min_count)


def var(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the sample variance (ddof 1); null with fewer than two values."""
    return _one("var", column, window, min_count=min_count)


def std(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the sample deviation (ddof 1); exactly 0.0 where nothing moved."""
    return _one("std", column, window, min_count=min_count)


def zscore(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for (value - mean) / std, unitless; null where std is 0 or value is null."""
    return _one("zscore", column, window, min_count=min_count)


def slope(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the least-squares slope on the session number, in units per session.

    A missing value leaves its session in place: the others keep their distances.
    """
    return _one("slope", column, window, min_count=min_count)


def rank(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the value's average-tie rank over the window's values, in (0, 1]."""
    return _one("rank", column, window, min_count=min_count)


def max(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the highest value, in the column's unit."""
    return _one("max", column, window, min_count=min_count)


def min(column: str, window: int, *, min_count: int | None = None) -> Kernel:
    """Ask for the lowest value, in the column's unit."""
    return _one("min", column, window, min_count=min_count)


def cov(*, y: str, x: str, window: int, min_count: int | None = None) -> Kernel:
    """Ask for the sample covariance (ddof 1) over rows where both are present."""
    return _pair("cov", (y, x), window, min_count=min_count)


def corr(*, y: str, x: str, window: int, min_count: int | None = None) -> Kernel:
    """Ask for Pearson's correlation, in [-1, 1]; null where either did not move."""
    return _pair("corr", (y, x), window, min_count=min_count)


def beta(*, y: str, x: str, window: int, min_count: int | None = None) -> Kernel:
    """Ask for the slope of `y` on `x`, in y's unit per x's; null where x is flat."""
    return _pair("beta", (y, x), window, min_count=min_count)


def ewm_mean(
    column: str, span: int, *, window: int | None = None, min_count: int | None = None
) -> Kernel:
    """Ask for the exponential mean cut off after `window` sessions.

    A value `age` sessions old weighs (1 - 2 / (span + 1)) ** age; the weights are
    scaled to 1 over the values present, so a gap keeps its place and has no weight.

    Args:
        column: The Float64 column.
        span: In sessions, 1 or more.
        window: In sessions. Left out, it is the power of two at or above 20 spans:
            what the cut leaves out then weighs below 4.3e-18 of the whole (while no
            value is missing), less than the rounding of the result.
        min_count: Values needed; left out, the span, or the window if that is less.

    Raises:
        ValueError: `span` is below 1.
    """
    if span < 1:
        msg = f"ewm_mean({column}): span is {span} sessions, expected 1 or more"
        raise ValueError(msg)
    if window is None:
        window = 1 << (SETTLED_SPANS * span - 1).bit_length()
    if min_count is None:
        min_count = span if span < window else window
    return Kernel("ewm_mean", (column,), window, min_count, span)


KERNELS: dict[str, Callable[..., Kernel]] = {
    word.__name__: word
    for word in (
        *(sum, mean, var, std, zscore, slope, rank, max, min),
        *(cov, corr, beta, ewm_mean),
    )
}
