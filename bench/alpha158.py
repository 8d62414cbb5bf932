"""The rolling operators of Qlib's Alpha158 that the kernels offer, built three ways.

It only builds columns: it never times, prints or compares. Left out are the
quantiles (QTLU, QTLD), the days since an extreme (IMAX, IMIN, IMXD) and what is
plain arithmetic on columns that are here (ROC, RSV, RSQR, RESI, the K-bars).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import numpy.typing as npt
import polars as pl

from cbi_stream import kernels as k

WINDOWS = (5, 10, 20, 30, 60)

# Alpha158's name, our word, the column: (y, x) for a pair.
OPERATORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "MA": ("mean", ("close",)),
    "STD": ("std", ("close",)),
    "BETA": ("slope", ("close",)),
    "RANK": ("rank", ("close",)),
    "MAX": ("max", ("high",)),
    "MIN": ("min", ("low",)),
    "CORR": ("corr", ("close", "log_volume")),
    "CORD": ("corr", ("close_ratio", "volume_ratio")),
    "CNTP": ("mean", ("up",)),
    "CNTN": ("mean", ("down",)),
    "SUMP": ("sum", ("gain",)),
    "SUMN": ("sum", ("loss",)),
    "SUMD": ("sum", ("change",)),  # the absolute change: what SUMP and SUMN divide by
    "VMA": ("mean", ("volume",)),
    "VSTD": ("std", ("volume",)),
    "WVMA_mean": ("mean", ("weighted",)),
    "WVMA_std": ("std", ("weighted",)),
    "VSUMP": ("sum", ("volume_gain",)),
    "VSUMN": ("sum", ("volume_loss",)),
    "VSUMD": ("sum", ("volume_change",)),
}
COLUMNS = len(OPERATORS) * len(WINDOWS)

Floats = npt.NDArray[np.float64]


def least(window: int) -> int:
    """Return how many values a window needs, the same for all three."""
    return max(2, window * 3 // 4)


def bars(symbol: int, rows: int, *, missing: float) -> pl.DataFrame:
    """Return daily bars and what Alpha158 derives row by row, each with nulls.

    Args:
        symbol: The seed.
        rows: How many sessions.
        missing: The share of closes, and of volumes, that are null.
    """
    rng = np.random.default_rng(symbol)
    close = np.round(30 * np.exp(np.cumsum(rng.standard_t(4, rows) * 0.006)), 2)
    spread = rng.random((2, rows)) * 0.01
    raw = {
        "close": close,
        "high": np.round(close * (1 + spread[0]), 2),
        "low": np.round(close * (1 - spread[1]), 2),
        "volume": np.round(np.exp(rng.normal(10, 0.5, rows))),
    }
    # A day without a close is one without a high and a low.
    gaps = dict(zip(("close", "volume"), rng.random((2, rows)) < missing, strict=True))
    frame = pl.DataFrame(
        {
            name: pl.Series(values).set(pl.Series(gaps.get(name, gaps["close"])), None)
            for name, values in raw.items()
        }
    )
    return derived(frame)


def derived(frame: pl.DataFrame) -> pl.DataFrame:
    """Add Alpha158's row-by-row inputs; not timed, as all three would do it alike."""
    close, volume = pl.col("close"), pl.col("volume")
    ratio, turned = close / close.shift(1), volume / volume.shift(1)
    moved, poured = close.diff(), volume.diff()
    return frame.with_columns(
        log_volume=(volume + 1).log(),
        close_ratio=ratio,
        volume_ratio=(turned + 1).log(),
        up=(moved > 0).cast(pl.Float64),
        down=(moved < 0).cast(pl.Float64),
        gain=moved.clip(lower_bound=0),
        loss=(-moved).clip(lower_bound=0),
        change=moved.abs(),
        weighted=(ratio - 1).abs() * volume,
        volume_gain=poured.clip(lower_bound=0),
        volume_loss=(-poured).clip(lower_bound=0),
        volume_change=poured.abs(),
    )


def asked() -> dict[str, k.Kernel]:
    """Return every operator over every window as a kernel."""
    made = {}
    for window in WINDOWS:
        for name, (word, columns) in OPERATORS.items():
            over = {"window": window, "min_count": least(window)}
            key = ("column",) if len(columns) == 1 else ("y", "x")
            parts = dict(zip(key, columns, strict=True))
            made[f"{name}_{window}"] = k.KERNELS[word](**parts, **over)
    return made


