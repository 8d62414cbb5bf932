"""When each simulated observation is out, and which weekdays count on the way there.

It never says what a value is: it only knows dates, clocks and closed days.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Final
from zoneinfo import ZoneInfo

_NEW_YORK: Final = ZoneInfo("America/New_York")
_CHICAGO: Final = ZoneInfo("America/Chicago")
_MONDAY, _TUESDAY, _WEDNESDAY, _FRIDAY, _SATURDAY = 0, 1, 2, 4, 5

Release = Callable[[date, Collection[date]], datetime]
"""The instant at which the observation of a day is out, given the closed weekdays."""


def weekdays(first: date, last: date) -> list[date]:
    """Return Monday to Friday from `first` to `last`, both included."""
    return [day for day in every_day(first, last) if day.weekday() < _SATURDAY]


def every_day(first: date, last: date) -> list[date]:
    """Return the days from `first` to `last`, both included."""
    count = last.toordinal() - first.toordinal() + 1
    return [first + timedelta(days=i) for i in range(count)]


def fridays(first: date, last: date) -> list[date]:
    """Return the Fridays from `first` to `last`, both included."""
    return [day for day in every_day(first, last) if day.weekday() == _FRIDAY]


def tuesdays(first: date, last: date) -> list[date]:
    """Return the Tuesdays from `first` to `last`, both included."""
    return [day for day in every_day(first, last) if day.weekday() == _TUESDAY]


def months(first: date, last: date) -> list[date]:
    """Return the first of each month, from that of `first` to that of `last`."""
    numbers = range(12 * first.year + first.month - 1, 12 * last.year + last.month)
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]


def month_after(day: date) -> date:
    """Return the first of the month after that of `day`."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def closed_days(sessions: Sequence[date], holidays: Collection[date]) -> set[date]:
    """Return the holidays, and the weekdays among the sessions that are none."""
    return set(holidays) | (set(weekdays(sessions[0], sessions[-1])) - set(sessions))


def next_business_day(day: date, closed: Collection[date]) -> date:
    """Return the first open weekday after `day`."""
    return _open_from(day + timedelta(days=1), closed)


def released(
    days: Sequence[date], release: Release, *, closed: Collection[date], by: datetime
) -> list[date]:
    """Return the days whose observation is out at the instant `by`; `days` ascend."""
    end = len(days)
    # What comes later is out later, so only the end needs a look.
    while end and release(days[end - 1], closed) > by:
        end -= 1
    return list(days[:end])


def _open_from(day: date, closed: Collection[date]) -> date:
    while day.weekday() >= _SATURDAY or day in closed:
        day += timedelta(days=1)
    return day


def _on_weekday(day: date, weekday: int) -> date:
    return day + timedelta(days=(weekday - day.weekday()) % 7)


def _at(
    day: date, clock: time, *, zone: ZoneInfo, closed: Collection[date]
) -> datetime:
    opened = _open_from(day, closed)
    return datetime.combine(opened, clock, zone).astimezone(UTC)


def _after(day: date, closed: Collection[date], *, days: int, clock: time) -> datetime:
    moved = day + timedelta(days=days)
    return _at(moved, clock, zone=_NEW_YORK, closed=closed)


def treasury(day: date, closed: Collection[date]) -> datetime:
    """Return when a yield is out: the next business day, 16:30 Chicago."""
    moved = day + timedelta(days=1)
    return _at(moved, time(16, 30), zone=_CHICAGO, closed=closed)


fed_funds: Final = partial(_after, days=1, clock=time(9, 0))
"""The rate of Friday to Sunday is out on Monday at 9:00 New York."""
conditions: Final = partial(_after, days=5, clock=time(8, 30))
"""The index of a Friday is out on the Wednesday after, 8:30 New York."""
positions: Final = partial(_after, days=3, clock=time(15, 30))
"""Positions of a Tuesday are out on Friday, 15:30 New York."""


def spot_oil(day: date, closed: Collection[date]) -> datetime:
    """Return when a spot price is out: a Wednesday, two to eight days later."""
    wednesday = _on_weekday(day + timedelta(days=2), _WEDNESDAY)
    return _at(wednesday, time(13, 0), zone=_NEW_YORK, closed=closed)


def dollar(day: date, closed: Collection[date]) -> datetime:
    """Return when the dollar's index is out: the Monday after its week, 16:15."""
    monday = _on_weekday(day + timedelta(days=1), _MONDAY)
    return _at(monday, time(16, 15), zone=_NEW_YORK, closed=closed)


def prices(day: date, closed: Collection[date]) -> datetime:
    """Return when a month's consumer prices are out: the 12th of the next, 8:30."""
    twelfth = month_after(day).replace(day=12)
    return _at(twelfth, time(8, 30), zone=_NEW_YORK, closed=closed)


def jobs(day: date, closed: Collection[date]) -> datetime:
    """Return when a month's payrolls are out: first Friday of the next, 8:30."""
    friday = _on_weekday(month_after(day), _FRIDAY)
    return _at(friday, time(8, 30), zone=_NEW_YORK, closed=closed)
