"""A schedule in words, and an instant by two clocks. It computes no due time."""

from __future__ import annotations

from calendar import month_abbr
from datetime import datetime
from zoneinfo import ZoneInfo

from cbi_stream.registry.fetching import Schedule

_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}


def in_words(schedule: Schedule) -> str:
    """Return when a source is asked: `3 weekdays after every Tue, 15:30 America/...`."""
    days = _days(schedule)
    if n := schedule.weekdays_after:
        days = f"{n} weekday{'s' * (n > 1)} after {days}"
    hour = f"{schedule.at:%H:%M} {schedule.zone}"
    if schedule.at_when_moved:
        hour += f" ({schedule.at_when_moved:%H:%M} where a closed day moved it)"
    parts = [days, hour]
    if schedule.months:
        parts.append("in " + " ".join(month_abbr[n] for n in sorted(schedule.months)))
    if schedule.closed:
        parts.append(f"closed as {schedule.closed}")
    return ", ".join(parts)


def by(instant: datetime, zone: str | None) -> str:
    """Return an instant by the clock of a zone; None is this machine's own."""
    local = instant.astimezone(ZoneInfo(zone) if zone else None)
    return f"{local:%a %Y-%m-%d %H:%M %Z}"


def _days(schedule: Schedule) -> str:
    if schedule.cadence == "monthly":
        return f"{_day_of_month(schedule)} of the month"
    if len(schedule.days) == 7:
        return "every day"
    names = " ".join(day.capitalize() for day in schedule.days)
    return f"every {names or 'weekday'}"


def _day_of_month(schedule: Schedule) -> str:
    through = f" to {schedule.through}" if schedule.through else ""
    if schedule.day_of_month is not None:
        return f"day {schedule.day_of_month}{through}"
    nth = schedule.weekday_of_month or 0
    what = schedule.days[0].capitalize() if schedule.days else "weekday"
    if through:
        return f"{what} {nth}{through}"
    if nth in _NTH:
        return f"{_NTH[nth]} {what}"
    return f"{abs(nth)}th {what}{' from the end' if nth < 0 else ''}"
