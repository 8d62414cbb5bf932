"""Every way to damage a table that was tried, each as one function of a table's folder.

A function damages what belongs to one version. It looks at the disk only, and never
goes through the code that has to find the damage, save to learn a commit's files.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from cbi_stream.lake import log

Damage = Callable[[Path, int], None]


def commit(table: Path, version: int) -> Path:
    """Return the file of a commit."""
    return table / "_delta_log" / f"{version:020d}.json"


def checkpoint(table: Path, version: int) -> Path:
    """Return the file of a checkpoint."""
    return table / "_delta_log" / f"{version:020d}.checkpoint.parquet"


def hint(table: Path) -> Path:
    """Return the file that leads readers to the newest checkpoint."""
    return table / "_delta_log" / "_last_checkpoint"


def files_of(table: Path, version: int) -> list[Path]:
    """Return the data files that a commit added."""
    lines = commit(table, version).read_text().splitlines()
    added = [json.loads(line).get("add") for line in lines]
    return [table / each["path"] for each in added if each]


def cut_inside_a_line(table: Path, version: int) -> None:
    """Leave half of a commit."""
    path = commit(table, version)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def nuls(table: Path, version: int) -> None:
    """Fill a commit with zeros."""
    path = commit(table, version)
    path.write_bytes(bytes(path.stat().st_size))


def garbage(table: Path, version: int) -> None:
    """Fill a commit with noise."""
    commit(table, version).write_bytes(random.Random(4).randbytes(300))


def cut_at_a_line_end(table: Path, version: int) -> None:
    """Take the last line of a commit, which holds the transaction."""
    path = commit(table, version)
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0] + b"\n")


def empty(table: Path, version: int) -> None:
    """Leave nothing of a commit."""
    commit(table, version).write_bytes(b"")


def other_json(table: Path, version: int) -> None:
    """Put something else that is JSON into a commit."""
    commit(table, version).write_text('{"hello":1}\n')


def missing(table: Path, version: int) -> None:
    """Take a commit away."""
    commit(table, version).unlink()


def first_missing(table: Path, version: int) -> None:
    """Take the commit away that made the table."""
    commit(table, 0).unlink()


def copied_beyond_a_gap(table: Path, version: int) -> None:
    """Put a copy of a commit where a version lacks below."""
    shutil.copy(commit(table, version), commit(table, 7))


def copied_on_top(table: Path, version: int) -> None:
    """Put a copy of a commit on top of the newest."""
    shutil.copy(commit(table, version), commit(table, 6))


def another_with_its_number(table: Path, version: int) -> None:
    """Do as a program that copies folders does with two histories."""
    twin = commit(table, version).with_name(f"{version:020d} (1).json")
    twin.write_bytes(commit(table, version).read_bytes().replace(b'"cbi"', b'"cbj"'))


def same_file_added_twice(table: Path, version: int) -> None:
    """Let a commit name its file once more."""
    path = commit(table, version)
    lines = path.read_bytes().splitlines()
    added = [line for line in lines if line.startswith(b'{"add"')]
    path.write_bytes(b"\n".join([*lines, *added]))


def by_another_tool(table: Path, version: int) -> None:
    """Put a commit of a tool that knows no map in its place, or on top."""
    info = {"commitInfo": {"operation": "WRITE", "engineInfo": "another"}}
    add = {"add": {"path": "year=2016/x.parquet", "size": 9, "dataChange": True}}
    path = commit(table, version if version < 5 else 6)
    path.write_text(f"{json.dumps(info)}\n{json.dumps(add)}\n")


def data_missing(table: Path, version: int) -> None:
    """Take a commit's data file away."""
    files_of(table, version)[0].unlink()


def data_empty(table: Path, version: int) -> None:
    """Leave nothing of a commit's data file."""
    files_of(table, version)[0].write_bytes(b"")


def data_cut(table: Path, version: int) -> None:
    """Take the end of a commit's data file."""
    path = files_of(table, version)[0]
    path.write_bytes(path.read_bytes()[:-20])


def data_nuls(table: Path, version: int) -> None:
    """Fill a commit's data file with zeros, as an unsynced file may be."""
    path = files_of(table, version)[0]
    path.write_bytes(bytes(path.stat().st_size))


def data_bit(table: Path, version: int) -> None:
    """Flip one bit of a commit's data file."""
    path = files_of(table, version)[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))


def _with_checkpoints(table: Path, version: int) -> None:
    """Make a checkpoint as the lake does, and one of another version beside it."""
    from deltalake import DeltaTable  # noqa: PLC0415 - only these cases need it

    DeltaTable(table).create_checkpoint()
    if version < log.newest_version(table):
        shutil.copy(
            checkpoint(table, log.newest_version(table)), checkpoint(table, version)
        )


def checkpoint_cut(table: Path, version: int) -> None:
    """Leave half of a checkpoint."""
    _with_checkpoints(table, version)
    path = checkpoint(table, version)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def checkpoint_empty(table: Path, version: int) -> None:
    """Leave nothing of a checkpoint."""
    _with_checkpoints(table, version)
    checkpoint(table, version).write_bytes(b"")


def checkpoint_missing(table: Path, version: int) -> None:
    """Take a checkpoint away, and leave the hint."""
    _with_checkpoints(table, version)
    checkpoint(table, version).unlink()


def hint_garbage(table: Path, version: int) -> None:
    """Put noise where readers look for the newest checkpoint."""
    _with_checkpoints(table, version)
    hint(table).write_text("garbage{")


def hint_empty(table: Path, version: int) -> None:
    """Leave nothing where readers look for the newest checkpoint."""
    _with_checkpoints(table, version)
    hint(table).write_bytes(b"")


def linked(table: Path, version: int) -> None:
    """Move a commit somewhere else and leave a link."""
    path = commit(table, version)
    path.rename(table / "elsewhere.json")
    path.symlink_to(table / "elsewhere.json")


def strangers(table: Path, version: int) -> None:
    """Leave unfinished files, and some that are nobody's."""
    year = files_of(table, version)[0].parent
    commit(table, 6).with_name(f"{6:020d}.json#1").write_text('{"par')
    (year / "part-x.parquet#1").write_text("PA")
    (year / "orphan.parquet").write_text("nobody names it")
    (table / "_delta_log" / "README.txt").write_text("hello")
    (table / "_delta_log" / ".DS_Store").write_text("x")
    shutil.copy(commit(table, 2), commit(table, 2).with_name(f"{2:020d} copy.json"))
