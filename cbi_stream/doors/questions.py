"""Questions put to a source, as lines, and what all lines of a source say together.

It opens no file: doors/journal.py does. A line never holds a secret, and a line that says
no question, as a torn one, is passed over. What counts is the order of lines, whatever
the clock said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple, get_args
from zoneinfo import ZoneInfo

from cbi_stream.doors.logs import scrubbed

Outcome = Literal["landed", "same", "empty", "failed"]
"""landed: its bytes were put into the landing. same: they are those of last time. empty:
a true answer that there is nothing. failed: no answer, or not one that was asked for."""
_OUTCOMES = frozenset(get_args(Outcome))
PREFIX = 16
"""So much of a file's sha256 begins its name in the quarantine."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and how it was answered."""

    at: datetime
    name: str
    """The name of the question: `Want.name`."""
    outcome: Outcome
    series: str = ""
    """The symbol or series that it was about."""
    status: int | None = None
    url: str = ""
    content_type: str = ""
    bytes: int | None = None
    sha256: str | None = None
    """Of the bytes of the answer."""
    etag: str | None = None
    last_modified: str | None = None
    cursor: str | None = None
    newest: date | None = None
    """The newest period in the answer, where that is known."""
    reason: str | None = None
    """Why it failed, or is empty."""


_NAMES = tuple(each.name for each in fields(Question))
_TEXTS = ("name", "series", "url", "content_type")
_PERHAPS = ("sha256", "etag", "last_modified", "cursor", "newest", "reason")
_NUMBERS = ("status", "bytes")


class Line(NamedTuple):
    """A line as it was read; a question is made of it when somebody asks for one."""

    at: datetime
    name: str
    plain: dict[str, Any]

    def question(self) -> Question:
        """Return the question that the line tells of."""
        given = {name: self.plain[name] for name in _NAMES if name in self.plain}
        newest = self.plain.get("newest")
        given["newest"] = date.fromisoformat(newest) if newest else None
        return Question(**{**given, "at": self.at})


def line_of(question: Question) -> bytes:
    """Return a question as one line of JSON, without secrets."""
    plain = {name: getattr(question, name) for name in _NAMES}
    plain["at"] = question.at.astimezone(UTC).isoformat()
    plain["newest"] = question.newest and question.newest.isoformat()
    plain["url"] = _without_secrets(question.url)
    plain["reason"] = question.reason and scrubbed(question.reason)
    return json.dumps(plain, separators=(",", ":")).encode() + b"\n"


def read_line(data: bytes) -> Line | None:
    """Return what a line says; None where it says no question."""
    try:
        plain = json.loads(data)
        at = datetime.fromisoformat(plain["at"])
        name: str = plain["name"]
        if plain["outcome"] not in _OUTCOMES or at.tzinfo is None:
            return None
        if newest := plain.get("newest"):
            date.fromisoformat(newest)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return Line(at, name, plain) if _has_its_types(plain) else None


def _has_its_types(plain: dict[str, Any]) -> bool:
    for each in _TEXTS:
        if type(plain.get(each, "")) is not str:
            return False
    for each in _PERHAPS:
        if type(plain.get(each)) not in _TEXT_OR_NOT:
            return False
    return all(type(plain.get(each)) in _NUMBER_OR_NOT for each in _NUMBERS)


_TEXT_OR_NOT, _NUMBER_OR_NOT = (str, type(None)), (int, type(None))


def _without_secrets(url: str) -> str:
    """Return an address without what names a person; what was asked for stays."""
    before, mark, asked = url.partition("?")
    # One by one: of a whole address, the log leaves out all that was asked for.
    return scrubbed(before) + mark + "&".join(scrubbed(p) for p in asked.split("&"))


