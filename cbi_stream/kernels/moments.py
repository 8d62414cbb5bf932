"""Counts, means, spreads and co-spreads of blocks, merged pairwise without loss.

The merges are those of Chan, Golub and LeVeque, "Algorithms for computing the
sample variance" (1983), with one change: see `Moments`. Nothing here divides by
a count of zero or looks at a value that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cbi_stream.kernels.tree import Bools, Floats, Tree, halves, meet


@dataclass(frozen=True, slots=True)
class Parts:
    """How the newer part (a values) and the older (b values) of a block weigh.

    Attributes:
        share: b / (a + b), how far the mean moves towards the older part's.
        weight: a * b / (a + b), what the squared gap of the means counts for.
        orphans: Rows whose newer part is empty, so that the older one stands.
    """

    share: Floats
    weight: Floats
    orphans: npt.NDArray[np.intp]


class Counts:
    """How many values are present; shared by all statistics of the same rows."""

    def __init__(self, present: Bools) -> None:
        # A running total, which values are never given: but whole numbers below
        # 2 ** 53 subtract exactly, so that where it began leaves no trace.
        self._running = np.cumsum(present, dtype=np.float64)
        self._held: dict[int, Floats] = {}
        self._parts: dict[int, Parts] = {}

    def held(self, length: int) -> Floats:
        """Return how many values the last `length` rows hold."""
        if length not in self._held:
            late, early = meet(length)
            held = self._running.copy()
            tail = held[late]
            tail -= self._running[early]
            self._held[length] = held
        return self._held[length]

    def parts(self, length: int) -> Parts:
        """Return how the two halves of a block of `length` rows weigh."""
        if length not in self._parts:
            newer, _ = halves(length)
            held, new = self.held(length), self.held(newer)
            # An empty block has share 0 / 1: nothing moves, and no 0 / 0 arises.
            share = held - new
            share /= np.maximum(held, 1.0)
            orphans = np.flatnonzero(new[newer:] == 0.0) + newer
            self._parts[length] = Parts(share, new * share, orphans)
        return self._parts[length]


@dataclass(frozen=True, slots=True)
class Moment:
    """Mean and spread of each block.

    Attributes:
        anchor: The newest value of the block.
        offset: Mean minus anchor.
        spread: Sum of squared distances from the mean.
        gap: Mean of the older part minus mean of the newer one.
    """

    anchor: Floats
    offset: Floats
    spread: Floats
    gap: Floats


class Moments(Tree[Moment]):
    """Means and spreads of one column over the rows that `counts` counts.

    A mean is kept as its distance from the block's newest value. The difference of
    two nearby values is exact (Sterbenz), so the rounding of every later step is
    of the size of the variation and not of the level: 1e6 + noise keeps as many
    digits as the noise alone. Where nothing moves each gap is exactly zero.
    """

    def __init__(self, values: Floats, *, counts: Counts) -> None:
        nothing = np.zeros(len(values))
        super().__init__(Moment(values, nothing, nothing, nothing))
        self._counts = counts

    def merge(self, newer: int, older: int) -> Moment:
        """Merge two parts by the gap between their means."""
        late, early = meet(newer)
        parts = self._counts.parts(newer + older)
        new, old = self.over(newer), self.over(older)
        gap = np.zeros_like(new.anchor)
        tail = np.subtract(old.anchor[early], new.anchor[late], out=gap[late])
        tail += old.offset[early]
        tail -= new.offset[late]
        offset = gap * parts.share
        offset += new.offset
        spread = gap * gap
        spread *= parts.weight
        spread += new.spread
        tail = spread[late]
        tail += old.spread[early]
        anchor = new.anchor
        if len(parts.orphans):
            anchor = anchor.copy()
            anchor[parts.orphans] = old.anchor[parts.orphans - newer]
            offset[parts.orphans] = old.offset[parts.orphans - newer]
        return Moment(anchor, offset, spread, gap)


class Comoments(Tree[Floats]):
    """Sums of products of two columns' distances from their means.

    Both moments must count the same rows, those where both columns are present.
    The products are taken in `Moments`' order, so a column against itself gives
    its own spread, bit for bit.
    """

    def __init__(self, left: Moments, right: Moments, *, counts: Counts) -> None:
        super().__init__(np.zeros(len(counts.held(1))))
        self._left, self._right, self._counts = left, right, counts

    def merge(self, newer: int, older: int) -> Floats:
        """Merge two parts by the product of the two columns' gaps."""
        late, early = meet(newer)
        length = newer + older
        shared = self._left.over(length).gap * self._right.over(length).gap
        shared *= self._counts.parts(length).weight
        shared += self.over(newer)
        tail = shared[late]
        tail += self.over(older)[early]
        return shared
