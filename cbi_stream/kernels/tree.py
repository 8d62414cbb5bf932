"""Windows built from halves: how a block of rows is put together, by length alone.

A tree never looks at a row outside the block, nor at which blocks exist already.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

Block = TypeVar("Block")


def halves(length: int) -> tuple[int, int]:
    """Return the lengths of the newer and the older part of a block.

    The older part is the lowest set bit of `length`, and a power of two is cut in
    the middle: 60 = 56 + 4, 56 = 48 + 8, 48 = 32 + 16, 32 = 16 + 16. As the cut
    follows from the length, every window builds a block of 32 in the same order,
    and sharing it between windows cannot change a bit.
    """
    low = length & -length
    return (length // 2, length // 2) if low == length else (length - low, low)


def meet(newer: int) -> tuple[slice, slice]:
    """Return the rows that have an older block, and the rows where that one ends.

    Row t ends a newer block of `newer` rows; its older block ends at t - newer.
    The first `newer` rows have none: before a frame there are no values.

    Merges name the late rows `tail` before adding to them: `total[late] += x` would
    write the rows once more onto themselves.
    """
    return slice(newer, None), slice(None, -newer)


class Tree(ABC, Generic[Block]):
    """One statistic over blocks of any length, each built once and kept.

    `over(n)` holds, at row t, the statistic of rows t - n + 1 to t.
    """

    def __init__(self, leaf: Block) -> None:
        self._blocks = {1: leaf}

    def over(self, length: int) -> Block:
        """Return the statistic over blocks of `length` rows."""
        block = self._blocks.get(length)
        if block is None:
            newer, older = halves(length)
            block = self.merge(newer, older)
            self._blocks[length] = block
        return block

    @abstractmethod
    def merge(self, newer: int, older: int) -> Block:
        """Build the block of `newer + older` rows out of `over` of both lengths."""


class Totals(Tree[Floats]):
    """Sums: a plain addition of halves, in one fixed order."""

    def merge(self, newer: int, older: int) -> Floats:
        """Add the older block's sum to the newer one's."""
        late, early = meet(newer)
        total = self.over(newer).copy()
        tail = total[late]
        tail += self.over(older)[early]
        return total


class Extremes(Tree[Floats]):
    """Highest or lowest values. The leaf holds -inf or inf where a value is missing.

    A selection may see a row twice, so a block is two overlapping powers of two:
    fewer levels than halves. The leaf must not hold -0.0, as which of two zeros
    is the greater one is for the processor to say.
    """

    def __init__(self, leaf: Floats, *, pick: np.ufunc) -> None:
        super().__init__(leaf)
        self._pick = pick

    def merge(self, newer: int, older: int) -> Floats:
        """Pick between two powers of two that together cover the block."""
        length = newer + older
        part = 1 << (length - 1).bit_length() - 1
        late, early = meet(length - part)
        block = self.over(part)
        best = block.copy()
        self._pick(block[late], block[early], out=best[late])
        return best


class Decayed(Tree[Floats]):
    """Sums in which a row `age` sessions old weighs decay ** age."""

    def __init__(self, leaf: Floats, *, decay: float) -> None:
        super().__init__(leaf)
        self._fade = {1: decay}

    def fade(self, length: int) -> float:
        """Return decay ** length by the tree's own products.

        Multiplication rounds alike everywhere; `pow` is the C library's to answer.
        """
        if length not in self._fade:
            newer, older = halves(length)
            self._fade[length] = self.fade(newer) * self.fade(older)
        return self._fade[length]

    def merge(self, newer: int, older: int) -> Floats:
        """Add the older block's sum, faded by the newer block's length."""
        late, early = meet(newer)
        total = self.over(newer).copy()
        tail = total[late]
        tail += self.fade(newer) * self.over(older)[early]
        return total
