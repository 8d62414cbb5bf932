"""Tells a torn commit from a damaged one, by the bytes of a log's end alone.

Torn is what a power cut may leave: the newest commit, and a checkpoint. All else that
is wrong was acknowledged once. It only reads; `lake/tail.py` acts on it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cbi_stream.lake import log
from cbi_stream.lake.partition_map import StoredFile
from cbi_stream.lake.table import Table
from cbi_stream.words.errors import DamagedLake

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint\..*parquet")
_TWIN = re.compile(r"(\d{20,})(?!\d|.*(?:checkpoint|compacted))[^#]*\.json", re.I)
_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Fault:
    """One file that is not what it should be."""

    path: Path
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.path}: expected {self.expected}; found {self.found}"


@dataclass(slots=True)
class Listed:
    """What lies in a table's `_delta_log`, from one listing."""

    commits: dict[int, int] = field(default_factory=dict)
    """Version to size."""
    checkpoints: dict[Path, int] = field(default_factory=dict)
    twins: list[tuple[Path, int]] = field(default_factory=list)
    """Files that are named like a commit, and are none."""

    @property
    def newest(self) -> int:
        """The newest version; -1 where there is none."""
        return max(self.commits, default=-1)


def listed(table: Table) -> Listed:
    """Return what lies in a table's log; nothing where there is no log."""
    found, folder = Listed(), table.folder / "_delta_log"
    if not folder.is_dir():
        return found
    with os.scandir(folder) as entries:
        for entry in entries:
            if match := _COMMIT.fullmatch(entry.name):
                # Each size is looked at: delta-rs takes an empty commit for one that
                # did nothing, wherever it stands.
                size = entry.stat(follow_symlinks=False).st_size
                found.commits[int(match[1])] = size
            elif match := _CHECKPOINT.fullmatch(entry.name):
                found.checkpoints[Path(entry.path)] = int(match[1])
            elif match := _TWIN.fullmatch(entry.name):
                found.twins.append((Path(entry.path), int(match[1])))
    return found


def disorder(table: Table, found: Listed) -> Iterator[Fault]:
    """Yield what keeps the commits from being one row from 0 on, each of them once."""
    for version in range(found.newest):
        size = found.commits.get(version)
        # What stands right below the newest is read, and judged, with it.
        if size is None or (size == 0 and version < found.newest - 1):
            what = "none" if size is None else "an empty file"
            path = log.commit_path(table.folder, version)
            yield Fault(path, f"the commit of version {version}", what)
    for path, version in found.twins:
        own = log.commit_path(table.folder, version)
        if not own.exists() or own.read_bytes() != path.read_bytes():
            what = "another file with its number: two histories were put together"
            yield Fault(path, f"version {version} once", what)


def torn(table: Table, newest: int) -> list[Fault]:
    """Return what is wrong with the newest commit; nothing where it is whole.

    Two may be torn where no line hangs on the lower one: in a derived table, and in
    the first commit of any table, which comes after the one that makes it.

    Raises:
        DamagedLake: something else is wrong than a power cut can do.
    """
    most = 1 if table.contract.is_record and newest != 1 else 2
    found: list[Fault] = []
    while len(found) <= newest:
        fault = _fault(table, newest - len(found))
        if fault is None:
            break
        if len(found) == most:
            raise damaged(table, fault)
        found.append(fault)
    return found


def _fault(table: Table, version: int) -> Fault | None:
    """Return how a commit is torn, or None where it is whole."""
    path = log.commit_path(table.folder, version)
    try:
        data = path.read_bytes()
        anew = creates(data)
        if anew is False:
            log.map_at(table.folder, version)
    except OSError as error:
        fault = Fault(path, "a commit that can be read", str(error))
        raise damaged(table, fault) from error
    except (ValueError, KeyError, TypeError, AttributeError, DamagedLake) as error:
        why = reason(error)
        return Fault(path, "a whole commit", f"{len(data)} bytes, {why}")
    if anew is None or (anew and version and table.contract.is_record):
        what = "a commit of another tool: move it away if its rows are not wanted"
        raise damaged(table, Fault(path, "a commit of this lake", what))
    if version == 0 or anew:
        return None
    return _held_against_the_one_before(table, version, data)


