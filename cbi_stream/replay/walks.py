"""The three simulated series, step by step: soybean oil bars, a fear index, a yield.

It never looks at real data and never writes text; `market` lays the values out.

Each walk carries the value as printed (on its tick) from one step to the next, so
a last-bit difference between two machines dies at the tick instead of growing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

from cbi_stream.replay.bars import Bar, Terms, walked, with_gaps
from cbi_stream.replay.chance import draws_of, fat_tailed, normal

LOWEST_PRICE: Final = 14.0  # cents per pound
HIGHEST_PRICE: Final = 90.0

_OIL, _FEAR, _YIELD = 1, 2, 3  # stream numbers; changing one changes every file
_OIL_TERMS: Final = Terms(35.0, LOWEST_PRICE, HIGHEST_PRICE, steps=100, volume=60_000)


def oil_shocks(sessions: Sequence[date], *, seed: int) -> list[float]:
    """Return the shock behind each session's close of soybean oil, variance 1."""
    draws = draws_of(sessions, seed=seed, series=_OIL)
    return [fat_tailed(*draw[:3]) for draw in draws]


def oil_walk(sessions: Sequence[date], *, seed: int) -> list[Bar]:
    """Return one bar per session, none forgotten.

    A geometric walk with t4 shocks and a slight pull to 35 cents per pound.
    """
    draws = draws_of(sessions, seed=seed, series=_OIL)
    return walked(draws, oil_shocks(sessions, seed=seed), terms=_OIL_TERMS)


def oil_bars(sessions: Sequence[date], *, seed: int) -> list[Bar | None]:
    """Return the bars of `oil_walk`; None where the source shows an empty row."""
    draws = draws_of(sessions, seed=seed, series=_OIL)
    return with_gaps(oil_walk(sessions, seed=seed), draws)


def fear_index(days: Sequence[date], *, seed: int) -> list[float]:
    """Return one value per day in index points, 10 to 80, with rare spikes."""
    values: list[float] = []
    value, home = 18.0, math.log(18.0)
    for draw in draws_of(days, seed=seed, series=_FEAR):
        shock = min(max(0.055 * fat_tailed(*draw[:3]), -0.25), 0.25)
        spike = 0.7 * draw[4] if draw[3] < 1 / 500 else 0.0
        level = math.log(value)
        value = math.exp(level + 0.03 * (home - level) + shock + spike)
        value = round(min(max(value, 10.0), 80.0), 2)
        values.append(value)
    return values


def ten_year_yield(days: Sequence[date], *, seed: int) -> list[float]:
    """Return one value per day in percent per year, 0.5 to 8."""
    values: list[float] = []
    value = 3.5
    for draw in draws_of(days, seed=seed, series=_YIELD):
        value += 0.002 * (3.5 - value) + 0.055 * normal(draw[0])
        value = round(min(max(value, 0.5), 8.0), 2)
        values.append(value)
    return values


def has_order(days: Sequence[date]) -> bool:
    """Whether `days` is not empty and strictly ascending."""
    return bool(days) and all(one < two for one, two in pairwise(days))