def by_kernels(frame: pl.DataFrame) -> pl.DataFrame:
    """Build the columns with the kernels."""
    return k.roll(frame, asked())


def slope_by_view(x: Floats, window: int) -> Floats:
    """Return slopes by one product over a sliding view; pandas has no kernel for it.

    A window with a gap gives NaN: less than what the kernels do, not more.
    """
    at = np.arange(window) - (window - 1) / 2
    view = np.lib.stride_tricks.sliding_window_view(x, window)
    return np.asarray(view @ (at / (at @ at)), dtype=np.float64)


def by_pandas(frame: Any) -> dict[str, object]:
    """Build the columns the quickest way pandas knows."""
    made: dict[str, object] = {}
    for name, (word, columns) in OPERATORS.items():
        y = frame[columns[0]]
        if word == "corr":
            x = frame[columns[1]]
            y = y.where(x.notna())
        for window in WINDOWS:
            rolled = y.rolling(window, min_periods=least(window))
            if word == "slope":
                answer = slope_by_view(y.to_numpy(), window)
            elif word == "rank":
                answer = rolled.rank(pct=True)
            elif word == "corr":
                answer = rolled.corr(x)
            else:
                answer = getattr(rolled, word)()
            made[f"{name}_{window}"] = answer
    return made


def native(word: str, columns: tuple[str, ...], window: int) -> pl.Expr:
    """Return polars' own rolling expression for one operator, rank and slope apart."""
    rows: dict[str, Any] = {"window_size": window, "min_samples": least(window)}
    y, x = pl.col(columns[0]), pl.col(columns[-1])
    if word == "corr":
        return pl.rolling_corr(pl.when(x.is_not_null()).then(y), x, **rows)
    if word == "slope":
        t = pl.col("t")
        return pl.rolling_cov(y, t, **rows) / t.rolling_var(**rows)
    expression: pl.Expr = getattr(y, f"rolling_{word}")(**rows)
    return expression


def ranked(frame: pl.DataFrame, name: str, column: str) -> list[pl.Series]:
    """Return average-tie ranks by comparing with shifted rows.

    Quicker than `rolling_rank` here. Dense ranks stand for the values, as whole
    numbers compare faster; each window counts on from the next shorter one.
    """
    now, there, last = pl.col("now"), pl.col("there"), (1 << 32) - 1
    places = pl.col(column).rank("dense").fill_null(last)  # a gap is below nothing
    table = frame.select(
        now=places, there=pl.col(column).is_not_null(), below=pl.lit(0, pl.UInt8)
    )
    made, known = list[pl.Series](), 1
    for window in WINDOWS:
        then = [now.shift(lag, fill_value=last) for lag in range(known, window)]
        counts = [(t < now).cast(pl.UInt8) for t in then]
        counts += [(t <= now).cast(pl.UInt8) for t in then]
        table = table.with_columns(below=pl.sum_horizontal("below", *counts))
        held = there.cast(pl.Float64).rolling_sum(window, min_samples=1)
        rank = (pl.col("below").cast(pl.Float64) + 2) / (held * 2)
        shown = pl.when(there & (held >= least(window))).then(rank)
        made.append(table.select(shown.alias(f"{name}_{window}")).to_series())
        known = window
    return made


def by_native_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """Build the columns with polars' own rolling kernels, eagerly."""
    at = pl.int_range(pl.len()).cast(pl.Float64)
    frame = frame.with_columns(t=pl.when(pl.col("close").is_not_null()).then(at))
    rolled: list[pl.Expr] = []
    ranks: list[pl.Series] = []
    for name, (word, columns) in OPERATORS.items():
        if word == "rank":
            ranks += ranked(frame, name, columns[0])
            continue
        rolled += [native(word, columns, w).alias(f"{name}_{w}") for w in WINDOWS]
    return frame.select(rolled).hstack(ranks)


BUILDS: dict[str, Callable[[Any], object]] = {
    "kernels": by_kernels,
    "native polars": by_native_polars,
    "pandas": by_pandas,
}
