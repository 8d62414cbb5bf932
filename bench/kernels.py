"""Times the rolling kernels against pandas and native polars, and counts odd bits.

Two lists: 30 columns of prices with gaps, and what the kernels offer of Alpha158,
without gaps and with. One JSON line per figure. It asserts nothing: a ratio is
read, never relied on.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import polars as pl

from bench import alpha158
from bench.alpha158 import Floats, least, slope_by_view
from cbi_stream import kernels as k

ROWS, SYMBOLS, ROUNDS, OFFSETS = 6_500, 20, 5, 25
SHARES = {"no nulls": 0.0, "3 % nulls": 0.03}  # of Alpha158's list
RECENT = 320  # rows that a handler is handed for one new day
WINDOWS, SPANS = (5, 20, 60, 252), (12, 26)
PARTS = ("mean std zscore", "rank", "slope", "corr beta", "ewm")


def price_series(symbol: int) -> Floats:
    """Return two rows of prices with 3 % NaN, to be read as missing."""
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


def asked(words: set[str]) -> dict[str, k.Kernel]:
    """Return the columns of these words over every window; all together, 30."""
    kernels = {}
    for window in WINDOWS:
        few = least(window)
        for name in ("mean", "std", "zscore", "rank", "slope"):
            kernels[f"{name}_{window}"] = k.KERNELS[name]("x", window, min_count=few)
        for both in (k.corr, k.beta):
            name = f"{both.__name__}_{window}"
            kernels[name] = both(y="y", x="x", window=window, min_count=few)
    kernels |= {f"ewm_{span}": k.ewm_mean("x", span) for span in SPANS}
    return {name: v for name, v in kernels.items() if name.split("_")[0] in words}


def by_kernels(frame: pl.DataFrame, words: set[str]) -> pl.DataFrame:
    """Build the columns with the kernels."""
    return k.roll(frame, asked(words))


def by_pandas(frame: Any, words: set[str]) -> dict[str, object]:
    """Build the columns the quickest way pandas knows; shared parts once."""
    x, y = frame["x"], frame["y"]
    both, made = x.where(y.notna()), dict[str, object]()
    for window in WINDOWS:
        rolled = x.rolling(window, min_periods=least(window))
        paired = both.rolling(window, min_periods=least(window))
        if "mean" in words:
            made[f"mean_{window}"] = mean = rolled.mean()
            made[f"std_{window}"] = std = rolled.std()
            made[f"zscore_{window}"] = (x - mean) / std
        if "rank" in words:
            made[f"rank_{window}"] = rolled.rank(pct=True)
        if "slope" in words:
            made[f"slope_{window}"] = slope_by_view(x.to_numpy(), window)
        if "corr" in words:
            made[f"corr_{window}"] = paired.corr(y)
            made[f"beta_{window}"] = paired.cov(y) / paired.var()
    for span in SPANS if "ewm" in words else ():
        made[f"ewm_{span}"] = x.ewm(span=span).mean()
    return made


def by_native_polars(frame: pl.DataFrame, words: set[str]) -> pl.DataFrame:
    """Build the columns with polars' own rolling kernels, eagerly."""
    x, y, t = pl.col("x"), pl.col("y"), pl.col("t")
    at = pl.int_range(pl.len()).cast(pl.Float64)
    frame = frame.with_columns(t=pl.when(x.is_not_null()).then(at))
    paired, made = pl.when(y.is_not_null()).then(x), dict[str, pl.Expr]()
    for window in WINDOWS:
        rows: dict[str, Any] = {"window_size": window, "min_samples": least(window)}
        mean, std = x.rolling_mean(**rows), x.rolling_std(**rows)
        made[f"mean_{window}"], made[f"std_{window}"] = mean, std
        made[f"zscore_{window}"] = (x - mean) / std
        made[f"rank_{window}"] = x.rolling_rank(**rows)
        made[f"slope_{window}"] = pl.rolling_cov(x, t, **rows) / t.rolling_var(**rows)
        made[f"corr_{window}"] = pl.rolling_corr(paired, y, **rows)
        shared = pl.rolling_cov(paired, y, **rows)
        made[f"beta_{window}"] = shared / paired.rolling_var(**rows)
    for span in SPANS:
        made[f"ewm_{span}"] = x.ewm_mean(span=span, ignore_nulls=False)
    return frame.select(
        **{name: made[name] for name in made if name.split("_")[0] in words}
    )


