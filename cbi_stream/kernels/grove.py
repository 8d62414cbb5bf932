"""The trees over one set of rows, each planted when first asked for, then shared.

It never adds a column to the frame and keeps nothing after the call is over. What is
shared follows from the rows alone, so sharing cannot change a bit of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import numpy as np
import polars as pl

from cbi_stream.kernels.kernel import Kernel
from cbi_stream.kernels.moments import Counts, Moments
from cbi_stream.kernels.ranks import Standing
from cbi_stream.kernels.tree import Bools, Decayed, Extremes, Floats, Totals

# The session number as a column of its own; no frame can hold a name like it.
SESSION = "\0session"

Planted = TypeVar("Planted")


class Presence:
    """Which rows hold values, counted once for all columns with the same gaps.

    Counting costs as much as the means do, and prices of one day are there or
    missing together.
    """

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._counts: dict[bytes, Counts] = {}
        self._known: dict[tuple[Counts, int, int], pl.Series] = {}

    def counts(self, columns: tuple[str, ...]) -> Counts:
        """Return the counts of the rows that hold a value in every column."""
        found = np.ones(self._frame.height, dtype=np.bool_)
        for name in columns:
            column = self._frame[name]
            if column.null_count():
                found &= column.is_not_null().to_numpy()
        key = found.tobytes()
        if key not in self._counts:
            self._counts[key] = Counts(found)
        return self._counts[key]

    def known(self, counts: Counts, kernel: Kernel) -> pl.Series:
        """Return where the window holds as many values as the kernel needs."""
        key = (counts, kernel.window, kernel.min_count)
        if key not in self._known:
            held = counts.held(kernel.window)
            self._known[key] = pl.Series(held >= kernel.min_count)
        return self._known[key]


class Grove:
    """Hands out trees over the rows where all of `columns` hold a value.

    Column x beside y is another matter than x alone: other rows count. So a grove
    is for one set of columns, and roll lets it go before it plants the next; the
    memory of several would not stay in the processor's cache.
    """

    def __init__(
        self,
        frame: pl.DataFrame,
        columns: tuple[str, ...],
        *,
        counts: Counts,
        timed: bool,
    ) -> None:
        """Take a frame, the columns, their counts, and whether sessions join in."""
        self._frame, self._columns, self._timed = frame, columns, timed
        self._counts = counts
        self._kept: dict[Hashable, Any] = {}

    def _once(self, key: Hashable, plant: Callable[[], Planted]) -> Planted:
        if key not in self._kept:
            self._kept[key] = plant()
        kept: Planted = self._kept[key]
        return kept

    def present(self) -> Bools:
        """Return which rows hold a value in every column."""
        return self._counts.present

    def values(self, column: str, missing: float = 0.0) -> Floats:
        """Return a column's values, with `missing` where a row is not present."""
        if column == SESSION:
            # Only differences enter, whole and exact: where the frame starts
            # cannot be told from them.
            return np.arange(self._frame.height, dtype=np.float64)
        # Adding 0.0 turns -0.0 into 0.0: one zero only from here on.
        read = self._frame[column].to_numpy() + 0.0
        return np.where(self.present(), read, missing)

    def counts(self) -> Counts:
        """Return how many rows are present."""
        return self._counts

    def totals(self, column: str) -> Totals:
        """Return the sums of a column."""
        return self._once(("totals", column), lambda: Totals(self.values(column)))

    def moments(self) -> Moments:
        """Return means and spreads of all columns, and how two move together."""
        names = (*self._columns, SESSION) if self._timed else self._columns
        return self._once(
            "moments",
            lambda: Moments(tuple(map(self.values, names)), counts=self.counts()),
        )

    def highest(self, column: str) -> Extremes:
        """Return the highest values of a column."""
        return self._once(
            ("highest", column),
            lambda: Extremes(self.values(column, -np.inf), pick=np.maximum),
        )

    def lowest(self, column: str) -> Extremes:
        """Return the lowest values of a column."""
        return self._once(
            ("lowest", column),
            lambda: Extremes(self.values(column, np.inf), pick=np.minimum),
        )

    def standing(self, column: str) -> Standing:
        """Return how many earlier values lie below each."""
        return self._once(
            ("standing", column), lambda: Standing(self.values(column, np.inf))
        )

    def decayed(self, column: str, decay: float) -> tuple[Decayed, Decayed]:
        """Return a column's fading sum, and the sum of the weights present."""

        def plant() -> tuple[Decayed, Decayed]:
            weights = self.present().astype(np.float64)
            faded = Decayed(self.values(column), decay=decay)
            return faded, Decayed(weights, decay=decay)

        return self._once(("decayed", column, decay), plant)
