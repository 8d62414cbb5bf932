"""Random draws that belong to a day, whatever run asks for them.

It never keeps a generator's state: a day's draws depend on seed, series and day.

WHY COUNTER-BASED. Philox is a function of (key, counter). The key is the seed and
the series; the counter is the day's ordinal. So a longer run repeats the shorter
run's draws (its files start with the same bytes), a series never shifts another,
and no run needs to begin where another did.

WHAT IS RELIED ON. Only Philox's raw 64-bit words, which NumPy keeps fixed between
releases (NEP 19 covers bit generators; it does not cover the distributions of
`Generator`). Words become shapes here, with scalar `math` functions, so that no
vector unit's last bit decides a price.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from datetime import date
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

WORDS_PER_DAY: Final = 8
_WORDS_PER_BLOCK: Final = 4  # one step of Philox's counter yields four words
_STANDARD: Final = NormalDist()


def raw_words(
    count: int, *, seed: int, series: int, counter: int = 0
) -> NDArray[np.uint64]:
    """Return `count` raw words of one stream.

    Args:
        count: How many 64-bit words.
        seed: The run's seed, 0 to 2**64 - 1.
        series: The stream's number, so that two series never share draws.
        counter: Where to begin, in blocks of four words.

    Raises:
        ValueError: `seed` is out of range.
    """
    if not 0 <= seed < 2**64:
        msg = f"a seed is a whole number from 0 to 2**64 - 1; got {seed}"
        raise ValueError(msg)
    key = np.array([seed, series], dtype=np.uint64)
    words = np.random.Philox(counter=counter, key=key).random_raw(count)
    return np.asarray(words, dtype=np.uint64)


def uniforms(seed: int, series: int, *, first: date, last: date) -> list[list[float]]:
    """Return eight draws in the open interval (0, 1) per calendar day.

    Returns:
        One list of eight per day from `first` to `last`, both included.
    """
    days = last.toordinal() - first.toordinal() + 1
    words = raw_words(
        days * WORDS_PER_DAY,
        seed=seed,
        series=series,
        counter=first.toordinal() * (WORDS_PER_DAY // _WORDS_PER_BLOCK),
    )
    rows: list[list[float]] = scaled(words).reshape(days, WORDS_PER_DAY).tolist()
    return rows


def scaled(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Return a draw in the open interval (0, 1) for each raw word.

    52 bits and a half: neither 0 nor 1 can come out, so every log is finite.
    """
    return ((words >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52


def stream_of(*names: str) -> int:
    """Return the number of the stream that belongs to these names.

    Streams that are numbered by hand are small; these never are.
    """
    digest = hashlib.sha256("\0".join(names).encode()).digest()
    return int.from_bytes(digest[:8], "little") | 1 << 63


def draws_of(days: Sequence[date], *, seed: int, series: int) -> list[list[float]]:
    """Return the eight draws of each of `days`, which ascend."""
    if not days:
        return []
    draws = uniforms(seed, series, first=days[0], last=days[-1])
    return [draws[day.toordinal() - days[0].toordinal()] for day in days]


def normal(u: float) -> float:
    """Return the standard normal value at probability `u`."""
    return _STANDARD.inv_cdf(u)


def fat_tailed(u: float, v: float, w: float) -> float:
    """Return a draw of Student's t with 4 degrees of freedom, scaled to variance 1.

    A chi-squared with 4 degrees is -2 ln(v w), so three uniforms are all it takes.
    """
    chi_squared = -2.0 * math.log(v * w)
    return normal(u) / math.sqrt(chi_squared / 4.0) / math.sqrt(2.0)
