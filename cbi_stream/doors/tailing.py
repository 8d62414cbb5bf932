"""The files of the log, `cbi.log` and its rotations: appending, reading, following.

It knows lines and bytes, and how a line is shown to a person. It never judges one.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from cbi_stream.lake import durable
from cbi_stream.words.errors import LockHeld

NAME = "cbi.log"
_BLOCK = 1 << 16
_LONGEST = 1 << 16  # a longer line is cut
_COLOURS = {"debug": "2", "warning": "33", "error": "31", "critical": "31"}
FIRST = ("at", "level", "event")
BOUND = ("run_id", "handler", "table", "partition", "source", "error")
_BARE = re.compile(r"[^\s\"'=]+")


class Appender:
    """Appends whole lines to a file, and turns it over when it is full.

    Other processes may do both with the same file at the same time.
    """

    def __init__(self, path: Path, *, most_bytes: int, keep: int) -> None:
        self._path = path
        self._most = most_bytes
        self._keep = keep
        self._file: int | None = None
        self._key = (0, 0)
        self._torn = False

    def append(self, fields: Mapping[str, Any]) -> bool:
        """Append a line; return whether it stands there in full."""
        line = _rendered(fields)
        try:
            self._make_ready(len(line))
            assert self._file is not None
            # After a torn line, ours must not become its end.
            data = b"\n" + line if self._torn else line
            # One write: the kernel appends it whole, whoever else writes just now.
            written = os.write(self._file, data)
        except OSError:
            self.close()
            return False
        self._torn = written < len(data)
        return not self._torn

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _make_ready(self, more: int) -> None:
        """Have the file open that is called `cbi.log` now, with room for a line."""
        if self._is_full(more):
            self._turn_over(more)
        try:
            now: tuple[int, int] | None = _key(self._path.stat())
        except FileNotFoundError:
            now = None
        if self._file is None or now != self._key:
            self.close()
            self._open()

    def _open(self) -> None:
        durable.refuse_lost(self._path.parent.parent)  # no lake shall begin with a log,
        self._path.parent.mkdir(mode=0o700, exist_ok=True)  # nor with its parents
        how = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path, how, 0o600)
        found = os.fstat(self._file)
        self._key = _key(found)
        last = os.pread(self._file, 1, found.st_size - 1) if found.st_size else b"\n"
        # Amid another's line just now, ours begins with an empty one: no reader minds.
        self._torn = last != b"\n"

    def _is_full(self, more: int) -> bool:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return False
        return size > 0 and size + more > self._most

    def _turn_over(self, more: int) -> None:
        try:
            with durable.locked(self._path.with_name("rotation.lock"), wait=False):
                if not self._is_full(more):
                    return  # another process was quicker
                for n in range(self._keep - 1, 0, -1):
                    if _rotated(self._path, n).exists():
                        _rotated(self._path, n).replace(_rotated(self._path, n + 1))
                self._path.replace(_rotated(self._path, 1))
        except (LockHeld, OSError):
            return  # rather a file that is too long than a line that waits


class Tail:
    """Reads the lines of a log, from its end backwards, and then what comes.

    Args:
        folder: where `cbi.log` and its rotations are, or will be.
        following: leave a last line without its end to `fresh`, which gets it whole.
    """

    def __init__(self, folder: Path, *, following: bool = False) -> None:
        self._path = folder / NAME
        self._files: list[_File] = []
        self._open_what_came()
        for file in self._files[:-1]:
            file.position = file.size()
        for file in self._files[-1:]:
            file.position = file.size()
            if following:
                file.position -= len(next(file.backwards()))
        self._past = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is no log at all."""
        return not self._files

    def backlog(self) -> Iterator[bytes]:
        """Return the lines that stood there when this was made, newest first."""
        for file in reversed(self._files):
            yield from filter(None, file.backwards())

    def fresh(self) -> Iterator[bytes]:
        """Return the lines that came since, oldest first; ask again and again."""
        # Who had a file open when it was turned over may still write to it: an older
        # file is looked at once more after a newer one was seen.
        settled = self._past
        self._open_what_came()
        self._past = max(0, len(self._files) - 1)
        for i, file in enumerate(self._files):
            yield from filter(None, file.forwards(ended=i < self._past))
        for _ in range(settled):
            self._files.pop(0).close()
        self._past -= settled

    def close(self) -> None:
        """Close every file."""
        for file in self._files:
            file.close()
        self._files = []

    def _open_what_came(self) -> None:
        """Open the files that are newer than the newest one known."""
        newest = self._files[-1] if self._files else None
        found: dict[tuple[int, int], _File] = {}
        for path in self._newest_first():
            try:
                file = _File(path)
            except FileNotFoundError:
                continue  # turned over just now
            is_known = newest is not None and file.key == newest.key
            if is_known or file.key in found:
                file.close()
            else:
                found[file.key] = file
            if is_known:
                break
        else:
            if newest is not None:
                # Ours was removed: what ended before it did was there before it.
                for file in [f for f in found.values() if f.mtime < newest.mtime]:
                    found.pop(file.key).close()
        self._files += reversed(found.values())

    def _newest_first(self) -> Iterator[Path]:
        yield self._path
        ends = [path.suffix[1:] for path in self._path.parent.glob(f"{NAME}.*")]
        numbers = [int(end) for end in ends if end.isdecimal()]
        # Each may move up by one while they are opened.
        moved = {1, *numbers, *(number + 1 for number in numbers)}
        yield from (_rotated(self._path, number) for number in sorted(moved))


