"""Bars of any symbol: those of the simulated market as they are, others by their name.

It never moves a symbol of the market, and never lets one symbol's name shift another.
A walk begins on the first of the days that it is given and repeats a shorter one's bars.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Final

from cbi_stream.replay.bars import Bar, Terms, walked, with_gaps
from cbi_stream.replay.chance import draws_of, fat_tailed, stream_of
from cbi_stream.replay.futures import FUTURES, as_downloaded, complex_bars
from cbi_stream.replay.releases import weekdays
from cbi_stream.replay.walks import fear_index, oil_bars, ten_year_yield

# Middle price, ticks in one unit of price, middle volume of a day (0: has none), and the
# standard deviation of a day's return. Units are those in which the symbol is quoted.
_LEVELS: Final = {
    "ZW": (600.0, 4, 90_000, 0.018),
    "BZ": (75.0, 100, 250_000, 0.019),
    "HO": (2.3, 10_000, 60_000, 0.019),
    "RB": (2.2, 10_000, 55_000, 0.021),
    "NG": (3.2, 1_000, 150_000, 0.030),
    "CC": (3_000.0, 1, 20_000, 0.017),
    "CT": (80.0, 100, 15_000, 0.016),
    "KC": (180.0, 20, 18_000, 0.020),
    "SB": (18.0, 100, 70_000, 0.018),
    "SI": (22.0, 200, 60_000, 0.017),
    "HG": (3.8, 2_000, 50_000, 0.014),
    "PL": (950.0, 10, 15_000, 0.014),
    "GSPC": (3_600.0, 100, 3_500_000_000, 0.011),
    "DJI": (30_000.0, 100, 330_000_000, 0.010),
    "IXIC": (11_000.0, 100, 4_200_000_000, 0.013),
    "VIX": (18.0, 100, 0, 0.050),
    "TNX": (3.5, 1_000, 0, 0.018),
    "TYX": (4.0, 1_000, 0, 0.015),
    "FVX": (3.2, 1_000, 0, 0.021),
    "IRX": (2.8, 1_000, 0, 0.020),
    "DXY": (98.0, 1_000, 0, 0.004),
    "EURUSD": (1.12, 1_000_000, 0, 0.005),
    "GBPUSD": (1.32, 1_000_000, 0, 0.005),
    "JPYUSD": (0.0085, 1_000_000, 0, 0.005),
    "AUDUSD": (0.72, 1_000_000, 0, 0.006),
    "CADUSD": (0.77, 1_000_000, 0, 0.005),
    "CNYUSD": (0.146, 1_000_000, 0, 0.002),
    "BRLUSD": (0.21, 1_000_000, 0, 0.009),
    "MXNUSD": (0.053, 1_000_000, 0, 0.008),
    "ADM": (55.0, 100, 3_400_000, 0.015),
    "BG": (78.0, 100, 1_500_000, 0.017),
    "CF": (68.0, 100, 2_600_000, 0.022),
    "DE": (300.0, 100, 1_600_000, 0.017),
    "AGCO": (95.0, 100, 700_000, 0.020),
    "MOS": (36.0, 100, 5_000_000, 0.024),
    "NTR": (62.0, 100, 2_400_000, 0.019),
    "DAR": (48.0, 100, 2_000_000, 0.021),
    "TSN": (64.0, 100, 2_500_000, 0.015),
    "GPRE": (22.0, 100, 900_000, 0.030),
    "REX": (40.0, 100, 120_000, 0.025),
    "CORN": (21.0, 100, 200_000, 0.013),
    "SOYB": (23.0, 100, 80_000, 0.011),
    "WEAT": (7.0, 100, 900_000, 0.016),
    "VEGI": (38.0, 100, 25_000, 0.011),
    "ICLN": (17.0, 100, 3_500_000, 0.016),
    "TAN": (55.0, 100, 1_300_000, 0.022),
    "TLT": (115.0, 100, 15_000_000, 0.009),
    "HYG": (80.0, 100, 25_000_000, 0.005),
    "LQD": (115.0, 100, 15_000_000, 0.005),
}
# These closes are a statistic of the market, to the last digit.
_STATED: Final = {"VIX": fear_index, "TNX": ten_year_yield}
_OIL_STEPS: Final = 100
_DEAREST: Final = 100.0  # a name without a level of its own costs 1 to 100 times ten


def steps_of(symbol: str, level: float | None = None) -> int:
    """Return the ticks in one unit of the symbol's price."""
    if symbol == "ZL":
        return _OIL_STEPS
    if symbol in FUTURES:
        return FUTURES[symbol].terms.steps
    return _terms(symbol, level, seed=0).steps


