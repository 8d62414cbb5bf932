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
        self.present = present
        # A running total, which values are never given: but whole numbers below
        # 2 ** 53 subtract exactly, so that where it began leaves no trace.
        self._running = np.cumsum(present, dtype=np.float64)
        # Kept from the second time on: columns with the same gaps ask alike, but what
        # only one asks for is cheaper to build than to hold.
        self._parts: dict[int, Parts | None] = {}

    def held(self, length: int) -> Floats:
        """Return how many values the last `length` rows hold."""
        late, early = meet(length)
        held = self._running.copy()
        tail = held[late]
        tail -= self._running[early]
        return held

    def parts(self, length: int) -> Parts:
        """Return how the two halves of a block of `length` rows weigh."""
        kept = self._parts.get(length)
        if kept is None:
            kept = self._weigh(length)
            self._parts[length] = kept if length in self._parts else None
        return kept

    def _weigh(self, length: int) -> Parts:
        newer, _ = halves(length)
        held, new = self.held(length), self.held(newer)
        share = held - new
        # An empty block has share 0 / 1: nothing moves, and no 0 / 0 arises.
        share /= np.maximum(held, 1.0, out=held)
        orphans = np.flatnonzero(new[newer:] == 0.0) + newer
        new *= share
        return Parts(share, new, orphans)


@dataclass(frozen=True, slots=True)
class Moment:
    """Mean and spread of one column's values in each block.

    Attributes:
        anchor: The newest value of the block.
        offset: Mean minus anchor.
        spread: Sum of squared distances from the mean.
    """

    anchor: Floats
    offset: Floats
    spread: Floats


@dataclass(frozen=True, slots=True)
class Joint:
    """The moments of one or two columns in each block, and of two, how they move.

    Attributes:
        axes: One moment per column.
        shared: Sum of products of both columns' distances from their means.
    """

    axes: tuple[Moment, ...]
    shared: Floats


def _meet_means(new: Moment, old: Moment, newer: int) -> Floats:
    """Return the older part's mean minus the newer one's, 0.0 before the frame."""
    late, early = meet(newer)
    gap = np.empty_like(new.offset)
    gap[:newer] = 0.0
    tail = np.subtract(old.anchor[early], new.anchor[late], out=gap[late])
    tail += old.offset[early]
    tail -= new.offset[late]
    return gap


def _merge(new: Moment, old: Moment, gap: Floats, newer: int, parts: Parts) -> Moment:
    """Merge one column's two parts by the gap between their means, and use it up."""
    offset = gap * parts.share
    offset += new.offset
    anchor, orphans = new.anchor, parts.orphans
    if len(orphans):
        anchor = anchor.copy()
        anchor[orphans] = old.anchor[orphans - newer]
        offset[orphans] = old.offset[orphans - newer]
    # The gap's own memory takes the spread: fresh memory costs more than arithmetic.
    squared = np.multiply(gap, gap, out=gap)
    return Moment(
        anchor, offset, _spread(squared, new.spread, old.spread, newer, parts)
    )


def _spread(
    spread: Floats, new: Floats, old: Floats, newer: int, parts: Parts
) -> Floats:
    """Turn the product of gaps into the block's sum of products, in place."""
    late, early = meet(newer)
    spread *= parts.weight
    spread += new
    tail = spread[late]
    tail += old[early]
    return spread


class Moments(Tree[Joint]):
    """Means and spreads of one or two columns over the rows that `counts` counts.

    A mean is kept as its distance from the block's newest value. The difference of
    two nearby values is exact (Sterbenz), so the rounding of every later step is
    of the size of the variation and not of the level: 1e6 + noise keeps as many
    digits as the noise alone. Where nothing moves each gap is exactly zero.
    """

    def __init__(self, columns: tuple[Floats, ...], *, counts: Counts) -> None:
        nothing = np.zeros(len(columns[0]))
        axes = tuple(Moment(values, nothing, nothing) for values in columns)
        super().__init__(Joint(axes, nothing))
        self._counts = counts

    def merge(self, length: int, new: Joint, old: Joint) -> Joint:
        """Merge both columns' parts, and with the same gaps how they move together."""
        newer, _ = halves(length)
        parts = self._counts.parts(length)
        pairs = list(zip(new.axes, old.axes, strict=True))
        gaps = [_meet_means(a, b, newer) for a, b in pairs]
        shared = new.shared
        if len(gaps) == 2:  # before the axes are merged, as that uses the gaps up
            product = gaps[0] * gaps[1]
            shared = _spread(product, new.shared, old.shared, newer, parts)
        axes = tuple(
            _merge(a, b, gap, newer, parts)
            for (a, b), gap in zip(pairs, gaps, strict=True)
        )
        return Joint(axes, shared)
