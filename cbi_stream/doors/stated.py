"""When a file was seen, where a person or its name says so. It is never guessed.

The time stamp of a file on disk says when it was copied, not when it was seen: it is
never looked at for this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

from cbi_stream.doors.receipts import ASOF, Waits, beside, shown
from cbi_stream.registry.sources import Source
from cbi_stream.words import clock

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_IN_NAME = re.compile(
    r"_asof_(?P<when>[^_]*?)(?: ?\(\d+\)|_.*?)?(?P<ext>\.[A-Za-z0-9]{1,5})?"
)
_MOST_BYTES = 100
_LOOKS = "2024-05-01T18:00-05:00 (with its zone), or a day like 2024-05-01"


@dataclass(frozen=True, slots=True)
class Stated:
    """When a file was seen; `as_of` is None where nobody says: then it is now."""

    as_of: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class Named:
    """A file's name, taken apart."""

    plain: str
    """Without `_asof_...` and `.gz`."""
    when: str | None
    """What the name says after `_asof_`."""
    gzipped: bool


def taken_apart(name: str) -> Named:
    """Return a file's name without `.gz` and `_asof_<time>`, and these two."""
    plain = name.removesuffix(".gz")
    start = plain.rfind("_asof_")
    match = _IN_NAME.fullmatch(plain, start) if start > 0 else None
    if match is None:
        return Named(plain, None, plain != name)
    return Named(plain[:start] + (match["ext"] or ""), match["when"], plain != name)


def read_time(text: str) -> date:
    """Return the day or the instant (with its zone) that a text says.

    Raises:
        ValueError: it says neither; the message tells what was expected.
    """
    msg = f"expected {_LOOKS}; found {text!r}"
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        instant = datetime.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(msg)
    return instant


def instant_of(when: date, source: Source) -> datetime:
    """Return the instant (UTC) that stands for what was stated.

    A bare day is read so that nothing is taken for known earlier than it was. Of a
    source of corrections it is the day's first instant in the source's zone: the bar of
    that day was not finished. Of a source of vintages it is the day's last second: only
    then was all of the day's news out.
    """
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    hour = time(0, 0) if source.changes == "correction" else time(23, 59, 59)
    return datetime.combine(when, hour, ZoneInfo(source.zone)).astimezone(UTC)


def stated(
    path: Path, source: Source, *, said: date | None, named: str | None
) -> Stated:
    """Return when the file was seen: the first that is stated counts.

    Args:
        path: the file, in the landing.
        source: whose zone a bare day is of.
        said: what was said with --as-of.
        named: what the file's name says after `_asof_`.

    Raises:
        Waits: what is stated is no time, has no zone, or lies in the future.
    """
    beside_it = _asof_file(path)
    if said is not None:
        when, by = said, "--as-of"
    elif beside_it is not None:
        when, by = (
            _time_in(beside_it, f"the file {shown(path.name)}{ASOF}"),
            ".asof file",
        )
    elif named is not None:
        when, by = _time_in(named, "the name after _asof_"), "file name"
    else:
        return Stated(None, "sight")
    as_of = instant_of(when, source)
    now = clock.now()
    if as_of > now:
        msg = (
            f"seen at {when} ({by}) is {as_of:%Y-%m-%d %H:%M:%S} UTC, which is not yet"
        )
        mend = "wait until then, or state an earlier time: cbi drop FILE --as-of TIME"
        raise Waits(msg, mend)
    return Stated(as_of, by)


def _time_in(text: str, where: str) -> date:
    try:
        return read_time(text)
    except ValueError as error:
        msg = f"{where}: {error}"
        raise Waits(msg, "correct it, or say it: cbi drop FILE --as-of TIME") from None


def _asof_file(path: Path) -> str | None:
    file = beside(path, ASOF)
    if not file.is_file() or file.is_symlink():
        return None
    with file.open("rb") as opened:
        data = opened.read(_MOST_BYTES)
    return data.decode("utf-8-sig", errors="replace").strip()