@lru_cache(maxsize=128)
def walk_of(
    symbol: str, days: tuple[date, ...], *, seed: int, level: float | None = None
) -> list[Bar]:
    """Return one bar per day, none forgotten; the caller does not change the list.

    Args:
        symbol: as this project names it: ZL, GSPC, EURUSD, or any other name.
        days: the days with a bar, ascending. The walk begins at the first of them.
        seed: the same seed gives the same bars.
        level: the price that it leans to, where the symbol is none of the market;
            without it that of the table above, else one that comes from the name.
    """
    if symbol == "ZL" or symbol in FUTURES:
        return _market(days, seed)[symbol]
    draws = draws_of(days, seed=seed, series=stream_of("bars", symbol))
    if symbol in _STATED:
        return _around(symbol, days, draws, seed=seed)
    shocks = [fat_tailed(*draw[:3]) for draw in draws]
    bars = walked(draws, shocks, terms=_terms(symbol, level, seed=seed))
    if symbol in _LEVELS and not _LEVELS[symbol][2]:
        return [replace(bar, volume=0) for bar in bars]
    return bars


@lru_cache(maxsize=128)
def shown_of(
    symbol: str, days: tuple[date, ...], *, seed: int, level: float | None = None
) -> list[Bar | None]:
    """Return the bars as a download shows them: None on about one day a year."""
    if symbol == "ZL":
        return oil_bars(days, seed=seed)
    bars = walk_of(symbol, days, seed=seed, level=level)
    if symbol in FUTURES:
        return as_downloaded(bars, days, symbol=symbol, seed=seed)
    draws = draws_of(days, seed=seed, series=stream_of("bars", symbol))
    return with_gaps(bars, draws)


def _around(
    symbol: str, days: Sequence[date], draws: Sequence[Sequence[float]], *, seed: int
) -> list[Bar]:
    """Return bars that close at the values of a statistic, each open at the last."""
    every = weekdays(days[0], days[-1])
    values = dict(zip(every, _STATED[symbol](every, seed=seed), strict=True))
    closes = [values[day] for day in days]
    bars = []
    for start, close, draw in zip([closes[0], *closes], closes, draws, strict=False):
        top = round(max(start, close) * (1.0 + 0.02 * draw[4]), 2)
        bottom = round(min(start, close) * (1.0 - 0.02 * draw[5]), 2)
        bars.append(Bar(start, top, bottom, close, 0))
    return bars


@lru_cache(maxsize=8)
def _market(days: tuple[date, ...], seed: int) -> dict[str, list[Bar]]:
    return complex_bars(days, seed=seed)


def _terms(symbol: str, level: float | None, *, seed: int) -> Terms:
    home, steps, volume, move = _LEVELS.get(symbol, (0.0, 0, 100_000, 0.016))
    if level is not None:
        home, steps = level, 0
    if not home:
        first = date(1, 1, 1)
        (draw,) = draws_of([first], seed=seed, series=stream_of("level", symbol))
        home = round(10.0 * _DEAREST ** draw[0], 2)
    steps = steps or (100 if home >= 5.0 else 10_000)
    return Terms(home, 0.4 * home, 2.5 * home, steps, max(volume, 1), move)
