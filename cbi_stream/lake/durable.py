"""Making bytes durable: sync, write by rename, lock. It knows no table format."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from cbi_stream.words import clock
from cbi_stream.words.errors import LockHeld


def sync(path: Path) -> None:
    """Force a file, or the names inside a directory, onto the disk.

    Raises:
        OSError: the disk did not take it; the caller must treat it as not written.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        # On macOS fsync stops at the drive's cache; F_FULLFSYNC goes through it, and is
        # for files: the names in a folder are written by fsync.
        if sys.platform == "darwin" and not path.is_dir():
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


_homes: dict[Path, Path] = {}
"""Folders that stand as long as their volume does, and the file that each must hold."""


def stands_at(folder: Path, mark: Path | None) -> None:
    """Remember that a folder was made, once: without its mark it is never made again.

    Args:
        folder: the folder.
        mark: a file in it; None where it is about to be made.
    """
    _homes.pop(folder, None)
    if mark is not None:
        _homes[folder] = mark


def refuse_lost(folder: Path) -> None:
    """Refuse to make anything in a folder whose volume is gone.

    It would stand in the way of the volume, or lie hidden below it, once that is back.

    Raises:
        FileNotFoundError: the folder lost its mark.
    """
    mark = _homes.get(folder)
    if mark is not None and not mark.exists():
        raise FileNotFoundError(errno.ENOENT, "its volume is gone", str(mark))


def make_folder(path: Path) -> None:
    """Create a directory and its parents, each durable before the next.

    Raises:
        FileNotFoundError: it is to be made where a volume is gone.
    """
    refuse_lost(path)
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def write(path: Path, data: bytes) -> None:
    """Write a whole file so that a reader sees the old bytes or the new, never both."""
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    temporary.write_bytes(data)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def numbered(error: Exception, path: Path) -> Exception:
    """Return an error of the disk with its number, where a library put it into words.

    Any other error comes back as it is.
    """
    said = _NUMBER.search(str(error)) if isinstance(error, OSError) else None
    if said is None or (isinstance(error, OSError) and error.errno is not None):
        return error
    number = int(said[1])
    return OSError(number, os.strerror(number), str(path))


def set_aside(path: Path, folder: Path) -> Path:
    """Move a file to a folder, under a name that was never used; return where it lies."""
    make_folder(folder)
    now = clock.now()
    while (place := folder / f"{now:%Y%m%dT%H%M%S.%fZ}-{path.name}").exists():
        now += timedelta(microseconds=1)
    path.rename(place)
    sync(folder)
    sync(path.parent)
    return place


_NUMBER = re.compile(r"\(os error (\d+)\)")
"""So delta-rs tells the number of an error of the system."""
_PAUSES = (0.01, 0.05)
"""Between attempts to take a lock, in seconds: `holder` keeps one for a moment."""


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold an exclusive lock on the file at `path` inside the block.

    The kernel frees it when the process ends, however it ends. Python opens files
    close-on-exec, so a child never inherits it. Who does not wait for it means to keep
    it: its process id is written into the file, for those who find it held.

    Raises:
        LockHeld: another process holds it and `wait` is false.
    """
    make_folder(path.parent)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, path, wait=wait)
        if not wait:
            _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def holder(path: Path) -> int | None:
    """Return which process holds the lock at `path`; 0 if it is not named, None if none.

    The lock is taken for a moment to see that, so who looks may be in the way of who
    begins: that one tries again.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(descriptor)
    else:
        return None
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    """Return whether a process of this number runs, whoever's it is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _named(descriptor: int) -> int:
    said = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    return int(said) if said.isdecimal() else 0


def _sign(descriptor: int) -> None:
    # The number is for people: a full disk must not keep anyone from the lock.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _lock(descriptor: int, path: Path, *, wait: bool) -> None:
    if wait:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    for pause in (*_PAUSES, None):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
            if pause is not None:
                threading.Event().wait(pause)
                continue
            which = f" ({who})" if (who := _named(descriptor)) else ""
            msg = f"another process{which} holds {path}: wait for it, or stop it"
            raise LockHeld(msg) from error
        return
