"""The landing: files that were handed in, taken into the archive and raw.

Each file ends in exactly one of three places, with a receipt that says why: its bytes in
the archive and its lines in raw; or the quarantine; or it waits where it is. Nothing is
ever lost, and a file that is taken twice changes nothing.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from cbi_stream.doors import dropping, receipts
from cbi_stream.doors.completing import complete
from cbi_stream.doors.dropping import Hint, check, drop
from cbi_stream.doors.readers import Here, Reader
from cbi_stream.doors.receipts import End, Receipt, Refused, Waits
from cbi_stream.doors.settling import Settling
from cbi_stream.doors.taking import Desk, File, append, finish, look_at, read
from cbi_stream.engine.graph import Graph
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import CbiError

__all__ = [
    "Hint",
    "Receipt",
    "check",
    "complete",
    "drop",
    "foresee",
    "take_in",
    "waiting",
]

_LAST = datetime.max.replace(tzinfo=UTC)
_MOST_TOGETHER = 64
"""So many files are appended in one commit."""
_MOST_BYTES = 32 << 20
"""No file joins others of so many bytes."""


def waiting(lake: Lake) -> list[Path]:
    """Return what lies in the landing to be taken in, by name."""
    folder = lake.folder / "landing"
    durable.make_folder(folder)
    found = [p for p in folder.iterdir() if not receipts.is_passed_over(p.name)]
    return sorted(found, key=lambda path: os.fsencode(path.name))


def take_in(
    lake: Lake,
    graph: Graph,
    *,
    reader: Reader | None = None,
    settling: Settling | None = None,
    names: Collection[str] | None = None,
    stopping: Callable[[], bool] = lambda: False,
    seconds: float = math.inf,
) -> list[Receipt]:
    """Look at every file in the landing once, and take in what can be.

    Those that were seen first are taken first; then it goes by table and name. Files of
    one table are appended together. What is left when the time is up is taken at the
    next look.

    Args:
        lake: the lake.
        graph: its handlers and parsers.
        reader: who reads the bytes; without one they are read in this process.
        settling: remembers files that still grow, from look to look.
        names: look at these files only.
        stopping: whether to end after the file at hand; asked before each.
        seconds: how long to take files in; one at least is taken.

    Returns:
        A receipt for each file that waits or was taken, as written beside it.
    """
    desk = Desk(lake, graph, reader or Here(), settling or Settling())
    with dropping.locked(lake):
        files = [
            File(path) for path in waiting(lake) if names is None or path.name in names
        ]
        told: list[Receipt | None] = []
        ready: list[File] = []
        for file in takewhile(lambda _: not stopping(), files):
            told.append(_guarded(desk, file, look_at))
            ready += [file] if told[-1] is None else []
        ready.sort(key=lambda file: (file.known["as_of"] or _LAST, file.found_raw))
        until = time.perf_counter() + seconds
        for i, group in enumerate(_groups(ready)):
            if stopping() or (i and time.perf_counter() >= until):
                break
            told += _taken_together(desk, group)
    return [receipt for receipt in told if receipt is not None]


def _groups(files: list[File]) -> Iterator[list[File]]:
    """Yield files of one raw table that follow each other, not too many at once."""
    group: list[File] = []
    size = 0
    for file in files:
        other = bool(group) and group[0].found_raw != file.found_raw
        if group and (other or len(group) >= _MOST_TOGETHER or size >= _MOST_BYTES):
            yield group
            group, size = [], 0
        group.append(file)
        size += file.known["bytes"]
    if group:
        yield group


def _taken_together(desk: Desk, group: list[File]) -> list[Receipt | None]:
    """Take files in with one commit; whatever goes wrong is the receipt of its file."""
    told: list[Receipt | None] = []
    whole: list[File] = []
    for file in group:
        told.append(_guarded(desk, file, read))
        whole += [file] if told[-1] is None else []
    try:
        append(desk, whole)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException:  # noqa: BLE001 - each alone says what is wrong with it
        return told + [_guarded(desk, file, _alone) for file in whole]
    return told + [_guarded(desk, file, finish) for file in whole]


def _alone(desk: Desk, file: File) -> Receipt:
    append(desk, [file])
    return finish(desk, file)


def foresee(lake: Lake, graph: Graph, names: Collection[str]) -> list[Receipt]:
    """Return what a look at files of the landing says of them now, and do nothing.

    A receipt that says neither reason nor mend is of a file that would be read.
    """
    desk = Desk(lake, graph, Here(), Settling())
    told = []
    for path in [path for path in waiting(lake) if path.name in names]:
        file = File(path)
        try:
            look_at(desk, file)
            told.append(file.receipt(end="waiting"))
        except (Waits, Refused) as why:
            end: End = "waiting" if isinstance(why, Waits) else "quarantine"
            told.append(file.receipt(end=end, reason=str(why), mend=why.mend or None))
    return told


def _guarded(
    desk: Desk, file: File, step: Callable[[Desk, File], Receipt | None]
) -> Receipt | None:
    """Do a step with one file; whatever goes wrong is its receipt and no other's.

    Raises:
        OSError: the disk refused when the file was taken already, or takes no receipt.
    """
    try:
        return step(desk, file)
    except Refused as refusal:
        told = file.receipt(end="quarantine", reason=str(refusal), mend=refusal.mend)
        return dropping.aside(desk.lake, file.path, told)
    except Waits as wait:
        told = file.receipt(
            end="waiting",
            reason=str(wait),
            mend=wait.mend or None,
            unsettled=wait.unsettled,
        )
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a polars panic is no Exception
        if file.taken and not file.path.exists():
            raise  # what is not there cannot wait: its receipt says that it was taken
        why = str(error) if isinstance(error, CbiError) else repr(error)
        told = file.receipt(
            end="waiting", reason=why, mend="it is tried again at the next run"
        )
    receipts.write(file.path, told)
    return told


def incomplete(lake: Lake) -> list[Receipt]:
    """Return the receipts of files that were taken, and whose lines no wave has seen."""
    return receipts.incomplete(lake.folder / "landing")
