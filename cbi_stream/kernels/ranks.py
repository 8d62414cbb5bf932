"""Where a row's value stands among the values before it, by plain comparison.

It counts and never sorts: a count is a whole number, so no order of work can
change it, and it never looks at how great a difference is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cbi_stream.kernels.tree import Floats, meet

Whole = npt.NDArray[np.int64]

# A lag adds at most 2 (below, and below or equal), and a byte holds 255.
LAGS_PER_BYTE = 127


def _places(values: Floats) -> npt.NDArray[Any]:
    """Return each value's place among the distinct values, in a small whole number.

    A place depends on the whole frame, but which of two is the smaller does not;
    two bytes compare four times as fast as eight.
    """
    distinct, places = np.unique(values, return_inverse=True)
    return places.astype(np.uint16 if len(distinct) <= 1 << 16 else np.uint32)


def _count(places: npt.NDArray[Any], first: int, last: int) -> npt.NDArray[np.uint8]:
    """Count over the lags `first` to `last - 1`, at most `LAGS_PER_BYTE` of them."""
    count = np.zeros(len(places), dtype=np.uint8)
    flag = np.empty(len(places), dtype=np.bool_)
    for lag in range(first, min(last, len(places))):
        late, early = meet(lag)
        now, then, tail, below = places[late], places[early], count[late], flag[late]
        byte = below.view(np.uint8)
        np.less(then, now, out=below)
        tail += byte
        np.less_equal(then, now, out=below)
        tail += byte
    return count


class Standing:
    """For each row and length, how many earlier values lie below it.

    `over(n)` holds, at row t, the number of values of rows t - n + 1 to t - 1 that
    are below row t's, plus the number that are below or equal: twice the average
    place among ties. A missing value is given as inf, which is below nothing; the
    count in its own row means nothing.
    """

    def __init__(self, values: Floats) -> None:
        self._places = _places(values)
        self._counted: dict[int, Whole] = {1: np.zeros(len(values), dtype=np.int64)}

    def over(self, length: int) -> Whole:
        """Return the counts for windows of `length` rows, from the nearest shorter."""
        if length not in self._counted:
            known = max(shorter for shorter in self._counted if shorter < length)
            count = self._counted[known].copy()
            for first in range(known, length, LAGS_PER_BYTE):
                last = min(first + LAGS_PER_BYTE, length)
                count += _count(self._places, first, last)
            self._counted[length] = count
        return self._counted[length]
