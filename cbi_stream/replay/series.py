"""The simulated observations of FRED: rates, an index of conditions, prices, jobs.

It never decides which of them are out, and never writes text: `fred` does both.

As in `walks`, each walk carries the value as printed from one step to the next.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from cbi_stream.replay.chance import draws_of, normal
from cbi_stream.replay.walks import ten_year_yield


@dataclass(frozen=True, slots=True)
class Level:
    """A walk that leans to its home.

    Attributes:
        stream: Number of its draws; no two series have the same.
        home: Where it starts and leans to, in the series' unit.
        lowest: What it never goes below.
        highest: What it never goes above.
        move: Standard deviation of a step.
        pull: Share of the way home taken at each step.
        decimals: Decimals that are printed.
    """

    stream: int
    home: float
    lowest: float
    highest: float
    move: float
    pull: float = 0.004
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class Growth:
    """A walk that grows by a share a month, with some noise, in the same terms."""

    stream: int
    start: float
    share: float
    move: float
    decimals: int


FED_FUNDS: Final = Level(31, 2.5, 0.05, 7.0, 0.03)  # percent a year
_SLOPE: Final = Level(32, 0.9, -1.0, 2.8, 0.03)  # percentage points
_THIRTY: Final = Level(33, 0.6, -0.3, 1.4, 0.02)  # percentage points over ten years
INFLATION: Final = Level(34, 2.1, 0.2, 3.6, 0.03)  # percent a year
DOLLAR: Final = Level(35, 115.0, 85.0, 150.0, 0.35, decimals=4)  # index
_BASIS: Final = Level(36, -0.4, -3.0, 2.0, 0.15, pull=0.05)  # US dollars per barrel
CONDITIONS: Final = Level(41, -0.4, -1.0, 2.5, 0.05, pull=0.03, decimals=3)  # index
UNEMPLOYED: Final = Level(44, 5.0, 3.0, 10.0, 0.15, pull=0.01, decimals=1)  # percent
PRICES: Final = Growth(42, 185.0, 0.0021, 0.0018, 3)  # index
PAYROLLS: Final = Growth(43, 130_000.0, 0.0010, 0.0010, 0)  # thousand persons


def leaning(days: Sequence[date], *, seed: int, level: Level) -> list[float]:
    """Return one value per day, within the bounds, on the printed decimals."""
    values: list[float] = []
    value = level.home
    for draw in draws_of(days, seed=seed, series=level.stream):
        value += level.pull * (level.home - value) + level.move * normal(draw[0])
        value = round(min(max(value, level.lowest), level.highest), level.decimals)
        values.append(value)
    return values


def growing(days: Sequence[date], *, seed: int, growth: Growth) -> list[float]:
    """Return one value per day (the firsts of months), on the printed decimals."""
    values: list[float] = []
    value = growth.start
    for draw in draws_of(days, seed=seed, series=growth.stream):
        value *= math.exp(growth.share + growth.move * normal(draw[0]))
        value = round(value, growth.decimals)
        values.append(value)
    return values


def slope(days: Sequence[date], *, seed: int) -> list[float]:
    """Return ten-year less two-year yield; it leaves the two-year one at least 0.05."""
    tens = ten_year_yield(days, seed=seed)
    spreads = leaning(days, seed=seed, level=_SLOPE)
    pairs = zip(tens, spreads, strict=True)
    return [round(min(spread, ten - 0.05), 2) for ten, spread in pairs]


def two_year_yield(days: Sequence[date], *, seed: int) -> list[float]:
    """Return the two-year yield: ten-year less `slope`, to the last digit."""
    tens, spreads = ten_year_yield(days, seed=seed), slope(days, seed=seed)
    pairs = zip(tens, spreads, strict=True)
    return [round(ten - spread, 2) for ten, spread in pairs]


def thirty_year_yield(days: Sequence[date], *, seed: int) -> list[float]:
    """Return the thirty-year yield: the ten-year one and a premium that walks."""
    premiums = leaning(days, seed=seed, level=_THIRTY)
    tens = ten_year_yield(days, seed=seed)
    return [round(a + b, 2) for a, b in zip(tens, premiums, strict=True)]


def spot_oil(
    closes: Sequence[float], days: Sequence[date], *, seed: int
) -> list[float]:
    """Return the spot price of crude oil: the future's close and a basis that walks."""
    bases = leaning(days, seed=seed, level=_BASIS)
    return [round(a + b, 2) for a, b in zip(closes, bases, strict=True)]
