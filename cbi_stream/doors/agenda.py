"""When each source is to be asked next: after its release, and again where that was in vain.

It asks nobody, waits for nothing and starts no thread; whoever holds it says what time it
is. That time may jump: then a source is asked once, however many due times were passed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from cbi_stream.registry.due import due_after, due_before
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.releases import Closures

Why = Literal["due", "late", "again"]
"""due: its time has just come. late: that was some time ago. again: a try after one that
was in vain."""
SLACK = timedelta(seconds=2)
"""A timer may ring so much too early."""
_ON_TIME = timedelta(minutes=1)
_JUMP = timedelta(minutes=1)
"""A clock that is set back by less has only been set right."""


class Past(Protocol):
    """What is known of a source from before: the journal says it."""

    @property
    def last_success(self) -> datetime | None:
        """When it last answered as it should."""
        ...

    @property
    def last_asked(self) -> datetime | None:
        """When it was last asked."""
        ...


@dataclass(slots=True)
class _Course:
    """Where one source stands."""

    schedule: Schedule
    settled: datetime | None
    """Due times up to this one were asked for."""
    not_before: datetime | None = None
    ended_at: datetime | None = None
    in_vain: int = 0
    """How many polls for the newest due time brought nothing."""
    running: bool = False


class Agenda:
    """The next time of each source.

    Args:
        schedules: by source.
        closures: when publishers are closed.
        past: by source, what is known from before.
        now: the instant at which this begins.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        closures: Closures,
        *,
        past: Mapping[str, Past],
        now: datetime,
    ) -> None:
        self._closures = closures
        self._lock = threading.Lock()
        self._courses = {
            source: _begun(schedule, past[source], now)
            for source, schedule in schedules.items()
        }

    def next_at(self, source: str, now: datetime) -> datetime:
        """Return when a source is to be asked next; `now` where that is at once."""
        with self._lock:
            course = self._courses[source]
            self._set_right(course, now)
            # A timer that rang too early, or a clock set back by seconds: no due time
            # comes twice.
            done = max(now, course.settled or now)
            after = due_after(course.schedule, self._closures, done)
            if course.running:
                return after
            if self._unsettled(course, now) is not None:
                return max(now, course.not_before or now)
            again = course.schedule.again_minutes
            if course.ended_at and 0 < course.in_vain <= len(again):
                wait = timedelta(minutes=again[course.in_vain - 1])
                return min(after, max(now, course.ended_at + wait))
            return after

    def begin(self, source: str, now: datetime) -> tuple[Why, datetime]:
        """Note that a source is being asked.

        Returns:
            Why it is, and the due time that it is asked for.
        """
        with self._lock:
            course = self._courses[source]
            self._set_right(course, now)
            due = self._unsettled(course, now + SLACK)
            course.running, course.not_before = True, None
            if due is None:
                return "again", course.settled or now
            course.settled, course.in_vain = due, 0
            return "due" if now - due <= _ON_TIME else "late", due

    def end(self, source: str, now: datetime, *, brought: bool) -> None:
        """Note that a source was asked, and whether that brought anything new."""
        with self._lock:
            course = self._courses[source]
            course.running, course.ended_at = False, now
            course.in_vain = 0 if brought else course.in_vain + 1

    def _unsettled(self, course: _Course, now: datetime) -> datetime | None:
        """Return the newest due time, unless it was asked for."""
        due = due_before(course.schedule, self._closures, now)
        if due is None or (course.settled is not None and due <= course.settled):
            return None
        return due

    def _set_right(self, course: _Course, now: datetime) -> None:
        """Let nothing lie in the future that has happened: the clock was set back."""
        if course.settled and course.settled > now + _JUMP:
            # At the wrong time it was asked for something that was not out yet.
            course.settled = due_before(course.schedule, self._closures, now)
        if course.ended_at:
            course.ended_at = min(course.ended_at, now)
        if course.not_before:
            course.not_before = min(
                course.not_before, now + _first_wait(course.schedule)
            )


def _begun(schedule: Schedule, past: Past, now: datetime) -> _Course:
    """Return where a source stands after a start.

    A time in the future was written by a clock that went wrong, and says nothing. What
    was asked a moment ago is not asked at once: a process that dies at each start would
    ask without end.
    """
    success, asked = past.last_success, past.last_asked
    settled = success if success and success <= now else None
    recent = asked if asked and asked <= now else None
    return _Course(schedule, settled, recent and recent + _first_wait(schedule))


def _first_wait(schedule: Schedule) -> timedelta:
    return timedelta(minutes=min(schedule.again_minutes, default=15))
