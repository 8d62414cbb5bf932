"""One session's bar, and the step from one bar to the next.

It never draws: shocks and draws come from outside, so that series can share them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cbi_stream.replay.chance import normal

_LIMIT_MOVE: Final = 0.08  # the exchange stops a day near here
_NULL_CHANCE: Final = 1 / 200  # about one empty row a year, as the source has
_DECIMALS: Final = {10: 1, 100: 2}


@dataclass(frozen=True, slots=True)
class Bar:
    """One session: prices in the symbol's unit on its tick, volume in contracts."""

    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How one price walks.

    Attributes:
        home: The price that the walk starts at and leans to.
        lowest: The price that the walk never goes below.
        highest: The price that the walk never goes above.
        steps: Ticks in one unit of price: 100 for a tick of 0.01, 4 for 0.25.
        volume: The middle of a day's volume, in contracts.
        move: The standard deviation of a daily log return.
        pull: The share of the way home, in logs, taken each day.
    """

    home: float
    lowest: float
    highest: float
    steps: int
    volume: int
    move: float = 0.016
    pull: float = 0.002


def walked(
    draws: Sequence[Sequence[float]], shocks: Sequence[float], *, terms: Terms
) -> list[Bar]:
    """Return one bar per day.

    Args:
        draws: Eight draws in (0, 1) per day; the fourth to seventh shape the bar.
        shocks: One shock of variance 1 per day, behind the close.
        terms: How the price walks.
    """
    bars: list[Bar] = []
    close = terms.home
    for draw, shock in zip(draws, shocks, strict=True):
        bars.append(_next_bar(close, draw, shock=terms.move * shock, terms=terms))
        close = bars[-1].close
    return bars


def with_gaps(
    bars: Sequence[Bar], draws: Sequence[Sequence[float]]
) -> list[Bar | None]:
    """Return the bars as a source shows them: None on about one day a year.

    The market moves on a day that the source forgot: no other bar changes.
    """
    pairs = zip(bars, draws, strict=True)
    return [None if draw[7] < _NULL_CHANCE else bar for bar, draw in pairs]


def on_tick(price: float, *, steps: int) -> float:
    """Return the price rounded to the tick: the double nearest to that decimal."""
    if steps in _DECIMALS:
        return round(price, _DECIMALS[steps])
    return round(price * steps) / steps


def _next_bar(
    before: float, draw: Sequence[float], *, shock: float, terms: Terms
) -> Bar:
    pull = terms.pull * math.log(terms.home / before)
    close = before * math.exp(pull + min(max(shock, -_LIMIT_MOVE), _LIMIT_MOVE))
    start = before * math.exp(0.3 * terms.move * normal(draw[3]))
    top = max(start, close) * math.exp(-0.3 * terms.move * math.log(draw[4]))
    bottom = min(start, close) * math.exp(0.3 * terms.move * math.log(draw[5]))
    volume = math.exp(math.log(terms.volume) + 0.45 * normal(draw[6]))
    # Clipping and rounding keep order, so low <= open, close <= high survives both.
    start, top, bottom, close = (
        on_tick(min(max(price, terms.lowest), terms.highest), steps=terms.steps)
        for price in (start, top, bottom, close)
    )
    return Bar(start, top, bottom, close, int(volume))
