"""The verb `logs`: shows the lines of the log, and those that come, to a person.

It never writes to the log, and opens neither the tables nor the registry of the lake.
"""

from __future__ import annotations

import json as json_text
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, LakeFolder
from cbi_stream.doors import tailing
from cbi_stream.doors.tailing import Tail
from cbi_stream.words import clock
from cbi_stream.words.errors import WrongUsage

_LEVELS = ("debug", "info", "warning", "error", "critical")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})([smhdw])")
_MOST = 50
_EVERY = 0.2  # seconds between two looks at the files
# Lines of several processes, and of a clock that was set, are not quite in order.
_OUT_OF_ORDER = timedelta(minutes=5)


@dataclass(frozen=True)
class Line:
    """One line of the log: its text, and its fields where it is one of ours."""

    text: str
    fields: dict[str, Any] | None


@dataclass
class Wanted:
    """Which lines are shown; counts lines left out since they have no fields."""

    fields: dict[str, Callable[[Any], bool]]
    since: datetime | None
    grep: re.Pattern[str] | None
    left_out: int = 0

    def shows(self, line: Line) -> bool:
        """Return whether a line is shown."""
        if self.grep and not self.grep.search(line.text):
            return False
        if not self.fields and not self.since:
            return True
        if line.fields is None:
            self.left_out += 1
            return False
        if self.since and not self._is_since(line.fields):
            return False
        return all(fits(line.fields.get(name)) for name, fits in self.fields.items())

    def is_over(self, line: Line) -> bool:
        """Return whether no line before this one can be wanted."""
        at = tailing.local_time(line.fields or {})
        return bool(self.since and at and at < self.since - _OUT_OF_ORDER)

    def _is_since(self, fields: dict[str, Any]) -> bool:
        at = tailing.local_time(fields)
        return at is not None and self.since is not None and at >= self.since


def logs(
    *,
    lines: Annotated[int | None, Parameter(name=["--lines", "-n"])] = None,
    follow: Annotated[bool, Parameter(name=["--follow", "-f"], negative="")] = False,
    level: Literal["debug", "info", "warning", "error"] | None = None,
    event: str | None = None,
    source: str | None = None,
    table: str | None = None,
    partition: str | None = None,
    run: str | None = None,
    since: str | None = None,
    grep: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Show the last lines of the log; with -f also those that come, until Ctrl-C.

    Args:
        lines: how many of the last lines; 50, with --since all.
        follow: go on with the lines that come.
        level: this level and those above it.
        event: an event such as batch.landed, or batch.* for all that begin so.
        source: lines about this source.
        table: lines about this table; the part after the dot will do.
        partition: lines about this partition.
        run: lines of this run; the beginning of its id will do.
        since: how long ago (30s, 10m, 2h, 1d, 1w), or a time; without a zone, of here.
        grep: lines in whose text, as it stands in the file, this expression is found.
        lake: folder of the lake.
        json: print the lines as they stand in the file, one JSON object each.
    """
    _check(lake, lines)
    asked = {"level": level, "event": event, "source": source, "table": table}
    asked |= {"partition": partition, "run_id": run}
    fields = {name: _FITS[name](text) for name, text in asked.items() if text}
    wanted = Wanted(fields, since=_time(since), grep=_expression(grep))
    most = lines if lines is not None else None if since else _MOST
    printed = _Printed(as_json=json)
    try:
        _show(lake / "logs", wanted, most=most, follow=follow, printed=printed)
    except KeyboardInterrupt:
        if not follow:
            raise  # to end --follow so is what it is for
    if wanted.left_out:
        show.note(f"{wanted.left_out} lines that are no events were left out")
    return 0


def _check(lake: Path, lines: int | None) -> None:
    if not (lake / "lake.json").exists():
        msg = f"no lake at {lake}: make one with `cbi init`, or say --lake"
        raise WrongUsage(msg)
    if lines is not None and lines < 0:
        msg = f"expected --lines of 0 or more; found {lines}"
        raise WrongUsage(msg)


class _Printed:
    """Prints lines, and the date where it changes."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._colour = tailing.has_colour(sys.stdout)
        self._date = ""

    def line(self, line: Line) -> None:
        """Print a line."""
        if line.fields is None:
            print(tailing.one_line(line.text))
        elif self._as_json:
            print(line.text)
        else:
            at = tailing.local_time(line.fields)
            if at and f"{at:%Y-%m-%d}" != self._date:
                self._date = f"{at:%Y-%m-%d}"
                print(self._date)
            print(tailing.shown(line.fields, colour=self._colour))


def _show(
    folder: Path,
    wanted: Wanted,
    *,
    most: int | None,
    follow: bool,
    printed: _Printed,
) -> None:
    tail = Tail(folder, following=follow)
    try:
        if tail.is_empty:
            show.note(f"no log yet in {folder}" + (": waiting for it" * follow))
        for line in reversed(_last(tail, wanted, most)):
            printed.line(line)
        while follow:
            sys.stdout.flush()
            threading.Event().wait(_EVERY)
            for raw in tail.fresh():
                if wanted.shows(line := _line(raw)):
                    printed.line(line)
    finally:
        tail.close()


def _last(tail: Tail, wanted: Wanted, most: int | None) -> list[Line]:
    """Return the last lines that are wanted, newest first."""

    def found() -> Any:
        for raw in tail.backlog():
            line = _line(raw)
            if wanted.is_over(line):
                return
            if wanted.shows(line):
                yield line

    return list(islice(found(), most))


def _line(raw: bytes) -> Line:
    text = raw.decode(errors="backslashreplace").rstrip("\r")
    try:
        fields = json_text.loads(text)
    except (ValueError, RecursionError):
        return Line(text, None)
    return Line(text, fields if isinstance(fields, dict) else None)


def _rank(level: object) -> int:
    return _LEVELS.index(level) if level in _LEVELS else -1


_FITS: dict[str, Callable[[str], Callable[[Any], bool]]] = {
    "level": lambda asked: lambda found: _rank(found) >= _rank(asked),
    "event": lambda asked: lambda found: fnmatchcase(str(found), asked),
    "source": lambda asked: lambda found: found == asked,
    "table": lambda asked: lambda found: f".{found}".endswith(f".{asked}"),
    "partition": lambda asked: lambda found: str(found) == asked,
    "run_id": lambda asked: lambda found: str(found).startswith(asked),
}


def _time(since: str | None) -> datetime | None:
    if since is None:
        return None
    try:
        if ago := _AGO.fullmatch(since):
            return clock.now() - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        return datetime.fromisoformat(since).astimezone()
    except (ValueError, OverflowError) as error:
        msg = (
            f"expected --since like 10m, 2h or 2024-05-01T10:00+00:00; found {since!r}"
        )
        raise WrongUsage(msg) from error


def _expression(grep: str | None) -> re.Pattern[str] | None:
    try:
        return None if grep is None else re.compile(grep)
    except re.error as error:
        msg = f"expected --grep to be a regular expression; {error}: {grep!r}"
        raise WrongUsage(msg) from error
