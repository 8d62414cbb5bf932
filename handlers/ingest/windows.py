"""Stretches of years that a source is asked for, one question each.

They lie on a fixed grid, so that a question has the same name each day. It never asks
twice for a stretch that has ended and was answered after its end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from cbi_stream import Poll


def years(
    poll: Poll, name_of: Callable[[int, int], str], *, size: int
) -> Iterator[tuple[str, date, date]]:
    """Return the name, first and last day of each question that is due.

    Args:
        poll: how far the lake has come.
        name_of: the name of the question over the years from one to another.
        size: how many years one question may span.
    """
    begin = poll.source.fetch.history_from
    for first in range(begin.year, poll.today.year + 1, size):
        name = name_of(first, first + size - 1)
        since = poll.since(name)
        last = date(first + size - 1, 12, 31)
        if last >= since:
            start = max(date(first, 1, 1), since, begin)
            yield name, start, min(last, poll.today)
