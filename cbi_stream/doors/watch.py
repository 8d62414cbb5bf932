"""Hints that files came: the landing and the logs of raw tables, by the one door to watchdog.

A hint may be lost, doubled or early, so it never says what came: the caller looks at
the lake itself. An overflow of the kernel's queue cannot be seen from here. Therefore
the caller looks every 30 s as well. After each `wait` it asks `alive` (a raw table may
have come into being) and calls `renew` where that is false. A file that is written over
in place, or still grows, gives no second hint either.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path, PurePath
from types import TracebackType
from typing import Literal, Self

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from cbi_stream.doors import receipts

# Reads raise `opened` and `closed`: who listens to those wakes itself for ever.
_KINDS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
_COMMIT = re.compile(r"\d{20}\.json")
_STOP_SECONDS = 1.0
# It logs an error where it is closed while a move is half told: nothing is wrong then.
logging.getLogger("watchdog.observers.inotify").addFilter(
    lambda record: "thread is inactive" not in record.getMessage()
)
Part = Literal["lake", "landing", "raw", "table", "log"]
Marks = dict[Path, tuple[int, int]]
"""Which folder stood at each place that is watched: device and inode."""


def is_hint(part: Part, below: tuple[str, ...]) -> bool:
    """Return whether something that came, moved or went may mean work.

    Args:
        part: which folder is watched.
        below: the names on the way from that folder to what came, moved or went.
    """
    if len(below) != 1:
        return not below  # the folder itself came or went; what lies deeper is nothing
    [name] = below
    if part == "landing":
        return name.endswith(receipts.ASOF) or not receipts.is_passed_over(name)
    if part == "raw":
        return not name.startswith(".")
    if part == "log":
        # The commit's own name only: `N.json#1` comes before it is whole.
        return _COMMIT.fullmatch(name) is not None
    return name in ("landing", "raw", "_delta_log")


def _places(lake: Path) -> dict[Path, Part]:
    """Return the folders to watch; of a table without a log, the table itself."""
    # One by one: watched with all that is inside, watchdog warns about new folders.
    raw = lake / "raw"
    found: dict[Path, Part] = {lake: "lake", lake / "landing": "landing", raw: "raw"}
    for table in raw.iterdir() if raw.is_dir() else ():
        log = table / "_delta_log"
        found |= {log: "log"} if log.is_dir() else {table: "table"}
    return {path: part for path, part in found.items() if path.is_dir()}


class Watch:
    """Watches a lake's folder inside a `with` block; off, it only waits.

    It can be armed late: where the folder is missing, or the system grants no watch,
    `alive` is false, `why` says the reason, and `renew` tries again.
    """

    def __init__(self, folder: Path, *, off: bool = False) -> None:
        self.folder = folder
        self.why = ""
        """Why `alive` was false when it was last asked; empty where it was true."""
        self._off = off
        self._hint = threading.Event()
        self._observer: BaseObserver | None = None
        self._armed: Marks = {}

    def __enter__(self) -> Self:
        """Begin to watch, if the folder can be watched."""
        self.renew()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the threads."""
        self.close()

    def wait(self, timeout: float) -> bool:
        """Wait for a hint, at most so many seconds; return whether one came.

        Hints since the last call count, and all of them are one.
        """
        # Cleared only when seen: one that comes right after the time is kept.
        if not self._hint.wait(timeout):
            return False
        self._hint.clear()
        return True

    def wake(self) -> None:
        """End a `wait`, from any thread. Not from a signal's handler: it may lock up."""
        self._hint.set()

    def alive(self) -> bool:
        """Return whether hints can come: threads run, and the folders are the same."""
        self.why = "" if self._off else self._fault()
        return not self.why

    def renew(self) -> bool:
        """Watch anew, whatever was before; return whether that is alive.

        Once armed there is a hint, since nobody saw what came in between. Where it
        cannot be armed there is none, so a caller's loop does not spin.
        """
        if self._off:
            return True
        self.close()
        try:
            self._arm()
        except OSError as error:
            self.close()
            self.why = f"{self.folder} cannot be watched: {error.strerror or error}"
            return False
        if self.alive():
            self._hint.set()
        return not self.why

    def close(self) -> None:
        """Stop the threads, within a second."""
        observer, self._observer = self._observer, None
        if observer is None:
            return
        # What is half dead may complain about being stopped: it is dropped anyway.
        with contextlib.suppress(Exception):
            observer.stop()
        if observer.is_alive():
            observer.join(_STOP_SECONDS)

    def _arm(self) -> None:
        # Marks first: what is replaced while this runs is seen as replaced.
        self._armed = _marks(self.folder)
        self.folder.stat()
        self._observer = Observer()
        for path, part in _places(self.folder).items():
            place = path.resolve()
            caught = _Caught(part, place, self.wake)
            self._observer.schedule(caught, str(place), event_filter=_KINDS)
        self._observer.start()

    def _fault(self) -> str:
        observer = self._observer
        if observer is None:
            return f"{self.folder} is not watched"
        # Where the kernel's queue is read by a thread of its own, it counts as well.
        reader = getattr(observer, "_inotify_fd", None)
        threads = [observer, *observer.emitters.copy(), *([reader] if reader else [])]
        if not all(each.is_alive() for each in threads):
            return f"a thread that watched {self.folder} ended"
        # A folder that was deleted may get its inode number again: its thread has ended.
        if _marks(self.folder) != self._armed:
            return f"{self.folder}: its folders are others than those that were watched"
        return ""


def _marks(lake: Path) -> Marks:
    try:
        found = {path: path.stat() for path in _places(lake)}
    except OSError:
        return {}  # one went while it was looked at: no marks are like any others
    return {path: (each.st_dev, each.st_ino) for path, each in found.items()}


class _Caught(FileSystemEventHandler):
    """What watchdog calls. It sets a flag and does nothing else."""

    def __init__(self, part: Part, place: Path, wake: Callable[[], None]) -> None:
        self._part = part
        self._place = place
        self._wake = wake

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Set the flag where the event may mean work; in doubt, set it."""
        try:
            paths = [os.fsdecode(p) for p in (event.src_path, event.dest_path) if p]
            inside = [self._below(p) for p in paths if self._is_inside(p)]
            # A name that is told in another spelling of the folder: in doubt, too.
            hinted = not inside or any(is_hint(self._part, each) for each in inside)
        except Exception:  # noqa: BLE001 - what leaves here ends watchdog's thread
            hinted = True
        if hinted:
            self._wake()

    def _is_inside(self, path: str) -> bool:
        return PurePath(path).is_relative_to(self._place)

    def _below(self, path: str) -> tuple[str, ...]:
        return PurePath(path).relative_to(self._place).parts
