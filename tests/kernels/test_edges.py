"""The edges of rolling kernels: empty, all null, one row, flat, too short, too few.

No test here is about accuracy or purity; those have files of their own.
"""

from __future__ import annotations

import inspect
import math

import polars as pl
import pytest

from cbi_stream import kernels as k
from cbi_stream.kernels.formulas import FORMULAS
from cbi_stream.kernels.tree import halves

SPREADS = ("var", "std", "zscore", "slope", "cov", "corr", "beta")


def frame_of(
    x: list[float | None], y: list[float | None] | None = None
) -> pl.DataFrame:
    """Return a frame of Float64 columns x and y (y is x where it is left out)."""
    schema = {"x": pl.Float64, "y": pl.Float64}
    return pl.DataFrame({"x": x, "y": x if y is None else y}, schema=schema)


def every_kernel(window: int, min_count: int = 1) -> dict[str, k.Kernel]:
    """Ask for each kernel over one window."""
    known = {"column": "x", "y": "y", "x": "x", "span": 1}
    known |= {"window": window, "min_count": min_count}
    return {
        name: word(**{part: known[part] for part in inspect.signature(word).parameters})
        for name, word in k.KERNELS.items()
    }


def test_each_word_has_its_formula() -> None:
    """What can be asked for can be computed, and under the same name."""
    assert set(k.KERNELS) == set(FORMULAS)
    assert all(kernel.name == name for name, kernel in every_kernel(3).items())


def test_an_empty_frame_gives_empty_columns() -> None:
    """No rows in, no rows out, and the columns are there with their type."""
    made = k.roll(frame_of([]), every_kernel(5))
    assert made.height == 0
    assert set(made.dtypes) == {pl.Float64}
    assert made.columns == ["x", "y", *k.KERNELS]


def test_all_null_gives_all_null() -> None:
    """Where nothing is present nothing is answered."""
    made = k.roll(frame_of([None] * 9), every_kernel(3)).drop("x", "y")
    assert made.null_count().row(0) == (9,) * len(k.KERNELS)


def test_a_window_of_one_row() -> None:
    """One row has a sum, a mean, extremes and a rank, and no spread."""
    made = k.roll(frame_of([7.5, None, -2.0]), every_kernel(1))
    for name in ("sum", "mean", "max", "min", "ewm_mean"):
        assert made[name].to_list() == [7.5, None, -2.0]
    assert made["rank"].to_list() == [1.0, None, 1.0]
    for name in SPREADS:
        assert made[name].null_count() == 3


def test_a_window_longer_than_the_frame() -> None:
    """Before the first row there are no values, so short windows hold fewer."""
    made = k.roll(frame_of([1.0, 2.0, 6.0]), every_kernel(100, min_count=2))
    assert made["sum"].to_list() == [None, 3.0, 9.0]
    assert made["mean"].to_list() == [None, 1.5, 3.0]
    assert made["max"].to_list() == [None, 2.0, 6.0]
    assert made["rank"].to_list() == [None, 1.0, 1.0]
    assert made["slope"].to_list() == [None, 1.0, 2.5]


@pytest.mark.parametrize("name", list(k.KERNELS))
def test_min_count_is_held_to(name: str) -> None:
    """With one value too few the answer is null, with just enough it is there."""
    x = [1.0, 4.0, None, 2.0, 9.0, None, None, 3.0]
    made = k.roll(frame_of(x), {"out": every_kernel(4, min_count=3)[name]})["out"]
    present = [value is not None for value in x]
    enough = [sum(present[max(0, t - 3) : t + 1]) >= 3 for t in range(8)]
    own = [True] * 8 if name not in {"zscore", "rank"} else present
    expected = [a and b for a, b in zip(enough, own, strict=True)]
    if name == "ewm_mean":  # a span of 1 weighs the last row alone
        expected = [a and b for a, b in zip(enough, present, strict=True)]
    assert made.is_not_null().to_list() == expected


def test_left_out_min_count_is_the_whole_window() -> None:
    """A kernel without min_count wants every value; the exponential mean, its span."""
    assert k.mean("x", 20).min_count == 20
    assert k.beta(y="y", x="x", window=60).min_count == 60
    assert k.ewm_mean("x", 26).min_count == 26
    assert k.ewm_mean("x", 26).window == 1024
    assert k.ewm_mean("x", 26, window=300).window == 300
    assert k.ewm_mean("x", 26, window=10).min_count == 10


