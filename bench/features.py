"""Times the build of over 100 features: kernels, pandas, native polars, Qlib, the engine.

    python -m bench.features
    python -m bench.features --parts qlib --qlib .qlib/bin/python
    python -m bench.features --parts day --times 1 10

Ratios are taken round by round, all builds in turn. It asserts nothing, and reads no
real file. Qlib is no part of this project: name a Python that has `pyqlib`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import pandas as pd  # type: ignore[import-untyped, unused-ignore]
import polars as pl

from bench import alpha158
from bench.alpha158 import least, slope_by_view
from bench.feature_days import days_of_engine
from bench.figures import say, say_ratio
from bench.kernels import interleaved
from bench.qlib_child import Qlib
from cbi_stream import kernels as k

ROWS, SERIES, OFFSETS, SLICE = 6_500, 4, 40, 3_000
WINDOWS = (5, 10, 20, 60, 120, 252)
VALUES = ("close", "volume")
ALONE = ("mean", "std", "zscore", "rank", "max", "min")
SPANS = (10, 12, 20, 26, 60)


def series(seed: int) -> pl.DataFrame:
    """Return a market's sessions: 3 % nulls, an outage, and a flat stretch."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_t(4, (2, ROWS)) * 0.006
    close, crude = np.round(30 * np.exp(np.cumsum(steps, axis=1)), 2)
    close[3_000:3_060] = close[3_000]
    volume = np.round(np.exp(rng.normal(10, 0.5, ROWS)))
    holes = rng.random((3, ROWS)) < 0.03
    holes[:, 4_100:4_160] = True
    columns = {
        name: pl.Series(np.where(hole, np.nan, values), nan_to_null=True)
        for (name, values), hole in zip(
            {"close": close, "crude": crude, "volume": volume}.items(),
            holes,
            strict=True,
        )
    }
    frame = pl.DataFrame(columns)
    return frame.with_columns(
        ret=k.log_return("close"), ret_crude=k.log_return("crude")
    )


def asked(
    words: tuple[str, ...] = (*ALONE, "slope", "sum", "corr", "ewm"),
) -> dict[str, k.Kernel]:
    """Return the features: what each is by a kernel."""
    made: dict[str, k.Kernel] = {}
    for window in WINDOWS:
        few = least(window)
        for word in (each for each in ALONE if each in words):
            for name in VALUES:
                made[f"{word}_{name}_{window}"] = k.KERNELS[word](
                    name, window, min_count=few
                )
        if "slope" in words:
            made[f"slope_{window}"] = k.slope("close", window, min_count=few)
        if "sum" in words:
            made[f"sum_{window}"] = k.sum("ret", window, min_count=few)
        for both in (k.corr, k.beta) if "corr" in words else ():
            made[f"{both.__name__}_{window}"] = both(
                y="ret", x="ret_crude", window=window, min_count=few
            )
    for span in SPANS if "ewm" in words else ():
        for name in VALUES:
            made[f"ewm_{name}_{span}"] = k.ewm_mean(name, span)
    return made


def by_kernels(frame: pl.DataFrame, kernels: dict[str, k.Kernel]) -> pl.DataFrame:
    """Build the features with the kernels."""
    return k.roll(frame, kernels)


def by_pandas(frame: Any, kernels: dict[str, k.Kernel]) -> dict[str, object]:
    """Build them in one pass of pandas; what two features share is computed once."""
    x, y = frame["ret_crude"], frame["ret"]
    paired, made = x.where(y.notna()), dict[str, object]()
    for window in WINDOWS:
        few = least(window)
        for name in VALUES:
            rolled = frame[name].rolling(window, min_periods=few)
            mean, std = rolled.mean(), rolled.std()
            made[f"mean_{name}_{window}"], made[f"std_{name}_{window}"] = mean, std
            made[f"zscore_{name}_{window}"] = (frame[name] - mean) / std
            if f"rank_{name}_{window}" in kernels:
                made[f"rank_{name}_{window}"] = rolled.rank(pct=True)
            made[f"max_{name}_{window}"] = rolled.max()
            made[f"min_{name}_{window}"] = rolled.min()
        made[f"slope_{window}"] = slope_by_view(frame["close"].to_numpy(), window)
        made[f"sum_{window}"] = y.rolling(window, min_periods=few).sum()
        both = paired.rolling(window, min_periods=few)
        made[f"corr_{window}"] = both.corr(y)
        made[f"beta_{window}"] = both.cov(y) / both.var()
    for span in SPANS:
        for name in VALUES:
            made[f"ewm_{name}_{span}"] = frame[name].ewm(span=span).mean()
    return made


