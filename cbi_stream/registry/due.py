"""When a source is to be asked: the due times of a schedule, as instants.

Pure: it never asks what time it is. A due time is a day of the publisher and an hour of
its zone. Days are counted first, in its calendar; only then does a day become an instant,
so that summer time moves no day.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import get_args
from zoneinfo import ZoneInfo

from cbi_stream.registry.fetching import Schedule, Weekday
from cbi_stream.registry.releases import Closures
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.span import plus_days

_SATURDAY = 5
_WINDOWS = (9, 60, 400, 1900)
"""How many days are looked at for a due time: first a few, at last five years."""
_Due = tuple[date, bool]
"""A day on which it is due, and whether a closed day moved it there."""


def due_after(schedule: Schedule, closures: Closures, instant: datetime) -> datetime:
    """Return the next due time strictly after an instant, in UTC.

    Raises:
        BadRegistry: it is never due, since the publisher is always closed.
    """
    day = _day_of(schedule, instant)
    for days in _WINDOWS:
        found = _times(schedule, closures, first=day, last=plus_days(day, days))
        if after := next((time for time in found if time > instant), None):
            return after
    msg = (
        f"expected a due time in the five years after {instant:%Y-%m-%d}; found none for "
        f"{schedule.cadence} with the closures {schedule.closed}: see data_sources.yaml"
    )
    raise BadRegistry(msg)


def due_before(
    schedule: Schedule, closures: Closures, instant: datetime
) -> datetime | None:
    """Return the newest due time not after an instant, in UTC; None where none is known."""
    day = _day_of(schedule, instant)
    for days in _WINDOWS:
        found = _times(schedule, closures, first=plus_days(day, -days), last=day)
        if before := [time for time in found if time <= instant]:
            return before[-1]
    return None


def missed(
    schedule: Schedule,
    closures: Closures,
    now: datetime,
    *,
    answered_at: datetime | None,
) -> datetime | None:
    """Return the newest due time that no answer came after; None where there is none.

    Args:
        schedule: when the source is asked.
        closures: when publishers are closed.
        now: the instant that it is.
        answered_at: when the source last answered as it should. An instant after `now`
            was written by a clock that went wrong, and says nothing.
    """
    due = due_before(schedule, closures, now)
    if due is None or (answered_at is not None and due <= answered_at <= now):
        return None
    return due


def _day_of(schedule: Schedule, instant: datetime) -> date:
    if instant.tzinfo is None:
        msg = f"expected an instant with its time zone; found {instant.isoformat()}"
        raise ValueError(msg)
    return instant.astimezone(ZoneInfo(schedule.zone)).date()


def _times(
    schedule: Schedule, closures: Closures, *, first: date, last: date
) -> list[datetime]:
    """Return the due times of the days from `first` to `last`, oldest first."""
    zone = ZoneInfo(schedule.zone)
    found = []
    for day, moved in _due_days(schedule, closures, first, last=last):
        at = (moved and schedule.at_when_moved) or schedule.at
        found.append(datetime.combine(day, at, tzinfo=zone).astimezone(UTC))
    return found


def _due_days(
    schedule: Schedule, closures: Closures, first: date, *, last: date
) -> Iterator[_Due]:
    """Yield the due days from `first` to `last`, each once, oldest first."""
    closed = frozenset(closures.lists[schedule.closed] if schedule.closed else ())
    # A day never moves past one that stands behind it, so it is enough to go back to
    # a day that is due before the first one.
    start = first
    while start > date.min and _moved(schedule, start, closed) >= first:
        start = plus_days(start, -7)
    named = (
        (_moved(schedule, day, closed), _moved(schedule, day, frozenset()))
        for day in _named_days(schedule, closed, start, last=last)
    )
    for day, group in groupby(named, key=lambda pair: pair[0]):
        if first <= day <= last:
            yield day, all(day != planned for _, planned in group)


def _moved(schedule: Schedule, day: date, closed: Collection[date]) -> date:
    """Return the day on which it is due that `days` or the like name as `day`."""
    if schedule.weekdays_after:
        for _ in range(schedule.weekdays_after):
            day = _open_from(plus_days(day, 1), closed)
        return day
    works = () if schedule.cadence == "monthly" else _numbers(schedule)
    return _open_from(day, closed, works=works)


def _open_from(
    day: date, closed: Collection[date], *, works: Collection[int] = ()
) -> date:
    """Return the first day from `day` on which the publisher is open.

    Args:
        day: where to begin.
        closed: the weekdays on which it is closed.
        works: days of the week, from 0, on which it works though they be a weekend's.
    """
    while day < date.max and (
        day in closed or (day.weekday() >= _SATURDAY and day.weekday() not in works)
    ):
        day += timedelta(days=1)
    return day


def _named_days(
    schedule: Schedule, closed: Collection[date], start: date, *, last: date
) -> Iterator[date]:
    """Yield the days that a schedule names, before any is moved, oldest first."""
    if schedule.cadence == "monthly":
        found = _days_of_months(schedule, closed, start, last=last)
    else:
        works = _numbers(schedule) or range(_SATURDAY)
        all_days = (plus_days(start, n) for n in range((last - start).days + 1))
        found = (day for day in all_days if day.weekday() in works)
    for day in found:
        if not schedule.months or day.month in schedule.months:
            yield day


def _days_of_months(
    schedule: Schedule, closed: Collection[date], start: date, *, last: date
) -> Iterator[date]:
    month = start.replace(day=1)
    while month <= last:
        length = monthrange(month.year, month.month)[1]
        days = [plus_days(month, n) for n in range(length)]
        for day in _days_of_month(schedule, days, closed):
            if start <= day <= last:
                yield day
        month = plus_days(days[-1], 1)
        if month == days[-1]:
            return  # the last month that there is


def _days_of_month(
    schedule: Schedule, days: list[date], closed: Collection[date]
) -> list[date]:
    """Return the days of one month that a monthly schedule names."""
    opened = [day for day in days if _open_from(day, closed) == day]
    first = schedule.day_of_month
    if first is not None:
        day = days[min(first, len(days)) - 1]
        through = schedule.through or first
        return [day, *(each for each in opened if day < each and each.day <= through)]
    nth = schedule.weekday_of_month
    assert nth is not None
    if schedule.days:
        opened = [day for day in days if day.weekday() in _numbers(schedule)]
    if nth < 0:
        return opened[nth:][:1] if len(opened) >= -nth else []
    return opened[nth - 1 : schedule.through or nth]


def _numbers(schedule: Schedule) -> tuple[int, ...]:
    """Return the days that a schedule names as numbers, Monday being 0."""
    order = get_args(Weekday)
    return tuple(order.index(day) for day in schedule.days)
