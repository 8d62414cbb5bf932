"""Spans of days: half-open, sorted, disjoint. It knows no calendar and no table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta


def plus_days(day: date, days: int) -> date:
    """Return `day` moved by `days`, stopped at the first and last representable day."""
    ordinal = day.toordinal() + days
    return date.fromordinal(
        min(max(ordinal, date.min.toordinal()), date.max.toordinal())
    )


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The days `start <= day < end`."""

    start: date
    end: date

    @classmethod
    def day(cls, day: date) -> Span:
        """Return the span that holds `day` alone."""
        return cls(day, plus_days(day, 1))

    @classmethod
    def all(cls) -> Span:
        """Return the span of every day."""
        return cls(date.min, date.max)

    @property
    def empty(self) -> bool:
        """Whether no day is in it."""
        return self.start >= self.end

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.end - timedelta(days=1)

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def intersects(self, other: Span) -> bool:
        """Return whether a day is in both."""
        return max(self.start, other.start) < min(self.end, other.end)

    def clip(self, other: Span) -> Span:
        """Return the days that are in both; the answer may be empty."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def hull(self, other: Span) -> Span:
        """Return the shortest span around both."""
        return Span(min(self.start, other.start), max(self.end, other.end))

    def widen(self, before: int, after: int) -> Span:
        """Return the span with `before` days put in front and `after` days behind."""
        return Span(plus_days(self.start, -before), plus_days(self.end, after))


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same days as sorted, disjoint, non-touching spans."""
    merged: list[Span] = []
    for span in sorted(s for s in spans if not s.empty):
        if merged and span.start <= merged[-1].end:
            merged[-1] = merged[-1].hull(span)
        else:
            merged.append(span)
    return merged
