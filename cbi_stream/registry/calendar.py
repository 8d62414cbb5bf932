"""The trading calendar out of sessions.yaml and its list of closings.

It never guesses: a line that is no date, an override that changes nothing, or one that
stands twice is refused with its line.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from cbi_stream.registry.files import SessionsFile
from cbi_stream.registry.model import Read
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span, plus_days

_HEADER = "date,name"
_SATURDAY = 5


def sessions_of(folder: Path, read: Read[SessionsFile]) -> Sessions:
    """Return the sessions that the calendar's files describe.

    Raises:
        BadRegistry: a line of either file is wrong; the message names it.
    """
    file = read.content
    covers = Span(file.covers.first, plus_days(file.covers.last, 1))
    closed = _closed_days(folder / file.closed)
    _overrides_matter(read, covers, closed)
    opened = {each.date for each in file.overrides if each.open}
    closed |= {each.date for each in file.overrides if not each.open}
    days = []
    day = covers.start
    while day < covers.end:
        if day in opened or (day.weekday() < _SATURDAY and day not in closed):
            days.append(day)
        day += timedelta(days=1)
    return Sessions(days, covers=covers)


def _closed_days(path: Path) -> set[date]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: expected the list of closings; {error}"
        raise BadRegistry(msg) from error
    if not lines or lines[0] != _HEADER:
        msg = f"{path}:1: expected the header {_HEADER!r}; found {lines[:1]}"
        raise BadRegistry(msg)
    days = [_day(path, number, text) for number, text in enumerate(lines[1:], start=2)]
    for i, (before, after) in enumerate(pairwise(days), start=3):
        if after <= before:
            msg = f"{path}:{i}: expected dates in order, each once; found {after} after {before}"
            raise BadRegistry(msg)
    return set(days)


def _day(path: Path, number: int, text: str) -> date:
    try:
        return date.fromisoformat(text.partition(",")[0])
    except ValueError:
        msg = f"{path}:{number}: expected a date like 2024-07-04; found {text!r}"
        raise BadRegistry(msg) from None


def _overrides_matter(
    read: Read[SessionsFile], covers: Span, closed: set[date]
) -> None:
    """Refuse an override that changes nothing: it shows that somebody was mistaken."""
    latest = date.min
    for i, each in enumerate(read.content.overrides):
        is_session = each.date.weekday() < _SATURDAY and each.date not in closed
        problem = None
        if each.date not in covers:
            problem = "lies outside the days that `covers` names"
        elif each.date <= latest:
            problem = "stands twice, or not in order of date"
        elif is_session == each.open:
            problem = f"is {'open' if each.open else 'closed'} without this override"
        if problem:
            where = read.place("overrides", i, "date")
            msg = f"{where}: {each.date} {problem}: take it out, or mend it"
            raise BadRegistry(msg)
        latest = each.date