def by_native_polars(frame: pl.DataFrame, kernels: dict[str, k.Kernel]) -> pl.DataFrame:
    """Build them with polars' own rolling kernels, `rolling_rank` among them."""
    x, y, t = pl.col("ret_crude"), pl.col("ret"), pl.col("t")
    at = pl.int_range(pl.len()).cast(pl.Float64)
    frame = frame.with_columns(t=pl.when(pl.col("close").is_not_null()).then(at))
    paired, made = pl.when(y.is_not_null()).then(x), dict[str, pl.Expr]()
    for window in WINDOWS:
        rows: dict[str, Any] = {"window_size": window, "min_samples": least(window)}
        for name in VALUES:
            value = pl.col(name)
            mean, std = value.rolling_mean(**rows), value.rolling_std(**rows)
            made[f"zscore_{name}_{window}"] = (value - mean) / std
            for word in ("mean", "std", "rank", "max", "min"):
                own = getattr(value, f"rolling_{word}")
                made[f"{word}_{name}_{window}"] = own(**rows)
        close = pl.col("close")
        made[f"slope_{window}"] = pl.rolling_cov(close, t, **rows) / t.rolling_var(
            **rows
        )
        made[f"sum_{window}"] = y.rolling_sum(**rows)
        made[f"corr_{window}"] = pl.rolling_corr(paired, y, **rows)
        shared = pl.rolling_cov(paired, y, **rows)
        made[f"beta_{window}"] = shared / paired.rolling_var(**rows)
    for span in SPANS:
        for name in VALUES:
            made[f"ewm_{name}_{span}"] = pl.col(name).ewm_mean(
                span=span, ignore_nulls=False
            )
    return frame.select(**{name: made[name] for name in kernels})


BUILDS: dict[str, Callable[..., object]] = {
    "kernels": by_kernels,
    "native polars": by_native_polars,
    "pandas": by_pandas,
}


def part_operators(_: argparse.Namespace) -> None:
    """Print how many times as long pandas and native polars take, with and without ranks."""
    frames = [series(seed) for seed in range(SERIES)]
    pandas = [pd.DataFrame({c.name: c.to_numpy() for c in one}) for one in frames]
    tables = {"kernels": frames, "native polars": frames, "pandas": pandas}
    plain = asked(
        ("mean", "std", "zscore", "max", "min", "slope", "sum", "corr", "ewm")
    )
    for what, kernels in (("all", asked()), ("without ranks", plain)):
        builds = {name: partial(b, kernels=kernels) for name, b in BUILDS.items()}
        seconds = interleaved(tables, builds)
        ours = statistics.median(seconds["kernels"]) / SERIES
        say(f"{what}: kernels, s a series", round(ours, 4), features=len(kernels))
        for name in ("pandas", "native polars"):
            say_ratio(f"{what}: {name} / kernels", seconds[name], seconds["kernels"], 2)


def part_offsets(_: argparse.Namespace) -> None:
    """Print how many cells have other bits when the frame begins elsewhere."""
    kernels, rng = asked(), np.random.default_rng(11)
    odd = cells = 0
    for seed in range(SERIES):
        frame = series(seed)
        whole = k.roll(frame, kernels)
        for _round in range(OFFSETS // SERIES):
            start = int(rng.integers(1, ROWS - SLICE))
            part = k.roll(frame.slice(start, SLICE), kernels)
            for name, kernel in kernels.items():
                full = kernel.window - 1
                one = _bits(part[name][full:])
                other = _bits(whole[name][start + full : start + SLICE])
                odd += int((one != other).sum())
                cells += len(one)
    say("cells that depend on the offset", odd, of=cells, offsets=OFFSETS)


def _bits(values: pl.Series) -> Any:
    return values.fill_null(-9.0).to_numpy().view(np.uint64)


def part_qlib(args: argparse.Namespace) -> None:
    """Print how many times as long Qlib's expression engine takes for the same operators."""
    if args.qlib is None:
        say("Qlib: not measured: name a Python that has pyqlib with --qlib", 0)
        return
    frames = [alpha158.bars(seed, ROWS, missing=0.0) for seed in range(SERIES)]
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Qlib(args.qlib, Path(folder), frames) as qlib,
    ):
        builds: dict[str, Callable[[Any], object]] = {
            "kernels": alpha158.by_kernels,
            "Qlib": lambda _all: None,
        }
        ours, theirs = [], []
        for _ in range(args.rounds + 1):
            one = interleaved({"kernels": frames, "Qlib": []}, builds, rounds=1)
            ours.append(one["kernels"][0])
            theirs.append(qlib.seconds())
        shown = {"columns": alpha158.COLUMNS, "version": qlib.version}
        say(
            "Qlib: s a series",
            round(statistics.median(theirs[1:]) / SERIES, 3),
            **shown,
        )
        say_ratio("Qlib / kernels, Alpha158's operators", theirs[1:], ours[1:], 2)


def part_day(args: argparse.Namespace) -> None:
    """Print one more session through the engine as a share of the full build."""
    days_of_engine(times=args.times, rounds=args.rounds)


PARTS = {
    "operators": part_operators,
    "offsets": part_offsets,
    "qlib": part_qlib,
    "day": part_day,
}


def main() -> None:
    """Do the parts that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=list(PARTS))
    parser.add_argument("--qlib", type=Path, help="a Python that has pyqlib")
    parser.add_argument("--times", nargs="+", type=int, default=[1, 10])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    for part in args.parts:
        PARTS[part](args)


if __name__ == "__main__":
    main()
