"""Smooth values of a name, on any day, without walking there from a beginning.

It never needs another day's value: the value of a day is a sum of hills of several
widths, each between draws that belong to fixed days. So a value depends on seed, name
and day alone, whatever window is asked for, and still moves like a price: the wider a
hill, the higher.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from cbi_stream.replay.chance import raw_words, scaled, stream_of

_WIDTHS: Final = (1, 4, 16, 64, 256, 1024, 4096)  # days between two draws
_WORDS_PER_BLOCK: Final = 4
_HIGHEST: Final = sum(math.sqrt(width) for width in _WIDTHS)


def heights(days: Sequence[date], *, seed: int, names: tuple[str, ...]) -> list[float]:
    """Return a height between -1 and 1 for each of `days`, which ascend."""
    if not days:
        return []
    ordinals = [day.toordinal() for day in days]
    sums = [0.0] * len(ordinals)
    for width in _WIDTHS:
        stream = stream_of(*names, f"hills {width}")
        first, last = ordinals[0] // width, ordinals[-1] // width + 1
        draws = _draws(seed, stream, first=first, last=last)
        for i, ordinal in enumerate(ordinals):
            knot, step = divmod(ordinal, width)
            part = step / width
            # Flat at both ends, so that hills meet without a bend.
            share = part * part * (3.0 - 2.0 * part)
            left, right = draws[knot - first], draws[knot - first + 1]
            sums[i] += math.sqrt(width) * (left + (right - left) * share)
    return [total / _HIGHEST for total in sums]


def _draws(seed: int, stream: int, *, first: int, last: int) -> list[float]:
    """Return a draw between -1 and 1 for each number from `first` to `last`."""
    block, before = divmod(first, _WORDS_PER_BLOCK)
    count = before + last - first + 1
    words = raw_words(count, seed=seed, series=stream, counter=block)
    return [2.0 * u - 1.0 for u in scaled(words).tolist()[before:]]
