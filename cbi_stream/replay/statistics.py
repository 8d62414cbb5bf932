"""What a simulated source observes: values by date, and when each was published.

It never lets a value depend on the window asked for or on what day it is: the day only
says which values and restatements are out yet. A series of the simulated market (FRED's
VIXCLS, DGS10, NFCI and their like) has the market's own values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from cbi_stream.replay import releases, series, walks
from cbi_stream.replay.chance import draws_of, stream_of
from cbi_stream.replay.fred import FILES
from cbi_stream.replay.hills import heights
from cbi_stream.replay.prices import walk_of
from cbi_stream.replay.releases import Release

Dates = Callable[[date, date], list[date]]
Vintage = tuple[date, date, float]
"""The date that is observed, the date on which the value was published, the value."""

_STAMPED_IN: Final = ZoneInfo("America/Chicago")
_RESTATED_BY: Final = 0.01  # the largest restatement, as a share of half the range
_QUARTER, _YEAR = 3, 12


def quarters(first: date, last: date) -> list[date]:
    """Return the first day of each quarter, from that of `first` to that of `last`."""
    return _periods(first, last, months=_QUARTER)


def years(first: date, last: date) -> list[date]:
    """Return the first day of each year, from that of `first` to that of `last`."""
    return _periods(first, last, months=_YEAR)


CADENCES: Final[dict[str, Dates]] = {
    "daily": releases.every_day,
    "business": releases.weekdays,
    "weekly": releases.fridays,
    "monthly": releases.months,
    "quarterly": quarters,
    "yearly": years,
}


@dataclass(frozen=True, slots=True)
class Statistic:
    """One series of a source: which dates it has, how high it is, when it is out.

    Attributes:
        source: The source's name; with the series' it says which draws are its own.
        series: The series' name.
        low: What it never goes below.
        high: What it never goes above.
        decimals: Decimals that are printed.
        cadence: A name of `CADENCES`, or which dates there are between two.
        lag: How long after its date a value is out, or the rule that says when.
        restated: How long after its first release it is restated, each time.
        begins: The first date that it may have.
    """

    source: str
    series: str
    low: float = 0.0
    high: float = 100.0
    decimals: int = 2
    cadence: str | Dates = "daily"
    lag: timedelta | Release = timedelta(days=1)
    restated: tuple[timedelta, ...] = ()
    begins: date = date(1990, 1, 1)

    @property
    def names(self) -> tuple[str, str]:
        """What its draws belong to."""
        return self.source, self.series

    def dates(self, first: date, last: date) -> list[date]:
        """Return its dates between two, both included."""
        between = self.cadence
        if isinstance(between, str):
            if between not in CADENCES:
                msg = f"expected a cadence among {', '.join(CADENCES)}; got {between!r}"
                raise ValueError(msg)
            between = CADENCES[between]
        first = max(first, self.begins)
        return [day for day in between(first, last) if first <= day <= last]

    def out_at(self, day: date) -> datetime:
        """Return the instant at which the value of `day` is first out."""
        if isinstance(self.lag, timedelta):
            return datetime.combine(day + self.lag, time(), UTC)
        return self.lag(day, ())

    def stamps(self, day: date) -> list[date]:
        """Return the dates on which the value of `day` is published, and restated."""
        out = self.out_at(day)
        zone = UTC if isinstance(self.lag, timedelta) else _STAMPED_IN
        first = out.astimezone(zone).date()
        return [first, *(first + after for after in self.restated)]


def values_of(
    statistic: Statistic, days: Sequence[date], *, seed: int
) -> list[list[float]]:
    """Return, for each of `days`, the value first published and each restated one."""
    middle = (statistic.low + statistic.high) / 2.0
    half = (statistic.high - statistic.low) / 2.0
    drawn = draws_of(days, seed=seed, series=stream_of(*statistic.names, "restated"))
    found = []
    for height, draw in zip(
        heights(days, seed=seed, names=statistic.names), drawn, strict=True
    ):
        moves = [0.0, *(_RESTATED_BY * (2.0 * u - 1.0) for u in draw)]
        told = [
            middle + half * min(max(height + move, -1.0), 1.0)
            for move in moves[: 1 + len(statistic.restated)]
        ]
        found.append([round(value, statistic.decimals) + 0.0 for value in told])
    return found


def of_the_market(
    statistic: Statistic, sessions: tuple[date, ...], *, seed: int
) -> dict[date, float] | None:
    """Return all values of a series of the simulated market; None where it is none."""
    name = statistic.series
    if statistic.source != "fred" or name not in MARKET:
        return None
    return _market(name, sessions, seed)


MARKET: Final = ("VIXCLS", "DGS10", "DCOILWTICO", *FILES)
"""The series of FRED that the simulated market has."""


@lru_cache(maxsize=64)
def _market(name: str, sessions: tuple[date, ...], seed: int) -> dict[date, float]:
    days = releases.weekdays(sessions[0], sessions[-1])
    traded = set(sessions)
    if name == "DCOILWTICO":
        closes = [bar.close for bar in walk_of("CL", sessions, seed=seed)]
        spot = series.spot_oil(closes, sessions, seed=seed)
        return dict(zip(sessions, spot, strict=True))
    if name in FILES:
        days = FILES[name].dates(sessions[0], sessions[-1])
        values, rests = FILES[name].values(days, seed), FILES[name].rests
    else:
        walk = walks.fear_index if name == "VIXCLS" else walks.ten_year_yield
        values, rests = walk(days, seed=seed), True
    pairs = zip(days, values, strict=True)
    return {day: value for day, value in pairs if day in traded or not rests}


def _periods(first: date, last: date, *, months: int) -> list[date]:
    return [
        day for day in releases.months(first, last) if (day.month - 1) % months == 0
    ]
