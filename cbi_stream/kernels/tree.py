"""Windows built from halves: how a block of rows is put together, by length alone.

A tree never looks at a row outside the block, nor at which blocks exist already. It
works on plain arrays: a trial of such merges as expressions, one `with_columns` a
level, took about ten times as long (a pair over 252 sessions, 6,500 rows).
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
    """One statistic over blocks of any length.

    `over(n)` holds, at row t, the statistic of rows t - n + 1 to t. What was asked
    for last and the powers of two are kept; the rest is cheaper to build again than
    to hold, as fresh memory costs more than arithmetic here.
    """

    def __init__(self, leaf: Block) -> None:
        self._kept = {1: leaf}
        self._last = (1, leaf)

    def over(self, length: int) -> Block:
        """Return the statistic over blocks of `length` rows."""
        block = self._part(length)
        self._last = (length, block)
        return block

    def _part(self, length: int) -> Block:
        if length in self._kept:
            return self._kept[length]
        if length == self._last[0]:
            return self._last[1]
        newer, older = self.cut(length)
        block = self.merge(length, self._part(newer), self._part(older))
        if length & (length - 1) == 0:
            self._kept[length] = block
        return block

    def cut(self, length: int) -> tuple[int, int]:
        """Return the lengths of the newer and the older part of a block."""
        return halves(length)

    @abstractmethod
    def merge(self, length: int, new: Block, old: Block) -> Block:
        """Build the block of `length` rows out of its two parts."""


class Totals(Tree[Floats]):
    """Sums: a plain addition of halves, in one fixed order."""

    def merge(self, length: int, new: Floats, old: Floats) -> Floats:
        """Add the older block's sum to the newer one's."""
        late, early = meet(halves(length)[0])
        total = new.copy()
        tail = total[late]
        tail += old[early]
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

    def cut(self, length: int) -> tuple[int, int]:
        """Return the power of two below `length`, twice."""
        part = 1 << (length - 1).bit_length() - 1
        return part, part

    def merge(self, length: int, new: Floats, old: Floats) -> Floats:
        """Pick between two powers of two that together cover the block."""
        late, early = meet(length - self.cut(length)[0])
        best = new.copy()
        self._pick(new[late], old[early], out=best[late])
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

    def merge(self, length: int, new: Floats, old: Floats) -> Floats:
        """Add the older block's sum, faded by the newer block's length."""
        newer, _ = halves(length)
        late, early = meet(newer)
        total = new.copy()
        tail = total[late]
        tail += self.fade(newer) * old[early]
        return total
