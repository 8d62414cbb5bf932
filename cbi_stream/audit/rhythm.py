"""How often a series speaks: daily, weekly, monthly. It never fills what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

# Saturdays and Sundays are two days of seven: a series that has a fifth of its rows
# there speaks on every day of the week.
_EVERY_DAY = 0.2
_FEWEST = 10
# Five rows in seven days make gaps of one day and of three: the usual one is a day.
_DAILY = 1.5
# Neighbours of a gap that say what is usual around it: a series may change its rhythm.
_AROUND = 10


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The dates of one series and the days between them."""

    days: tuple[date, ...]
    gaps: tuple[int, ...]
    usual: tuple[float, ...]
    """By gap: the median of the gaps around it."""

    step: float
    """The usual number of days from one row to the next; 0 for too few rows."""
    weekend: tuple[date, ...]
    """Its Saturdays and Sundays."""
    is_daily: bool
    """Whether it speaks on most working days."""
    has_weekends: bool
    """Whether it speaks on Saturdays and Sundays as on other days."""

    @property
    def is_regular(self) -> bool:
        """Whether it is a series at all, and not events as they came."""
        if not self.step:
            return False
        near = sum(
            0.5 * usual <= gap <= 1.6 * usual
            for gap, usual in zip(self.gaps, self.usual, strict=True)
        )
        return self.is_daily or near >= 0.8 * len(self.gaps)

    @property
    def name(self) -> str:
        """What its rhythm is called."""
        if not self.is_regular:
            return "irregular"
        if self.is_daily:
            return "each day of the week" if self.has_weekends else "daily"
        names = (
            (7, "weekly"),
            (15, "twice a month"),
            (31, "monthly"),
            (92, "quarterly"),
        )
        near = [said for days, said in names if abs(self.step - days) <= 0.15 * days]
        yearly = "yearly" if 350 <= self.step <= 380 else f"every {self.step:g} days"
        return near[0] if near else yearly


def rhythm(days: list[date]) -> Rhythm:
    """Return the rhythm of sorted days of which each stands once."""
    gaps = [(b - a).days for a, b in pairwise(days)]
    if gaps and median(gaps) <= _DAILY:
        usual = [1.0] * len(gaps)  # weekends make no gap unusual
    else:
        usual = [
            median(gaps[max(0, i - _AROUND) : i + _AROUND + 1])
            for i in range(len(gaps))
        ]
    step = median(gaps) if len(days) >= _FEWEST else 0
    weekend = tuple(day for day in days if day.isoweekday() > 5)
    within = sum(gap <= 4 for gap in gaps)
    return Rhythm(
        days=tuple(days),
        gaps=tuple(gaps),
        usual=tuple(usual),
        step=step,
        weekend=weekend,
        is_daily=0 < step <= _DAILY and within >= 0.9 * len(gaps),
        has_weekends=len(weekend) >= _EVERY_DAY * len(days),
    )


def working_days(first: date, last: date) -> int:
    """Return how many weekdays lie strictly between two days."""
    between = (last - first).days - 1
    whole, rest = divmod(max(between, 0), 7)
    extra = (first + timedelta(days=1 + i) for i in range(rest))
    return whole * 5 + sum(day.isoweekday() < 6 for day in extra)
