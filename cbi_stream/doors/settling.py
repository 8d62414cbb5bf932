"""Whether a file is whole, and how its bytes are copied. It never trusts a name.

A copy that is cut in the middle of a number is a valid file, and no parser can tell:
only its rest can. A file that keeps size and time for two seconds counts as whole.
"""

from __future__ import annotations

import os
import stat
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.doors.receipts import Waits
from cbi_stream.words import clock

SECONDS = 2.0
MOST_BYTES = 512 * 1024 * 1024
_KINDS = {
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
}


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a file looked like at one moment, from the outside."""

    size: int
    mtime_ns: int
    inode: int


def glimpse(path: Path) -> Glimpse:
    """Return what the file looks like now, without opening it.

    Raises:
        Waits: it is no regular file of one name, or is too large.
    """
    try:
        found = path.lstat()
    except OSError as error:
        msg = f"it cannot be looked at: {error.strerror}"
        raise Waits(msg) from error
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "a device")
        msg = f"expected a regular file; found {kind}, which is never opened"
        raise Waits(msg, "take it away, or put the file itself here")
    if found.st_nlink != 1:
        msg = (
            f"expected a file of one name; found one with {found.st_nlink} (hard links)"
        )
        raise Waits(msg, "copy it here instead of linking it")
    if found.st_size > MOST_BYTES:
        msg = f"expected at most {MOST_BYTES} bytes; found {found.st_size}"
        raise Waits(msg, "cut it into files of fewer lines, each with the header")
    return _glimpse_of(found)


def _glimpse_of(found: os.stat_result) -> Glimpse:
    return Glimpse(found.st_size, found.st_mtime_ns, found.st_ino)


class Settling:
    """Remembers how files looked, to tell those that still grow."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[Glimpse, float]] = {}

    def is_whole(self, path: Path, seen: Glimpse) -> bool:
        """Return whether a file has kept its size and time for two seconds.

        A time of last change at least so long ago counts at once; one in the future
        says nothing.
        """
        age = clock.now().timestamp() - seen.mtime_ns / 1e9
        if age >= SECONDS:
            return True
        moment = time.perf_counter()
        before, since = self._first.get(path.name, (None, moment))
        if before != seen:
            self._first[path.name] = (seen, moment)
            return False
        return moment - since >= SECONDS


def copied(path: Path, seen: Glimpse) -> bytes:
    """Return the bytes of a file that looks as it did.

    Raises:
        Waits: it cannot be opened, or changed while it was read.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        msg = f"it cannot be read: {error.strerror}"
        raise Waits(msg, "change its permissions, or copy it here again") from error
    with os.fdopen(descriptor, "rb") as file:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            msg = "expected a regular file; it became something else while looked at"
            raise Waits(msg)
        data = file.read(seen.size + 1)
        after = os.fstat(descriptor)
    same = _glimpse_of(before) == seen == _glimpse_of(after)
    if not same or len(data) != seen.size:
        msg = "it changed while it was read"
        raise Waits(msg, "nothing to do: it is read when it rests", unsettled=True)
    return data


def pause(seconds: float) -> None:
    """Do nothing for so long."""
    threading.Event().wait(seconds)
