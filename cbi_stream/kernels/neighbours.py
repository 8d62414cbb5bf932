"""What was usual before a row: the values of earlier dates, as known when it was seen.

A row seen at `as_of` is held against the newest version of each earlier date that was
seen by then, so what is seen later never changes what is said of it, and neither does
the order in which files came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

MOST = 10
"""How many dates are looked at."""
USUAL = 5
"""Of how many of them the median is usual: after a true change of level few lines look
wrong, and a shock is over soon."""

Ints: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Versions:
    """All versions that are judged, sorted by entity, day and order."""

    entity: Ints
    day: Ints
    as_of: Ints
    value: Floats
    """NaN where there is none: such a version hides the one before it."""
    stands: NDArray[np.bool_]
    """Whether a version counts as a neighbour of others."""


@dataclass(frozen=True, slots=True)
class Before:
    """For each version the values of the last dates before it, the nearest first."""

    values: Floats
    """NaN beyond `known`."""
    nearest: Ints
    """Which version the nearest of them is; -1 for none."""

    @property
    def known(self) -> Ints:
        """Of how many dates the usual value is the median."""
        there = ~np.isnan(self.values[:, :USUAL])
        return np.asarray(there.sum(axis=1), dtype=np.int64)

    @property
    def usual(self) -> Floats:
        """The median of the nearest values; NaN for none."""
        return median(self.values[:, :USUAL])

    @property
    def last(self) -> Floats:
        """The nearest value; NaN for none."""
        return np.asarray(self.values[:, 0])

    @property
    def typical(self) -> Floats:
        """The median of the absolute changes between all of them; NaN for none."""
        return median(np.abs(np.diff(self.values, axis=1)))

    def same(self, value: Floats) -> Ints:
        """Return how many of the nearest dates have this very value, without a gap."""
        equal = self.values == value[:, None]
        return np.asarray(np.cumprod(equal, axis=1).sum(axis=1), dtype=np.int64)

    def bar_again(self, bar: Mapping[str, Floats]) -> NDArray[np.bool_]:
        """Return whether the nearest bar has the same cells, all of them."""
        there = self.nearest >= 0
        for cells in bar.values():
            other = cells[self.nearest]
            both_empty = np.isnan(cells) & np.isnan(other)
            there = there & ((cells == other) | both_empty)
        return there


def before(versions: Versions, *, back: Ints, dates: int = MOST) -> Before:
    """Return what stands before each version, at most so many days away.

    It walks backwards through the versions, for all rows at once: the first version of
    a date that a row could have seen is the newest one, and the only one that counts.
    """
    n = len(versions.day)
    values = np.full((n, dates), np.nan)
    nearest = np.full(n, -1, dtype=np.int64)
    rows = np.arange(n, dtype=np.int64)
    at = _first_of_day(versions) - 1
    found = np.zeros(n, dtype=np.int64)
    taken = np.full(n, np.iinfo(np.int64).min, dtype=np.int64)
    while len(rows):
        there = at >= 0
        rows, at, found, taken = (a[there] for a in (rows, at, found, taken))
        day = versions.day[at]
        inside = versions.entity[at] == versions.entity[rows]
        inside &= day >= versions.day[rows] - back[rows]
        rows, at, found, taken, day = (a[inside] for a in (rows, at, found, taken, day))
        counts = (versions.as_of[at] <= versions.as_of[rows]) & (day != taken)
        counts &= versions.stands[at]
        taken = np.where(counts, day, taken)
        use = counts & ~np.isnan(versions.value[at])
        values[rows[use], found[use]] = versions.value[at[use]]
        first = use & (found == 0)
        nearest[rows[first]] = at[first]
        found = found + use
        more = found < dates
        rows, at, found, taken = rows[more], at[more] - 1, found[more], taken[more]
    return Before(values, nearest)


def _first_of_day(versions: Versions) -> Ints:
    """Return for each version where the versions of its date begin."""
    n = len(versions.day)
    begins = np.ones(n, dtype=bool)
    begins[1:] = (np.diff(versions.day) != 0) | (np.diff(versions.entity) != 0)
    starts = np.flatnonzero(begins)
    return np.asarray(starts[np.cumsum(begins) - 1], dtype=np.int64)


def median(rows: Floats) -> Floats:
    """Return the median of each row without its NaN; NaN where nothing is left."""
    ordered = np.sort(rows, axis=1)  # NaN comes last
    n = (~np.isnan(rows)).sum(axis=1)
    each = np.arange(len(rows))
    lower = ordered[each, np.maximum((n - 1) // 2, 0)]
    upper = ordered[each, np.minimum(n // 2, rows.shape[1] - 1)]
    middle: Any = np.where(n % 2 == 1, lower, (lower + upper) / 2.0)
    return np.asarray(np.where(n > 0, middle, np.nan))