class _File:
    """One file of the log, open, and how far it was read."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        found = os.fstat(self._file)
        self.key = _key(found)
        self.position = 0
        self._rest = b""

    @property
    def mtime(self) -> int:
        """When it was last written, in nanoseconds."""
        return os.fstat(self._file).st_mtime_ns

    def size(self) -> int:
        """Return its size now."""
        return os.fstat(self._file).st_size

    def close(self) -> None:
        """Close it."""
        os.close(self._file)

    def backwards(self) -> Iterator[bytes]:
        """Return the lines before the position, newest first, empty ones as well."""
        at, rest = self.position, b""
        while at > 0:
            start = max(0, at - _BLOCK)
            block = os.pread(self._file, at - start, start)
            at = start
            rest, *lines = (block + rest).split(b"\n")
            yield from reversed(lines)
        yield rest

    def forwards(self, *, ended: bool) -> Iterator[bytes]:
        """Return the lines after the position; if `ended`, one without its end too."""
        if self.size() < self.position:
            self.position, self._rest = 0, b""  # somebody emptied it
        while block := os.pread(self._file, _BLOCK, self.position):
            self.position += len(block)
            *lines, self._rest = (self._rest + block).split(b"\n")
            yield from lines
            if len(self._rest) > _LONGEST:
                yield self._rest
                self._rest = b""
        if ended:
            yield self._rest
            self._rest = b""


def _rendered(fields: Mapping[str, Any]) -> bytes:
    """Return a line of JSON in which every character can be seen."""
    text = json.dumps(fields, ensure_ascii=False, allow_nan=False)
    if len(text) > _LONGEST:
        kept = {k: fields[k] for k in (*FIRST, *BOUND) if k in fields}
        return _rendered({**kept, "cut": f"a line of {len(text)} characters"})
    if not text.isprintable():
        # What cannot be seen stands inside a string, where JSON may escape it.
        text = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return text.encode() + b"\n"


def shown(fields: Mapping[str, Any], *, colour: bool) -> str:
    """Return a line for a person: the time of day here, the event, its values."""
    at = local_time(fields)
    time = f"{at:%H:%M:%S}" if at else " " * 8
    level, event = (one_line(fields.get(k, "")) for k in ("level", "event"))
    more = [f"{one_line(k)}={_value(v)}" for k, v in _values(fields)]
    code = _COLOURS.get(level) if colour else None
    painted = f"\x1b[{code}m{level:<7}\x1b[0m" if code else f"{level:<7}"
    return " ".join([time, painted, f"{event:<20}", *more]).rstrip()


def local_time(fields: Mapping[str, Any]) -> datetime | None:
    """Return when a line was written, in the time zone here."""
    try:
        return datetime.fromisoformat(fields["at"]).astimezone()
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def one_line(value: object) -> str:
    """Return a value as text in which nothing can move a cursor or begin a line."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


def has_colour(stream: TextIO) -> bool:
    """Return whether a stream is a terminal whose owner does not refuse colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _values(fields: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Return what stands beside the event; an error as its message and its hash."""
    for name, value in fields.items():
        if isinstance(value, dict) and {"type", "message", "trace"} <= value.keys():
            yield name, f"{value['type']}: {value['message']}"
            yield "trace", value["trace"]
        elif name not in FIRST:
            yield name, value


def _value(value: object) -> str:
    if isinstance(value, str) and _BARE.fullmatch(value):
        return one_line(value)
    return one_line(json.dumps(value, ensure_ascii=False))


def _rotated(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")


def _key(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino
