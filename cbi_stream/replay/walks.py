"""The three simulated series, step by step: soybean oil bars, a fear index, a yield.

It never looks at real data and never writes text; `market` lays the values out.

Each walk carries the value as printed (on its tick) from one step to the next, so
a last-bit difference between two machines dies at the tick instead of growing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

from cbi_stream.replay.chance import fat_tailed, normal, uniforms

LOWEST_PRICE: Final = 14.0  # cents per pound
HIGHEST_PRICE: Final = 90.0

_OIL, _FEAR, _YIELD = 1, 2, 3  # stream numbers; changing one changes every file
_HOME_PRICE: Final = 35.0  # cents per pound: where the walk starts and leans to
_DAILY_MOVE: Final = 0.016  # standard deviation of a daily log return
_LIMIT_MOVE: Final = 0.08  # the exchange stops a day near here
_NULL_CHANCE: Final = 1 / 200  # about one empty row a year, as the source has


@dataclass(frozen=True, slots=True)
class Bar:
    """One session: prices in cents per pound on the 0.01 tick, volume in contracts."""

    open: float
    high: float
    low: float
    close: float
    volume: int


def oil_bars(sessions: Sequence[date], *, seed: int) -> list[Bar | None]:
    """Return one bar per session; None where the source shows an empty row.

    A geometric walk with t4 shocks and a slight pull to 35 cents per pound.
    """
    draws = uniforms(seed, _OIL, first=sessions[0], last=sessions[-1])
    bars: list[Bar | None] = []
    close = _HOME_PRICE
    for day in sessions:
        draw = draws[day.toordinal() - sessions[0].toordinal()]
        bar = _next_bar(close, draw)
        # The market moves on a day that the source forgot.
        bars.append(None if draw[7] < _NULL_CHANCE else bar)
        close = bar.close
    return bars


def fear_index(days: Sequence[date], *, seed: int) -> list[float]:
    """Return one value per day in index points, 10 to 80, with rare spikes."""
    values: list[float] = []
    value, home = 18.0, math.log(18.0)
    for draw in _draws_of(days, seed=seed, series=_FEAR):
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
    for draw in _draws_of(days, seed=seed, series=_YIELD):
        value += 0.002 * (3.5 - value) + 0.055 * normal(draw[0])
        value = round(min(max(value, 0.5), 8.0), 2)
        values.append(value)
    return values


def has_order(days: Sequence[date]) -> bool:
    """Whether `days` is not empty and strictly ascending."""
    return bool(days) and all(one < two for one, two in pairwise(days))


def _next_bar(before: float, draw: list[float]) -> Bar:
    shock = _DAILY_MOVE * fat_tailed(*draw[:3])
    pull = 0.002 * math.log(_HOME_PRICE / before)
    close = before * math.exp(pull + min(max(shock, -_LIMIT_MOVE), _LIMIT_MOVE))
    start = before * math.exp(0.3 * _DAILY_MOVE * normal(draw[3]))
    top = max(start, close) * math.exp(-0.3 * _DAILY_MOVE * math.log(draw[4]))
    bottom = min(start, close) * math.exp(0.3 * _DAILY_MOVE * math.log(draw[5]))
    volume = math.exp(math.log(60_000) + 0.45 * normal(draw[6]))
    # Clipping and rounding keep order, so low <= open, close <= high survives both.
    return Bar(
        _on_tick(start), _on_tick(top), _on_tick(bottom), _on_tick(close), int(volume)
    )


def _on_tick(price: float) -> float:
    return round(min(max(price, LOWEST_PRICE), HIGHEST_PRICE), 2)


def _draws_of(days: Sequence[date], *, seed: int, series: int) -> list[list[float]]:
    if not days:
        return []
    draws = uniforms(seed, series, first=days[0], last=days[-1])
    return [draws[day.toordinal() - days[0].toordinal()] for day in days]
