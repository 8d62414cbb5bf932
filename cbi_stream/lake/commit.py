"""Durable commits: files first, then one log entry, then acknowledge.

delta-rs never syncs a local file, so a power cut could take acknowledged rows. Here
everything is on the disk before the caller hears of it. It never deletes a file: what
a failed commit leaves behind is not in the log and nothing reads it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cbi_stream.lake import durable, log
from cbi_stream.lake.partition_map import Partition, PartitionMap, StoredFile
from cbi_stream.lake.table import Table
from cbi_stream.words.errors import CommitConflict

CHECKPOINT_EVERY = 20
"""How many commits a reader of the log reads one by one, at most."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A partition's new Parquet file, written somewhere inside the lake."""

    path: Path
    stored: StoredFile
    entry: Partition
    """The partition as it will stand in the map, its files not filled in yet."""


def commit(
    table: Table,
    finished: Mapping[str, Finished],
    *,
    expected: int,
    written: PartitionMap,
    append: bool = False,
) -> int:
    """Commit finished partitions and the table's new map; return the new version.

    With nothing finished the commit carries the map alone: it changes no data and
    wakes nobody.

    Args:
        table: the table to commit to.
        finished: partition to its new file, which is moved into the table.
        expected: the version that the work was based on; -1 for a new table.
        written: the complete new map, without the finished partitions' files.
        append: add the files to their partitions instead of replacing them.

    Raises:
        CommitConflict: the table is no longer at `expected`.
        OSError: a disk refused; the table is as it was, or holds this commit.
    """
    with durable.locked(table.folder / ".write.lock"):
        _refuse_stale(table, expected)
        table.open()
        placed = {p: [_place(table, p, f)] for p, f in finished.items()}
        partitions = dict(written.partitions)
        for name, done in finished.items():
            kept = partitions[name].files if append and name in partitions else ()
            partitions[name] = replace(done.entry, files=(*kept, *placed[name]))
        base = log.newest_version(table.folder)
        # A power cut may tear only the newest commit: what it stands on is synced first.
        _sync_log(table, range(max(expected, 0), (base or 0) + 1))
        chained = replace(
            written,
            partitions=partitions,
            shape=table.shape,
            previous=log.commit_digest(table.folder, base) if base is not None else "",
        )
        replaced = bool(placed) and not append
        new = table.transact(placed, replaced=replaced, written=chained)
        # The first commit of a table comes after another, which makes the table.
        _sync_log(table, range(expected + 1, new + 1))
        if expected < 0:
            durable.sync(table.folder)
        if new % CHECKPOINT_EVERY == 0:
            table.checkpoint()
        return new


def _sync_log(table: Table, versions: range) -> None:
    for version in versions:
        durable.sync(log.commit_path(table.folder, version))
    durable.sync(table.folder / "_delta_log")


def _refuse_stale(table: Table, expected: int) -> None:
    """Refuse work that was based on an older version: it would undo the newer one."""
    version = log.newest_version(table.folder)
    if (-1 if version is None else version) != expected:
        msg = f"{table.folder}: expected version {expected}; found {version}"
        raise CommitConflict(msg)


def _place(table: Table, partition: str, finished: Finished) -> StoredFile:
    folder = table.folder / f"{table.contract.grain.value}={partition}"
    durable.make_folder(folder)
    name = f"part-{finished.stored.sha256[:16]}-{uuid.uuid4().hex[:8]}.parquet"
    # The bytes were synced when they were written: the name is what is new.
    finished.path.replace(folder / name)
    durable.sync(folder)
    return replace(finished.stored, path=f"{folder.name}/{name}")