BUILDS: dict[str, Callable[..., object]] = {
    "kernels": by_kernels,
    "native polars": by_native_polars,
    "pandas": by_pandas,
}


def interleaved(
    tables: dict[str, list[Any]],
    builds: Mapping[str, Callable[[Any], object]],
    *,
    rounds: int = ROUNDS,
) -> dict[str, list[float]]:
    """Return seconds per round and build; a round runs all builds, one by one."""
    seconds: dict[str, list[float]] = {name: [] for name in builds}
    for turn in range(rounds + 1):
        for name, build in builds.items():
            start = time.perf_counter()
            for table in tables[name]:
                build(table)
            if turn:  # the first round warms up
                seconds[name].append(time.perf_counter() - start)
    return seconds


def differing(build: Callable[..., object]) -> tuple[int, int]:
    """Count cells whose bits depend on the offset of the frame, and all cells."""
    frame, rng = as_polars(price_series(0)), np.random.default_rng(3)
    words = set(" ".join(PARTS).split())
    whole: Any = build(frame, words)
    odd, cells = 0, 0
    for _ in range(OFFSETS):
        start = int(rng.integers(1, ROWS - 1_600))
        part: Any = build(frame.slice(start, 1_500), words)
        for name, kernel in asked(words).items():
            full = kernel.window - 1
            one = part[name][full:].cast(pl.Float64).fill_null(-9.0).to_numpy()
            other = whole[name][start + full : start + 1_500].cast(pl.Float64)
            bits = other.fill_null(-9.0).to_numpy().view(np.uint64)
            odd += int((one.view(np.uint64) != bits).sum())
            cells += len(one)
    return odd, cells


def say(figure: str, value: float, **more: object) -> None:
    """Print one figure."""
    print(json.dumps({"figure": figure, "value": value, **more}), flush=True)


def compare(what: str, tables: dict[str, list[Any]], words: set[str]) -> None:
    """Compare the three on some words of the first list."""
    builds = {name: partial(build, words=words) for name, build in BUILDS.items()}
    report(what, interleaved(tables, builds), len(asked(words)))


def compare_alpha158() -> None:
    """Compare the three on Alpha158's operators, without gaps and with."""
    say("Alpha158's windows", len(alpha158.WINDOWS), windows=alpha158.WINDOWS)
    for what, share in SHARES.items():
        frames = [alpha158.bars(s, ROWS, missing=share) for s in range(SYMBOLS)]
        arrays = [{c.name: c.to_numpy() for c in frame} for frame in frames]
        pandas = [pd.DataFrame(columns) for columns in arrays]
        tables = {"kernels": frames, "native polars": frames, "pandas": pandas}
        seconds = interleaved(tables, alpha158.BUILDS)
        report(f"Alpha158, {what}", seconds, alpha158.COLUMNS)


def report(what: str, seconds: dict[str, list[float]], columns: int) -> None:
    """Print how many times as long the others take, and our milliseconds."""
    ours = seconds["kernels"]
    median = round(statistics.median(ours) / SYMBOLS * 1e3, 3)
    say(f"{what}: kernels, ms a symbol", median, columns=columns)
    for name in ("pandas", "native polars"):
        ratios = sorted(a / b for a, b in zip(seconds[name], ours, strict=True))
        low, middle, high = (
            round(r, 2) for r in (ratios[0], statistics.median(ratios), ratios[-1])
        )
        say(f"{what}: {name} / kernels", middle, lowest=low, highest=high)


def main() -> None:
    """Print ratios for the whole list, one day of it, its parts, Alpha158; odd bits."""
    prices = [price_series(symbol) for symbol in range(SYMBOLS)]
    frames = [as_polars(both) for both in prices]
    pandas = [pd.DataFrame({"x": both[0], "y": both[1]}) for both in prices]
    tables = {"kernels": frames, "native polars": frames, "pandas": pandas}
    recent = {name: [one.tail(RECENT) for one in all_] for name, all_ in tables.items()}
    words = set(" ".join(PARTS).split())
    say("rounds", ROUNDS, rows=ROWS, symbols=SYMBOLS, windows=WINDOWS, spans=SPANS)
    compare("all", tables, words)
    compare(f"all, {RECENT} rows", recent, words)
    for part in PARTS:
        compare(part, tables, set(part.split()))
    compare_alpha158()
    for name in ("kernels", "native polars"):
        odd, cells = differing(BUILDS[name])
        say(f"{name}: cells that depend on the offset", odd, of=cells, offsets=OFFSETS)


if __name__ == "__main__":
    main()
