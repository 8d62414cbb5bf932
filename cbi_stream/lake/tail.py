"""The end of a table's log, checked before a process writes: a torn commit is set aside.

A power cut can tear only what nobody was told of; all else that is wrong is refused.
It never deletes a file, and moves none whose loss could take acknowledged lines along.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.lake import durable, log, torn
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.table import TORN, Table
from cbi_stream.lake.torn import Fault
from cbi_stream.words.errors import DamagedLake

_UNFINISHED = re.compile(r".*#\d+")


@dataclass(frozen=True, slots=True)
class Witness:
    """Something in the lake that was made from a version of a record."""

    by: str
    version: int
    root: str


@dataclass(frozen=True, slots=True)
class Tail:
    """What a check of one table found, and what it did."""

    table: str
    version: int
    """The newest version after the check; -1 where there is none, or it is damaged."""
    found: tuple[Fault, ...] = ()
    moved: tuple[Path, ...] = ()
    """Where the files that were set aside lie now."""
    damage: str = ""
    """Why nothing may be written to the table; only `check_lake` fills it."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Files of a table that no version names: nothing reads them."""

    paths: tuple[Path, ...]
    bytes: int


def check(table: Table, *, witnesses: Sequence[Witness] = ()) -> Tail:
    """Look at the end of a table's log, and move aside what a power cut tore.

    Takes the table's write lock. Whatever is whole is on the disk afterwards: its
    writer may have been killed before it had synced.

    Args:
        table: the table.
        witnesses: what was made from versions of this table, if it is a record.

    Raises:
        DamagedLake: something that was acknowledged is not as it was; nothing was moved.
        OSError: the disk refused.
    """
    name = table.contract.table
    if not (table.folder / "_delta_log").is_dir():
        _refuse_loss(table, -1, witnesses)
        return Tail(name, -1)
    with durable.locked(table.folder / ".write.lock"):
        newest, found = _judged(table, witnesses)
        moved = tuple(
            durable.set_aside(fault.path, table.folder / TORN) for fault in found
        )
        if moved:
            table.forget()
        _settle(table, newest)
    return Tail(name, newest, found, moved)


def _judged(
    table: Table, witnesses: Sequence[Witness]
) -> tuple[int, tuple[Fault, ...]]:
    """Return the newest version that is whole, and what a power cut tore."""
    try:
        listed = torn.listed(table)
        for fault in torn.disorder(table, listed):
            raise torn.damaged(table, fault)
        commits = torn.torn(table, listed.newest)
        newest = listed.newest - len(commits)
        _refuse_loss(table, newest, witnesses)
        checkpoints = torn.bad_checkpoints(table, listed, newest=newest)
        return newest, (*commits, *checkpoints)
    except OSError as error:
        fault = Fault(table.folder, "a table that can be read", str(error))
        raise torn.damaged(table, fault) from error


def check_lake(lake: Lake, tables: Iterable[str]) -> list[Tail]:
    """Check these tables; one that is damaged says so, and the others go on.

    Derived tables come first: those that are whole then bear witness to the versions
    of the records that they were made from. One that is not there any more was lost
    after it had been acknowledged, which a record alone cannot show.

    Raises:
        OSError: the disk took nothing just now. That is no damage: nothing is known of
            the tables, and a wave without some of them would publish a mixed state.
    """
    names = list(tables)
    derived = [n for n in names if not lake.registry.contracts[n].is_record]
    done = {name: _guarded(lake.table(name)) for name in derived}
    for name in names:
        if name not in done:
            witnesses = list(_witnesses(lake, name, derived))
            done[name] = _guarded(lake.table(name), witnesses)
    return [done[name] for name in names]


def _guarded(table: Table, witnesses: Sequence[Witness] = ()) -> Tail:
    try:
        return check(table, witnesses=witnesses)
    except DamagedLake as error:
        return Tail(table.contract.table, -1, damage=str(error))