def reason(error: Exception) -> str:
    """Return why a commit cannot be read, without the bytes that an error may hold."""
    why = error.__cause__ or error
    return f"{type(why).__name__}: {why}"


def creates(data: bytes) -> bool | None:
    """Return whether a commit makes its table anew; None where it is not ours.

    Raises:
        ValueError: it is not whole.
    """
    actions: dict[str, Any] = {}
    for line in data.splitlines():
        actions.update(json.loads(line))
    info = actions["commitInfo"]
    if log.MAP_KEY in info:
        return False
    if not str(info.get("operation")).startswith("CREATE"):
        return None
    if not actions.keys() >= {"protocol", "metaData"}:
        msg = "the last lines of the commit are missing"
        raise ValueError(msg)
    return True


def _held_against_the_one_before(
    table: Table, version: int, data: bytes
) -> Fault | None:
    path = log.commit_path(table.folder, version)
    before = log.commit_path(table.folder, version - 1)
    current = log.map_at(table.folder, version)
    below = before.read_bytes()
    if data == below:
        return Fault(path, "a commit of its own", f"a copy of {before.name}")
    digest = hashlib.sha256(below).hexdigest()
    if digest != current.previous:
        said = f"sha256 {current.previous[:16]}, as {path.name} on top of it says"
        raise damaged(table, Fault(before, said, f"sha256 {digest[:16]}"))
    older = log.map_at(table.folder, version - 1).partitions.values()
    kept = {stored for entry in older for stored in entry.files}
    missing = None
    for stored in (f for p in current.partitions.values() for f in p.files):
        fault = _file_fault(table, stored)
        if fault and stored in kept:
            raise damaged(table, fault)
        missing = missing or fault
    if missing is None:
        return None
    what = f"{missing.path}: {missing.found}"
    return Fault(path, "a commit with all its files", what)


def _file_fault(table: Table, stored: StoredFile) -> Fault | None:
    path = table.folder / stored.path
    try:
        size, end = _ending(path)
    except FileNotFoundError:
        return Fault(path, "the file that the log names", "none")
    if size != stored.size:
        return Fault(path, f"{stored.size} bytes", f"{size} bytes")
    if end != _MAGIC:
        return Fault(path, "a Parquet file", f"{end!r} at its end")
    return None


def _ending(path: Path) -> tuple[int, bytes]:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - len(_MAGIC), 0))
        return size, file.read()


def bad_checkpoints(table: Table, found: Listed, *, newest: int) -> Iterator[Fault]:
    """Yield checkpoints that must not be read, and a hint that leads to none.

    Raises:
        DamagedLake: one shows that a commit of a record was there, and is not.
    """
    good = set(found.checkpoints.values())
    last = max((v for v in good if v <= newest), default=-1)
    for path, version in sorted(found.checkpoints.items()):
        size, end = _ending(path) if version >= last else (0, _MAGIC)
        if version > newest:
            fault = Fault(path, f"none above version {newest}", "a later one")
            if table.contract.is_record:
                # It is begun when its commit is on the disk: lines were lost.
                raise damaged(table, fault)
        elif end != _MAGIC:
            fault = Fault(path, "a whole checkpoint", f"{size} bytes")
        else:
            continue  # the older ones are not read, and no power cut tears them
        good.discard(version)
        yield fault
    hint = table.folder / "_delta_log" / "_last_checkpoint"
    try:
        leads = json.loads(hint.read_bytes())["version"] in good
    except FileNotFoundError:
        return
    except (ValueError, KeyError, TypeError):
        leads = False
    if not leads:
        yield Fault(hint, "the version of a checkpoint", "none that can be read")


def damaged(table: Table, fault: Fault) -> DamagedLake:
    """Return the error that refuses a table, with what a person can do."""
    folder, name = table.folder, table.contract.table
    mend = f"move {folder} away, and `cbi run --until-idle` computes it anew from raw"
    if table.contract.is_record:
        mend = (
            f"restore {folder} from a backup. What the backup lacks stands in archive/: "
            "move current.json and the folders of all derived tables away, hand those "
            "files in again with --as-of, and `cbi run --until-idle`"
        )
    return DamagedLake(f"{name}: {fault}. Nothing was moved or written; {mend}")
