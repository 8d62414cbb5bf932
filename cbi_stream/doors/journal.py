"""The journal of questions: what each source was asked, and what it answered.

One line of JSON per question in `<lake>/fetches/<source>.jsonl`, and beside it the lock
of whoever asks the source. Lines are only ever put behind the last one; none is read back
to be changed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from cbi_stream.doors.questions import (
    PREFIX,
    Journal,
    Outcome,
    Question,
    line_of,
    read_line,
)
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import LockHeld, WrongUsage

__all__ = ["FOLDER", "Journal", "Journals", "Outcome", "Question"]

FOLDER = "fetches"


@dataclass(slots=True)
class _Reading:
    """How far a journal was read."""

    journal: Journal
    inode: int
    offset: int = 0


class Journals:
    """The journals of all sources of a lake. One is for one thread at a time."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._readings: dict[str, _Reading] = {}

    def append(self, source: str, question: Question) -> None:
        """Put one line behind the last one, durably.

        Raises:
            OSError: the disk did not take it; the next line mends what is torn.
        """
        path = self._path(source, ".jsonl")
        durable.make_folder(path.parent)
        begins = not path.exists()
        how = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        file = os.open(path, how, 0o600)
        try:
            size = os.fstat(file).st_size
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            # After a torn line, ours must not become its end.
            data = b"\n" * torn + line_of(question)
            # One write: the kernel appends it whole, whoever else writes just now.
            if os.write(file, data) < len(data):
                raise OSError(errno.ENOSPC, "no room for a whole line", str(path))
        finally:
            os.close(file)
        durable.sync(path)
        if begins:
            durable.sync(path.parent)

    def read(self, source: str) -> Journal:
        """Return what the journal of a source says now; of what was read, only the rest.

        Whoever keeps what this returned sees it grow with the next call.
        """
        path = self._path(source, ".jsonl")
        refused = _refused(self._lake.folder)
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return Journal(self._zone(source), refused)
        with file:
            found = os.fstat(file.fileno())
            reading = self._readings.get(source)
            if (
                reading is None
                or reading.journal.refused != refused
                or reading.inode != found.st_ino
                or reading.offset > found.st_size
            ):
                reading = _Reading(Journal(self._zone(source), refused), found.st_ino)
                self._readings[source] = reading
            file.seek(reading.offset)
            for data in file:
                if not data.endswith(b"\n"):
                    break  # torn, or written just now
                reading.offset += len(data)
                if (line := read_line(data)) is not None:
                    reading.journal.take(line)
        return reading.journal

    def answered_after(self, source: str, instant: datetime) -> list[Question]:
        """Return the questions whose answers were taken, or the same as before, since then.

        Oldest first. Where the source only said that nothing has changed, the hash is
        that of the bytes that it spoke of.
        """
        path = self._path(source, ".jsonl")
        if not path.exists():
            return []
        refused = _refused(self._lake.folder)
        found, standing = [], dict[str, Question]()
        for line in path.read_bytes().splitlines():
            each = read_line(line)
            if each is None or each.plain["outcome"] not in ("landed", "same"):
                continue
            asked = each.question()
            before = standing.get(asked.name, asked)
            sha256 = asked.sha256 or before.sha256
            if sha256 is None or sha256[:PREFIX] in refused:
                continue
            series = asked.series or before.series
            standing[asked.name] = replace(asked, sha256=sha256, series=series)
            if asked.at > instant:
                found.append(standing[asked.name])
        return sorted(found, key=lambda each: each.at)

    @contextmanager
    def asking(self, source: str) -> Iterator[None]:
        """Hold the right to ask a source: one run at a time, across all processes.

        Raises:
            LockHeld: another run asks it now.
        """
        with ExitStack() as held:
            try:
                lock = durable.locked(self._path(source, ".lock"), wait=False)
                held.enter_context(lock)
            except LockHeld as error:
                msg = f"{source} is being asked already: {error}"
                raise LockHeld(msg) from error
            yield

    def _path(self, source: str, suffix: str) -> Path:
        self._zone(source)
        return self._lake.folder / FOLDER / f"{source}{suffix}"

    def _zone(self, source: str) -> str:
        known = self._lake.registry.data_sources.sources
        if source not in known:
            msg = f"expected one of the sources {', '.join(known)}; found {source!r}"
            raise WrongUsage(msg)
        return known[source].zone


def _refused(folder: Path) -> frozenset[str]:
    """Return how the sha256 of each file begins that was turned away as a whole."""
    try:
        names = os.listdir(folder / "quarantine" / "files")  # noqa: PTH208 - names alone
    except FileNotFoundError:
        return frozenset()
    return frozenset(
        name[:PREFIX] for name in names if name[PREFIX : PREFIX + 1] == "-"
    )
