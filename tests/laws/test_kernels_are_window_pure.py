"""Law: a rolling value depends on its window alone, bit for bit, for every kernel.

The same harness must catch the native rolling kernels, or it proves nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from itertools import pairwise

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream import kernels as k

ROWS, OFFSETS = 6_500, 40
WINDOWS = (2, 5, 20, 63, 252)

Computed = Callable[[pl.DataFrame], pl.DataFrame]


def ask(name: str, window: int, min_count: int) -> k.Kernel:
    """Ask for any kernel by the names of its parameters; a new one is covered too."""
    word = k.KERNELS[name]
    known = {"column": "x", "y": "y", "x": "x", "span": max(1, window // 4)}
    known |= {"window": window, "min_count": min_count}
    return word(**{part: known[part] for part in inspect.signature(word).parameters})


def every_kernel(windows: tuple[int, ...] = WINDOWS) -> dict[str, k.Kernel]:
    """Name each registered kernel over each window."""
    return {
        f"{name} {window}": ask(name, window, max(1, window // 2))
        for name in k.KERNELS
        for window in windows
    }


def with_nulls(values: np.ndarray, missing: np.ndarray) -> pl.Series:
    """Return the values with nulls where they are missing."""
    return pl.Series(values).set(pl.Series(missing), None)


@pytest.fixture(scope="module")
def history() -> pl.DataFrame:
    """Two price series: 6 % nulls, a gap of 100 rows, flat stretches, signed zeros."""
    rng = np.random.default_rng(20_260_801)
    steps = rng.standard_t(4, (2, ROWS)) * 0.006
    x, y = np.round(30 * np.exp(np.cumsum(steps, axis=1)), 2)
    x[1000:1400], x[3000:3030], x[4000:4100] = 100.1, x[3000], 1e6
    x[5000:5060] = np.where(rng.random(60) < 0.5, -0.0, 0.0)
    y += 1e6
    missing = rng.random((2, ROWS)) < 0.06
    missing[0, 2000:2100] = True
    return pl.DataFrame(
        {"x": with_nulls(x, missing[0]), "y": with_nulls(y, missing[1])}
    )


def as_bits(column: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return the column's 64 bits a row, and which rows are null."""
    return column.fill_null(0.0).to_numpy().view(np.uint64), column.is_null().to_numpy()


def count_differing(one: pl.Series, other: pl.Series) -> int:
    """Count the rows whose bits or nulls differ."""
    (bits, null), (other_bits, other_null) = as_bits(one), as_bits(other)
    return int(((bits != other_bits) | (null != other_null)).sum())


def chunked(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the same rows in three chunks."""
    cuts = (0, 101, frame.height // 2, frame.height)
    parts = [frame[a:b] for a, b in pairwise(cuts)]
    return pl.concat(parts, rechunk=False)


def differing(
    frame: pl.DataFrame, compute: Computed, windows: Mapping[str, int]
) -> dict[str, int]:
    """Compute on the whole and on slices; count the differing rows of each column."""
    rng = np.random.default_rng(7)
    whole = compute(frame)
    found = dict.fromkeys(windows, 0)
    for turn in range(OFFSETS):
        start = int(rng.integers(1, frame.height - 1_000))
        cut = frame.slice(start, int(rng.integers(600, 1_300)))
        part = compute(chunked(cut) if turn % 2 else cut.rechunk())
        for name, window in windows.items():
            full = window - 1
            same = whole[name].slice(start + full, cut.height - full)
            found[name] += count_differing(part[name].slice(full), same)
    return found


def test_every_kernel_is_window_pure(history: pl.DataFrame) -> None:
    """No bit of any kernel depends on where its frame starts or how it is chunked."""
    kernels = every_kernel()
    windows = {name: kernel.window for name, kernel in kernels.items()}
    found = differing(history, lambda frame: k.roll(frame, kernels), windows)
    assert len(found) == len(k.KERNELS) * len(WINDOWS)
    assert {name: rows for name, rows in found.items() if rows} == {}


def test_lags_and_returns_are_window_pure(history: pl.DataFrame) -> None:
    """Lags and returns look back as many rows as they say and no further."""
    made = {
        f"{word.__name__} {sessions}": (word("x", sessions), sessions + 1)
        for word in (k.lag, k.simple_return, k.log_return)
        for sessions in (1, 5, 20)
    }
    found = differing(
        history,
        lambda frame: frame.select(**{name: made[name][0] for name in made}),
        {name: made[name][1] for name in made},
    )
    assert {name: rows for name, rows in found.items() if rows} == {}


@pytest.mark.parametrize("word", ["rolling_mean", "rolling_std"])
def test_the_harness_catches_native_rolling_kernels(
    history: pl.DataFrame, word: str
) -> None:
    """Native kernels run on from earlier rows, and the same harness sees it."""

    def native(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.select(x=getattr(pl.col("x"), word)(20, min_samples=10))

    assert differing(history, native, {"x": 20})["x"] > 0


def test_requests_do_not_change_each_other(history: pl.DataFrame) -> None:
    """A kernel's bits are the same alone, among all others, and in any order."""
    cut = history.slice(900, 1_300)
    kernels = every_kernel()
    together = k.roll(cut, kernels)
    backwards = k.roll(cut, dict(reversed(kernels.items())))
    for name, kernel in kernels.items():
        alone = k.roll(cut, {name: kernel})[name]
        assert count_differing(alone, together[name]) == 0, name
        assert count_differing(alone, backwards[name]) == 0, name


# Small whole numbers make ties and flat stretches likely; the floats, odd scales.
cells = st.one_of(
    st.none(),
    st.integers(-3, 3).map(float),
    st.sampled_from([-0.0, 0.1, 1e6, 1e6 + 0.1]),
    st.floats(-1e100, 1e100),
)
tables = st.lists(st.tuples(cells, cells), max_size=40)


def as_frame(rows: list[tuple[float | None, float | None]]) -> pl.DataFrame:
    """Return rows of (x, y) as a frame of one chunk."""
    schema = {"x": pl.Float64, "y": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(before=tables, after=tables, window=st.integers(1, 13), data=st.data())
def test_rows_before_the_window_never_matter(
    before: list[tuple[float | None, float | None]],
    after: list[tuple[float | None, float | None]],
    window: int,
    data: st.DataObject,
) -> None:
    """Whatever is put before a series, its full windows keep their bits."""
    least = data.draw(st.integers(1, window))
    kernels = {name: ask(name, window, least) for name in k.KERNELS}
    short = k.roll(as_frame(after), kernels)
    joined = pl.concat([as_frame(before), as_frame(after)], rechunk=False)
    long = k.roll(joined, kernels)
    for name in kernels:
        same = long[name].slice(len(before) + window - 1)
        assert count_differing(short[name].slice(window - 1), same) == 0, name
