"""Weekly positions of traders in six contracts, whose sums agree as the CFTC's do.

It never writes text, and never lets a side differ from the open interest.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from cbi_stream.replay.chance import draws_of, normal

_LARGEST_SHARES: Final = (0.36, 0.36, 0.26, 0.1, 0.1)
_HOME_SHARES: Final = (0.22, 0.18, 0.18, 0.06, 0.05)
Shares = tuple[float, ...]
"""Shares of the open interest: long, short, spreading, small long, small short."""


class Positions(NamedTuple):
    """Contracts held by each group, in the order of the report's columns."""

    open_interest: int
    noncommercial_long: int
    noncommercial_short: int
    spreading: int
    commercial_long: int
    commercial_short: int
    reportable_long: int
    reportable_short: int
    nonreportable_long: int
    nonreportable_short: int

    def less(self, other: Positions) -> Positions:
        """Return the difference, count by count."""
        return Positions(*(a - b for a, b in zip(self, other, strict=True)))


NONE_HELD: Final = Positions(*[0] * 10)


@dataclass(frozen=True, slots=True)
class Contract:
    """One market of the report.

    Attributes:
        code: The contract's code, six letters.
        name: Market and exchange, as the report writes them.
        units: What one contract is.
        stream: Number of its draws; no two series have the same.
        home: Open interest that the walk starts at and leans to.
        exchange: Initials of the exchange, padded to four.
        region: The exchange's region code.
        has_crops: Whether positions are split into the crop years Old and Other.
    """

    code: str
    name: str
    units: str
    stream: int
    home: int
    exchange: str = "CBT "
    region: str = "00"
    has_crops: bool = True


_CHICAGO: Final = "CHICAGO BOARD OF TRADE"
_BUSHELS: Final = "(CONTRACTS OF 5,000 BUSHELS)"
CONTRACTS: Final = (
    Contract("001602", f"WHEAT-SRW - {_CHICAGO}", _BUSHELS, 51, 430_000),
    Contract("002602", f"CORN - {_CHICAGO}", _BUSHELS, 52, 1_600_000),
    Contract("005602", f"SOYBEANS - {_CHICAGO}", _BUSHELS, 53, 800_000),
    Contract(
        "026603", f"SOYBEAN MEAL - {_CHICAGO}", "(CONTRACTS OF 100 TONS)", 54, 450_000
    ),
    Contract(
        "007601",
        f"SOYBEAN OIL - {_CHICAGO}",
        "(CONTRACTS OF 60,000 POUNDS)",
        55,
        480_000,
    ),
    Contract(
        "067651",
        "WTI-PHYSICAL - NEW YORK MERCANTILE EXCHANGE",
        "(CONTRACTS OF 1,000 BARRELS)",
        stream=56,
        home=1_800_000,
        exchange="NYME",
        region="01",
        has_crops=False,
    ),
)


def weekly(
    contract: Contract, days: Sequence[date], *, seed: int
) -> list[tuple[Positions, Positions]]:
    """Return all positions, and those of the Other crop year, of each Tuesday."""
    weeks: list[tuple[Positions, Positions]] = []
    held = contract.home
    shares: Shares = _HOME_SHARES
    for day, draw in zip(
        days, draws_of(days, seed=seed, series=contract.stream), strict=True
    ):
        held = _next_interest(held, normal(draw[0]), home=contract.home)
        shares = _next_shares(shares, draw[1:6])
        every = _split(held, shares)
        weeks.append((every, _of_other_crop(every, day, contract=contract)))
    return weeks


def _next_interest(before: int, shock: float, *, home: int) -> int:
    level = math.log(before)
    level += 0.03 * (math.log(home) - level) + 0.025 * shock
    return round(min(max(math.exp(level), home / 2), home * 2))


def _next_shares(before: Shares, draws: Sequence[float]) -> Shares:
    terms = zip(before, draws, _HOME_SHARES, _LARGEST_SHARES, strict=True)
    # A twelfth of the home share a week; rounding, so that no last bit lives on.
    moved = (
        (share + 0.05 * (home - share) + home / 12 * normal(u), home, largest)
        for share, u, home, largest in terms
    )
    return tuple(round(min(max(s, home / 3), most), 4) for s, home, most in moved)


def _split(held: int, shares: Shares) -> Positions:
    long, short, both, small_long, small_short = (int(held * s) for s in shares)
    return _balanced(held, (long, short, both), (small_long, small_short))


def _of_other_crop(every: Positions, day: date, *, contract: Contract) -> Positions:
    if not contract.has_crops:
        return NONE_HELD
    season = math.sin(2 * math.pi * day.timetuple().tm_yday / 365)
    share = round(0.2 + 0.1 * season, 4)
    part = [int(count * share) for count in every]
    held = part[1] + part[3] + part[4] + part[8]
    return _balanced(held, (part[1], part[2], part[3]), (part[8], part[9]))


def _balanced(
    held: int, large: tuple[int, int, int], small: tuple[int, int]
) -> Positions:
    """Return positions whose longs and shorts both add up to `held`.

    Commercials hold what the others do not; the largest shares leave them a fifth.
    """
    (long, short, both), (small_long, small_short) = large, small
    return Positions(
        held,
        long,
        short,
        both,
        held - long - both - small_long,
        held - short - both - small_short,
        held - small_long,
        held - small_short,
        small_long,
        small_short,
    )