def _witnesses(lake: Lake, record: str, derived: Iterable[str]) -> Iterator[Witness]:
    try:
        seen = lake.published().get(record)
    except DamagedLake:
        seen = None  # whoever reads the pointer says so
    if seen is not None:
        yield Witness("current.json", seen.version, seen.root)
    for name in derived:
        folder = lake.table(name).folder
        version = log.newest_version(folder)
        try:
            current = log.map_at(folder, version) if version else PartitionMap({})
        except DamagedLake:
            continue
        recipes = (entry.recipe.inputs for entry in current.partitions.values())
        for at, root in sorted({each[record] for each in recipes if record in each}):
            yield Witness(name, at, root)


def _refuse_loss(table: Table, newest: int, witnesses: Iterable[Witness]) -> None:
    """Refuse a record that lacks a version from which something was made."""
    for each in witnesses if table.contract.is_record else ():
        # A lost commit that only moved lines between files took none along.
        at = min(each.version, newest)
        current = log.map_at(table.folder, at) if at >= 0 else PartitionMap({})
        if current.root != each.root and each.version >= 0:
            said = f"version {each.version} with root {each.root[:16]}"
            have = f"version {at} with root {current.root[:16]}"
            path = table.folder / "_delta_log"
            fault = Fault(path, f"{said}, from which {each.by} was made", have)
            raise torn.damaged(table, fault)


def _settle(table: Table, newest: int) -> None:
    """Make the newest commit durable, and the one below it, which is under no file."""
    for version in range(max(newest - 1, 0), newest + 1):
        durable.sync(log.commit_path(table.folder, version))
    durable.sync(table.folder / "_delta_log")
    durable.sync(table.folder)


def leftovers(table: Table) -> Leftovers:
    """Return the files that failed commits left behind. Nothing is removed.

    Raises:
        DamagedLake: a commit cannot be read, so what it names is not known.
    """
    named: set[Path] = set()
    for version in range(torn.listed(table).newest + 1):
        for entry in log.map_at(table.folder, version).partitions.values():
            named |= {table.folder / stored.path for stored in entry.files}
    found = []
    for path in sorted(table.folder.glob(f"{table.contract.grain.value}=*/*")):
        if path not in named:
            found.append(path)
    for path in sorted((table.folder / "_delta_log").glob("*")):
        if _UNFINISHED.fullmatch(path.name):
            found.append(path)
    return Leftovers(tuple(found), sum(path.lstat().st_size for path in found))


def verify(table: Table) -> list[Fault]:
    """Read every commit and every file of the newest version; return what is wrong.

    For a proof and for a doctor: its cost grows with the table, unlike `check`.
    """
    listed = torn.listed(table)
    found = list(torn.disorder(table, listed))
    current = PartitionMap({})
    live: set[str] = set()
    for version in sorted(listed.commits):
        path = log.commit_path(table.folder, version)
        try:
            current = log.map_at(table.folder, version)
            data = path.read_bytes()
        except (DamagedLake, OSError) as error:
            found.append(Fault(path, "a whole commit", torn.reason(error)))
            continue
        if version and table.contract.is_record and torn.creates(data):
            found.append(Fault(path, "lines added to a record", "a table made anew"))
        live = _replayed(live, data)
        if version and version - 1 in listed.commits and current.previous:
            found += _unchained(table, version, current.previous)
    stored = {f.path: f for p in current.partitions.values() for f in p.files}
    if not found and live != stored.keys():
        what = f"{len(live)} files, {len(live ^ stored.keys())} of them not the same"
        folder = table.folder / "_delta_log"
        found.append(Fault(folder, f"the {len(stored)} files of the map", what))
    for name, each in sorted(stored.items()):
        path = table.folder / name
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != each.sha256:
            found.append(Fault(path, f"{each.size} bytes as written", "others"))
    return found


def _replayed(live: set[str], data: bytes) -> set[str]:
    """Return the files that any Delta reader holds for live after a commit."""
    actions = [json.loads(line) for line in data.splitlines()]
    removed = {a["remove"]["path"] for a in actions if "remove" in a}
    return (live - removed) | {a["add"]["path"] for a in actions if "add" in a}


def _unchained(table: Table, version: int, said: str) -> Iterator[Fault]:
    path = log.commit_path(table.folder, version - 1)
    digest = log.commit_digest(table.folder, version - 1)
    if digest != said:
        expected = f"the commit of sha256 {said[:16]}, as version {version} says"
        yield Fault(path, expected, f"sha256 {digest[:16]}")