@pytest.mark.parametrize("level", [100.1, 0.1, 1e6 + 0.1, -3.3])
def test_a_flat_stretch(level: float) -> None:
    """What does not move has deviation exactly 0.0, and no ratio to it."""
    x = [5.0, 7.0, 6.0, *[level] * 60]
    x[20] = x[21] = x[40] = None
    made = k.roll(frame_of(x), every_kernel(17, min_count=2))[20:]
    for name in ("var", "std", "slope", "cov"):
        assert made[name].to_list() == [0.0] * made.height
        assert all(math.copysign(1.0, value) == 1.0 for value in made[name])
    for name in ("zscore", "corr", "beta"):
        assert made[name].null_count() == made.height
    assert set(made["mean"]) == {level}


def test_a_flat_partner() -> None:
    """Correlation needs both to move, beta only the x; neither gives inf or NaN."""
    moving, flat = [1.0, 2.0, 4.0, 8.0], [0.1] * 4
    asked = {
        "corr": k.corr(y="y", x="x", window=3),
        "beta": k.beta(y="y", x="x", window=3),
    }
    made = k.roll(frame_of(moving, flat), asked)
    assert made["corr"].null_count() == 4
    assert made["beta"].to_list() == [None, None, 0.0, 0.0]
    assert k.roll(frame_of(flat, moving), asked)["beta"].null_count() == 4


def test_correlation_stays_within_one() -> None:
    """A straight line correlates to 1 and not a bit more."""
    x = [0.1 * t**1.5 for t in range(200)]
    frame = frame_of(x, [3.3 * value + 0.7 for value in x])
    made = k.roll(frame, {"c": k.corr(y="y", x="x", window=7)})["c"].drop_nulls()
    assert made.max() <= 1.0
    assert made.min() > 1.0 - 1e-12


def test_slope_leaves_gaps_in_place() -> None:
    """Rows 0, 1 and 5 of a line of slope 2 give slope 2, as sessions 0, 1 and 5."""
    x = [0.0, 2.0, None, None, None, 10.0]
    made = k.roll(frame_of(x), {"s": k.slope("x", 6, min_count=3)})
    assert made["s"].to_list() == [None] * 5 + [2.0]


def test_rank_shares_places_among_ties() -> None:
    """Two equal lowest of four stand on places 1 and 2: 1.5 of 4."""
    made = k.roll(frame_of([3.0, 1.0, 2.0, 1.0]), {"r": k.rank("x", 4)})
    assert made["r"][3] == 1.5 / 4


def test_two_zeros_are_one() -> None:
    """-0.0 and 0.0 give the same bits: nobody can tell which is the greater."""
    made = k.roll(frame_of([-0.0, 0.0, -0.0, 0.0]), every_kernel(2))
    for name in ("sum", "mean", "max", "min", "ewm_mean"):
        assert all(math.copysign(1.0, value) == 1.0 for value in made[name])


def test_only_what_was_asked_for_is_added() -> None:
    """Columns come in the order asked for, after the frame's own, and no others."""
    frame = frame_of([1.0, 2.0, 4.0]).with_columns(note=pl.lit("kept"))
    made = k.roll(frame, {"late": k.mean("x", 3), "early": k.std("y", 2)})
    assert made.columns == ["x", "y", "note", "late", "early"]
    assert made.select("x", "y", "note").equals(frame)
    assert k.roll(frame, {}).equals(frame)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"m": k.mean("z", 3)}, "no column 'z'; the frame has x, y"),
        ({"m": k.beta(y="y", x="z", window=3)}, r"m = beta\(y, z, window=3\)"),
        ({"x": k.mean("y", 3)}, "the frame has a column 'x' already"),
    ],
)
def test_wrong_columns_are_named(asked: dict[str, k.Kernel], message: str) -> None:
    """A column that is missing, or in the way, is told by name."""
    with pytest.raises(ValueError, match=message):
        k.roll(frame_of([1.0]), asked)


def test_a_column_of_another_type_is_refused() -> None:
    """Whole numbers must be cast by whoever knows that they fit."""
    frame = pl.DataFrame({"x": [1, 2]})
    with pytest.raises(ValueError, match="'x' is Int64, expected Float64"):
        k.roll(frame, {"m": k.mean("x", 2)})


def test_wrong_numbers_are_refused() -> None:
    """Windows, counts and spans that cannot be are refused when asked for."""
    with pytest.raises(ValueError, match="window is 0 sessions, expected 1 or more"):
        k.mean("x", 0)
    with pytest.raises(
        ValueError, match="min_count is 6, expected 1 to the window's 5"
    ):
        k.std("x", 5, min_count=6)
    with pytest.raises(ValueError, match="min_count is 0"):
        k.corr(y="y", x="x", window=5, min_count=0)
    with pytest.raises(ValueError, match="span is 0 sessions"):
        k.ewm_mean("x", 0)


@pytest.mark.parametrize("length", [2, 3, 5, 20, 60, 63, 64, 252])
def test_halves_add_up(length: int) -> None:
    """A block's parts are shorter than it and together as long."""
    newer, older = halves(length)
    assert newer + older == length
    assert newer >= older >= 1
