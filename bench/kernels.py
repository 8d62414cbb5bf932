"""Times the rolling kernels against pandas and native polars, and counts odd bits.

One JSON line per figure. It asserts nothing: a ratio is read, never relied on.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl

from cbi_stream import kernels as k

ROWS, SYMBOLS, ROUNDS, OFFSETS = 6_500, 20, 7, 25
WINDOWS, SPANS = (5, 20, 60, 252), (12, 26)

Floats = npt.NDArray[np.float64]
Build = Callable[[], object]


def price_series(symbol: int) -> Floats:
    """Return two columns of prices with 3 % NaN, to be read as missing."""
    rng = np.random.default_rng(symbol)
    steps = rng.standard_t(4, (2, ROWS)) * 0.006
    prices = np.round(30 * np.exp(np.cumsum(steps, axis=1)), 2)
    prices[rng.random((2, ROWS)) < 0.03] = np.nan
    return np.asarray(prices, dtype=np.float64)


def as_polars(prices: Floats) -> pl.DataFrame:
    """Return the prices as columns x and y with nulls."""
    return pl.DataFrame(
        {name: pl.Series(prices[i], nan_to_null=True) for i, name in enumerate("xy")}
    )


def least(window: int) -> int:
    """Return the values needed, the same for all three."""
    return max(2, window * 3 // 4)


def asked() -> dict[str, k.Kernel]:
    """Return the 30 columns that all three compute."""
    kernels = {}
    for window in WINDOWS:
        few = least(window)
        for word in (k.mean, k.std, k.zscore, k.rank, k.slope):
            kernels[f"{word.__name__}_{window}"] = word("x", window, min_count=few)
        for both in (k.corr, k.beta):
            name = f"{both.__name__}_{window}"
            kernels[name] = both(y="y", x="x", window=window, min_count=few)
    return kernels | {f"ewm_{span}": k.ewm_mean("x", span) for span in SPANS}


def slope_by_view(x: Floats, window: int) -> Floats:
    """Return the slopes by one product over a sliding view; gaps as pandas has none.

    Missing values stay NaN, which is less work than the kernels do, not more.
    """
    at = np.arange(window) - (window - 1) / 2
    view = np.lib.stride_tricks.sliding_window_view(x, window)
    return np.asarray(view @ (at / (at @ at)), dtype=np.float64)


def by_pandas(frame: pd.DataFrame) -> dict[str, object]:
    """Build the columns the quickest way pandas knows; shared parts once."""
    x, y = frame["x"], frame["y"]
    both = x.where(y.notna())
    made: dict[str, object] = {}
    for window in WINDOWS:
        rolled = x.rolling(window, min_periods=least(window))
        mean, std = rolled.mean(), rolled.std()
        paired = both.rolling(window, min_periods=least(window))
        made |= {
            f"mean_{window}": mean,
            f"std_{window}": std,
            f"zscore_{window}": (x - mean) / std,
            f"rank_{window}": rolled.rank(pct=True),
            f"slope_{window}": slope_by_view(x.to_numpy(), window),
            f"corr_{window}": paired.corr(y),
            f"beta_{window}": paired.cov(y) / paired.var(),
        }
    for span in SPANS:
        made[f"ewm_{span}"] = x.ewm(span=span).mean()
    return made


def by_native_polars(frame: pl.DataFrame) -> pl.DataFrame:
    """Build the columns with polars' own rolling kernels, in two eager steps."""
    x, y = pl.col("x"), pl.col("y")
    at = pl.int_range(pl.len()).cast(pl.Float64)
    frame = frame.with_columns(t=pl.when(x.is_not_null()).then(at))
    made = {}
    for window in WINDOWS:
        rows = {"window_size": window, "min_samples": least(window)}
        mean, std = x.rolling_mean(**rows), x.rolling_std(**rows)
        paired = pl.when(y.is_not_null()).then(x)
        made |= {
            f"mean_{window}": mean,
            f"std_{window}": std,
            f"zscore_{window}": (x - mean) / std,
            f"rank_{window}": x.rolling_rank(**rows),
            f"slope_{window}": pl.rolling_cov(x, pl.col("t"), **rows)
            / pl.col("t").rolling_var(**rows),
            f"corr_{window}": pl.rolling_corr(paired, y, **rows),
            f"beta_{window}": pl.rolling_cov(paired, y, **rows)
            / paired.rolling_var(**rows),
        }
    for span in SPANS:
        made[f"ewm_{span}"] = x.ewm_mean(span=span, ignore_nulls=False)
    return frame.select(**made)


def interleaved(builds: dict[str, Build]) -> dict[str, list[float]]:
    """Return seconds per round; each round runs all, in turn, on the same machine."""
    seconds: dict[str, list[float]] = {name: [] for name in builds}
    for turn in range(ROUNDS + 1):
        for name, build in builds.items():
            start = time.perf_counter()
            build()
            if turn:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    return seconds


def differing(build: Callable[[pl.DataFrame], pl.DataFrame]) -> tuple[int, int]:
    """Count cells whose bits depend on the offset of the frame, and all cells."""
    frame, rng = as_polars(price_series(0)), np.random.default_rng(3)
    reach = {name: kernel.window for name, kernel in asked().items()}
    whole, odd, cells = build(frame), 0, 0
    for _ in range(OFFSETS):
        start = int(rng.integers(1, ROWS - 1_600))
        part = build(frame.slice(start, 1_500))
        for name, window in reach.items():
            one, other = part[name][window - 1 :], whole[name][start + window - 1 :]
            one, other = (s.cast(pl.Float64).fill_null(0.5) for s in (one, other))
            same = one.to_numpy().view(np.uint64)
            odd += int((same != other[: len(one)].to_numpy().view(np.uint64)).sum())
            cells += len(one)
    return odd, cells


def say(figure: str, value: float, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, **more}), flush=True)


def main() -> None:
    """Print the ratios of each part and of the whole list, then the odd bits."""
    prices = [price_series(symbol) for symbol in range(SYMBOLS)]
    frames = [as_polars(both) for both in prices]
    tables = [pd.DataFrame({"x": both[0], "y": both[1]}) for both in prices]
    kernels = asked()
    seconds = interleaved(
        {
            "kernels": lambda: [k.roll(frame, kernels) for frame in frames],
            "native polars": lambda: [by_native_polars(frame) for frame in frames],
            "pandas": lambda: [by_pandas(table) for table in tables],
        }
    )
    size = {"rows": ROWS, "symbols": SYMBOLS, "columns": len(kernels), "rounds": ROUNDS}
    for name, each in seconds.items():
        say(f"{name}, ms a symbol", round(statistics.median(each) / SYMBOLS * 1e3, 2))
    for name in ("pandas", "native polars"):
        pairs = zip(seconds[name], seconds["kernels"], strict=True)
        ratios = sorted(round(other / ours, 2) for other, ours in pairs)
        say(
            f"{name} / kernels",
            statistics.median(ratios),
            lowest=ratios[0],
            highest=ratios[-1],
            **size,
        )
    for name, build in {
        "kernels": lambda frame: k.roll(frame, kernels),
        "native polars": by_native_polars,
    }.items():
        odd, cells = differing(build)
        say(f"{name}, cells that depend on the offset", odd, of=cells, offsets=OFFSETS)


if __name__ == "__main__":
    main()