class Journal:
    """What the lines of one source say, as far as they were read.

    Args:
        zone: the source's days are those of this zone.
        refused: how the sha256 of files begin that were turned away as a whole.
    """

    def __init__(self, zone: str, refused: frozenset[str]) -> None:
        self.refused = refused
        self.last_success: datetime | None = None
        """When a question was answered as it should be, by the newest such line."""
        self.last_asked: datetime | None = None
        self.newest: dict[str, date] = {}
        """By symbol or series, the newest period of any answer that was taken."""
        self._zone = ZoneInfo(zone)
        self._last: dict[str, Line] = {}
        self._taken: dict[str, Line] = {}
        self._confirmed: dict[str, Line] = {}
        self._pointing: dict[str, Line] = {}
        self._in_vain: dict[str, int] = {}
        self._refused_last: set[str] = set()
        self._poll: set[str] = set()
        self._poll_before: set[str] = set()

    @property
    def last_by_name(self) -> dict[str, Question]:
        """By name of the question, how it was last answered."""
        return {name: line.question() for name, line in self._last.items()}

    @property
    def cursors(self) -> dict[str, str]:
        """By question, the cursor of its newest answer that was taken."""
        return {name: line.plain["cursor"] for name, line in self._pointing.items()}

    @property
    def landed(self) -> dict[str, date]:
        """By question, the day at the source when it last gave data that was taken."""
        return {
            name: line.at.astimezone(self._zone).date()
            for name, line in self._taken.items()
        }

    @property
    def failing(self) -> dict[str, int]:
        """By question, how often in a row it failed; without those no longer asked.

        A poll puts each question once, so a second time is the next poll. It may have
        ended early: what the one before it asked for is still asked for.
        """
        asked = self._poll | self._poll_before
        return {name: n for name, n in sorted(self._in_vain.items()) if name in asked}

    @property
    def consecutive_failures(self) -> int:
        """How often in a row the question failed that fails longest."""
        return max(self.failing.values(), default=0)

    @property
    def reason(self) -> str | None:
        """Why the newest of the questions that fail now failed."""
        last = [self._last[name] for name in self.failing]
        newest = max(last, key=lambda line: line.at, default=None)
        return newest.plain.get("reason") if newest else None

    def validators(self, name: str) -> dict[str, str]:
        """Return the headers that ask for an answer only if it changed since.

        They speak of bytes that were taken: were they those of refused ones, the source
        would say for ever that nothing changed.
        """
        known = self._confirmed.get(name)
        said = known.plain if known else {}
        found = {
            "If-None-Match": said.get("etag"),
            "If-Modified-Since": said.get("last_modified"),
        }
        return {header: value for header, value in found.items() if value}

    def take(self, line: Line) -> None:
        """Take in one line more."""
        name, outcome = line.name, line.plain["outcome"]
        self.last_asked = line.at
        self._last[name] = line
        if name in self._poll:
            self._poll_before, self._poll = self._poll, set()
        self._poll.add(name)
        if outcome == "failed":
            self._in_vain[name] = self._in_vain.get(name, 0) + 1
            return
        self._in_vain.pop(name, None)
        self.last_success = line.at
        if outcome == "landed":
            self._take_landed(line)
        elif outcome == "same":
            self._take_same(line)

    def _take_landed(self, line: Line) -> None:
        if (line.plain.get("sha256") or "")[:PREFIX] in self.refused:
            self._refused_last.add(line.name)
            return
        self._refused_last.discard(line.name)
        self._taken[line.name] = self._confirmed[line.name] = line
        if line.plain.get("cursor") is not None:
            self._pointing[line.name] = line
        self._note_newest(line)

    def _take_same(self, line: Line) -> None:
        """Note that what was taken still stands, if it is that what still stands."""
        taken, sha256 = self._taken.get(line.name), line.plain.get("sha256")
        # "Not modified" comes without bytes, and may mean bytes that were refused since.
        unclear = sha256 is None and line.name in self._refused_last
        if taken is None or unclear or sha256 not in (None, taken.plain.get("sha256")):
            return
        if line.plain.get("etag") or line.plain.get("last_modified"):
            self._confirmed[line.name] = line
        self._note_newest(line)

    def _note_newest(self, line: Line) -> None:
        if said := line.plain.get("newest"):
            newest, series = date.fromisoformat(said), line.plain.get("series", "")
            self.newest[series] = max(self.newest.get(series, newest), newest)
