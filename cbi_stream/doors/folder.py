"""A folder of files: which of them one source wrote, oldest first.

It reads their beginnings only, and never moves or changes one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

from cbi_stream.doors import receipts
from cbi_stream.doors.reading import unpacked_head
from cbi_stream.doors.receipts import Waits
from cbi_stream.doors.settling import copied, glimpse
from cbi_stream.doors.stated import read_time, taken_apart
from cbi_stream.doors.strangers import GZIP
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.words.errors import WrongUsage

_HEAD_BYTES = 64 * 1024
_LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a folder."""

    fitting: tuple[Path, ...]
    """Those with a header of the source; what was seen first is first."""
    left: tuple[Path, ...]
    """The others, by name."""


def files_of(graph: Graph, folder: Path, source: str) -> Found:
    """Return which files of a folder have a header of this source.

    Raises:
        WrongUsage: there is no such folder.
    """
    if not folder.is_dir():
        msg = f"expected a folder; found none at {folder}"
        raise WrongUsage(msg)
    parsers = graph.parsers[source]
    there = sorted(p for p in folder.iterdir() if not receipts.is_passed_over(p.name))
    fitting = [
        path
        for path in there
        if not path.is_dir()
        and layouts_of(parsers, _head(path), name=taken_apart(path.name).plain)
    ]
    left = [path for path in there if path not in fitting and not path.is_dir()]
    fitting.sort(key=lambda path: (_seen(path), path.name))
    return Found(tuple(fitting), tuple(left))


def _head(path: Path) -> bytes:
    try:
        head = copied(path, glimpse(path))[:_HEAD_BYTES]
    except Waits:
        return b""
    return unpacked_head(head, _HEAD_BYTES) if head.startswith(GZIP) else head


def _seen(path: Path) -> datetime:
    """Return about when a file was seen, as its name says: for the order alone."""
    try:
        when: date = read_time(taken_apart(path.name).when or "")
    except ValueError:
        return _LAST
    if isinstance(when, datetime):
        return when
    return datetime.combine(when, time(), UTC)
