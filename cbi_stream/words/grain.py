"""Grains: how a table is cut into partitions of `date`. It never cuts by anything else.

A partition is named by a number of its column: year 2012, decade 1990, month 201207.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from cbi_stream.words.span import Span


class Grain(StrEnum):
    """The width of a table's partitions; the value is the partition column's name."""

    MONTH = "month"
    YEAR = "year"
    DECADE = "decade"

    def partition_of(self, day: date) -> str:
        """Return the name of the partition that holds `day`."""
        if self is Grain.MONTH:
            return f"{day.year:04d}{day.month:02d}"
        if self is Grain.YEAR:
            return f"{day.year:04d}"
        return f"{day.year // 10 * 10:04d}"

    def span(self, partition: str) -> Span:
        """Return the days of the partition called `partition`."""
        start = date(int(partition[:4]), int(partition[4:] or 1), 1)
        if self is Grain.MONTH:
            years, month = divmod(start.month, 12)
            return Span(start, date(start.year + years, month + 1, 1))
        return Span(start, date(start.year + (1 if self is Grain.YEAR else 10), 1, 1))

    def partitions(self, span: Span) -> list[str]:
        """Return the names of the partitions that `span` touches, oldest first."""
        names: list[str] = []
        day = span.start
        while day < span.end:
            names.append(self.partition_of(day))
            day = self.span(names[-1]).end
        return names
