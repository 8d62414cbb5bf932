"""The trading calendar: which days are sessions, and arithmetic in sessions.

It never reads a file (the registry hands the days in) and never guesses a session
beyond the days it was given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import date

import numpy as np
from numpy.typing import NDArray

from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.span import Span, plus_days


class Sessions:
    """A sorted list of session days, complete over `covers`."""

    def __init__(self, days: Iterable[date], *, covers: Span) -> None:
        ordered = sorted(set(days))
        if not ordered or ordered[0] not in covers or ordered[-1] not in covers:
            msg = (
                f"expected session days inside {covers.start} to {covers.last}; "
                f"found {ordered[:1]} to {ordered[-1:]}: see registry/sessions.yaml"
            )
            raise BadRegistry(msg)
        self.days: tuple[date, ...] = tuple(ordered)
        self.covers = covers
        self._numbers: NDArray[np.int64] = np.array(
            [day.toordinal() for day in ordered], dtype=np.int64
        )

    def __len__(self) -> int:
        return len(self.days)

    def __contains__(self, day: date) -> bool:
        i = self._at_or_after(day)
        return i < len(self.days) and self.days[i] == day

    @property
    def digest(self) -> str:
        """The sha256 of the days; it changes when any session does."""
        return hashlib.sha256(self._numbers.astype("<i8").tobytes()).hexdigest()

    @property
    def longest_closed_days(self) -> int:
        """The longest stretch of days between two sessions."""
        return int(np.diff(self._numbers).max(initial=1)) - 1

    def on_or_after(self, day: date) -> date:
        """Return the first session that is not before `day`.

        Raises:
            BadRegistry: `day` lies outside the days that the calendar covers.
        """
        i = self._at_or_after(day)
        if day < self.covers.start or i >= len(self.days):
            msg = (
                f"the calendar covers {self.covers.start} to {self.covers.last}; "
                f"it was asked for the first session on or after {day}: "
                "extend `covers` in registry/sessions.yaml"
            )
            raise BadRegistry(msg)
        return self.days[i]

    def before(self, day: date) -> date | None:
        """Return the last session before `day`; None before the first one."""
        i = self._at_or_after(day)
        return self.days[i - 1] if i else None

    def between(self, span: Span) -> tuple[date, ...]:
        """Return the sessions inside `span`, oldest first."""
        return self.days[self._at_or_after(span.start) : self._at_or_after(span.end)]

    def slice_for(self, span: Span, *, back: int, ahead: int) -> Span:
        """Return the days that windows over the sessions of `span` look at.

        A row at session i looks at sessions i - back to i + ahead. Days of `span`
        that are no session stay inside. Before the first session there is nothing
        to count, so the answer is open there.
        """
        first, after = self._at_or_after(span.start), self._at_or_after(span.end)
        start, end = span.start, span.end
        if back and first < back:
            start = date.min
        elif back and first - back < len(self.days):
            start = min(start, self.days[first - back])
        if ahead and after - 1 + ahead >= len(self.days):
            end = date.max
        elif ahead and after - 1 + ahead >= 0:
            end = max(end, plus_days(self.days[after - 1 + ahead], 1))
        return Span(start, end)

    def reach_of(self, span: Span, *, back: int, ahead: int) -> Span:
        """Return the days whose windows look at a day of `span`: the inverse.

        A change at session j is seen by the rows j - ahead to j + back.
        """
        return self.slice_for(span, back=ahead, ahead=back)

    def _at_or_after(self, day: date) -> int:
        return int(np.searchsorted(self._numbers, day.toordinal(), side="left"))
