"""Bars of the soybean complex and its neighbours, moved by shocks that they share.

It never touches soybean oil's own walk: the others listen to it, it to none.

The shock of each symbol is a mixture: so much of soybean oil's, so much of a shock
of the fields (weather, harvests) that oil itself does not feel, the rest its own.
Each part has variance 1, and so has the mixture.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from cbi_stream.replay.bars import Bar, Terms, walked, with_gaps
from cbi_stream.replay.chance import draws_of, fat_tailed
from cbi_stream.replay.walks import oil_shocks, oil_walk

_FIELDS: Final = 10  # stream number of the shock that field crops share


@dataclass(frozen=True, slots=True)
class Future:
    """One symbol: its stream of draws, its walk, and what it listens to.

    Attributes:
        stream: Number of its draws; no two series have the same.
        terms: How its price walks, in its own unit.
        oil: Weight of soybean oil's shock, 0 to 1.
        fields: Weight of the shock that field crops share.
    """

    stream: int
    terms: Terms
    oil: float
    fields: float

    @property
    def own(self) -> float:
        """Weight of the shock that is its own: the squares add up to 1."""
        return math.sqrt(1.0 - self.oil**2 - self.fields**2)


FUTURES: Final = {
    # US cents per bushel, tick 0.25
    "ZS": Future(11, Terms(1150.0, 800.0, 1600.0, 4, 85_000, 0.012, 0.006), 0.6, 0.6),
    # US dollars per short ton, tick 0.1
    "ZM": Future(12, Terms(340.0, 250.0, 450.0, 10, 30_000, 0.013, 0.012), 0.15, 0.75),
    # US cents per bushel, tick 0.25
    "ZC": Future(13, Terms(450.0, 300.0, 800.0, 4, 130_000, 0.014, 0.004), 0.3, 0.55),
    # US dollars per barrel, tick 0.01
    "CL": Future(14, Terms(68.0, 20.0, 140.0, 100, 380_000, 0.020, 0.004), 0.45, 0.0),
    # US dollars per troy ounce, tick 0.1
    "GC": Future(15, Terms(1500.0, 900.0, 2600.0, 10, 150, 0.009, 0.002), 0.1, 0.0),
}
_SCRIPT: Final = {"ZL": 21, "CL": 22}  # streams of what the other pull forgot


def complex_bars(sessions: Sequence[date], *, seed: int) -> dict[str, list[Bar]]:
    """Return each symbol's bars, soybean oil's first, one per session."""
    oil = oil_shocks(sessions, seed=seed)
    fields = _shocks(draws_of(sessions, seed=seed, series=_FIELDS))
    bars = {"ZL": oil_walk(sessions, seed=seed)}
    for symbol, future in FUTURES.items():
        draws = draws_of(sessions, seed=seed, series=future.stream)
        mixed = [
            future.oil * a + future.fields * b + future.own * c
            for a, b, c in zip(oil, fields, _shocks(draws), strict=True)
        ]
        bars[symbol] = walked(draws, mixed, terms=future.terms)
    return bars


def as_downloaded(
    bars: Sequence[Bar], sessions: Sequence[date], *, symbol: str, seed: int
) -> list[Bar | None]:
    """Return the bars of a symbol of `FUTURES`, None where the download forgot one."""
    stream = FUTURES[symbol].stream
    return with_gaps(bars, draws_of(sessions, seed=seed, series=stream))


def as_saved(
    bars: Sequence[Bar], sessions: Sequence[date], *, symbol: str, seed: int
) -> list[Bar | None]:
    """Return the bars of ZL or CL as a script saved them: it forgot other days."""
    return with_gaps(bars, draws_of(sessions, seed=seed, series=_SCRIPT[symbol]))


def _shocks(draws: Sequence[Sequence[float]]) -> list[float]:
    return [fat_tailed(*draw[:3]) for draw in draws]
