"""Reads a table's Delta log: versions, maps, and what changed in between.

It reads the JSON commits themselves, which are kept for ever, so that it needs no
snapshot and can look at any version. It never writes.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cbi_stream.lake.map_text import map_of
from cbi_stream.lake.partition_map import Change, PartitionMap
from cbi_stream.words.errors import DamagedLake

_COMMIT = re.compile(r"(\d{20})\.json")
MAP_KEY = "cbi"


def commit_path(table: Path, version: int) -> Path:
    """Return where the commit of `version` stands."""
    return table / "_delta_log" / f"{version:020d}.json"


def newest_version(table: Path) -> int | None:
    """Return the newest version, or None where there is no table yet."""
    version = _known.get(table)
    # Versions follow each other: listing a log of thousands at each look costs more
    # than a whole day's work.
    if version is None or not commit_path(table, version).exists():
        version = _listed(table)
    while version is not None and commit_path(table, version + 1).exists():
        version += 1
    if version is not None:
        _known[table] = version
    return version


_known: dict[Path, int] = {}
"""The newest version that was seen of each table; looked for again where it is gone."""


def _listed(table: Path) -> int | None:
    folder = table / "_delta_log"
    if not folder.is_dir():
        return None
    found = (_COMMIT.fullmatch(entry.name) for entry in folder.iterdir())
    return max((int(match[1]) for match in found if match), default=None)


def commit_digest(table: Path, version: int) -> str:
    """Return the sha256 of one commit's bytes."""
    return hashlib.sha256(commit_path(table, version).read_bytes()).hexdigest()


def committed_at(table: Path, version: int) -> datetime | None:
    """Return when a commit was written; None where it does not say so."""
    for text in commit_path(table, version).read_bytes().splitlines():
        info = json.loads(text).get("commitInfo")
        if info and "timestamp" in info:
            return datetime.fromtimestamp(info["timestamp"] / 1000, UTC)
    return None


def map_at(table: Path, version: int) -> PartitionMap:
    """Return the partition map that the commit of `version` carries.

    Raises:
        DamagedLake: the commit is missing, empty, or not what was written.
    """
    path = commit_path(table, version)
    try:
        stat = path.stat()
        return _map_of(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = (
            f"{path}: expected a commit with a partition map; {error!r}. Nothing was "
            "changed; the archive holds every byte that was taken in"
        )
        raise DamagedLake(msg) from error


@lru_cache(maxsize=4096)
def _map_of(path: Path, _mtime: int, _size: int) -> PartitionMap:
    # Every line is read: a commit that was cut behind its map lost its files.
    actions: dict[str, Any] = {}
    for line in path.read_bytes().splitlines():
        actions.update(json.loads(line))
    info = actions["commitInfo"]
    if MAP_KEY not in info:
        if not str(info.get("operation")).startswith("CREATE"):
            msg = "a commit of another tool: it carries no partition map"
            raise ValueError(msg)
        return _EMPTY  # the commit that creates a table has no content, hence no map
    if "txn" not in actions:
        msg = "the last line of the commit is missing"
        raise ValueError(msg)
    return map_of(info[MAP_KEY])


_EMPTY = PartitionMap({})


def changes_between(table: Path, old: int, new: int) -> list[Change]:
    """Return what the commits after `old`, up to `new`, changed.

    Raises:
        DamagedLake: one of these commits cannot be read.
    """
    found: list[Change] = []
    for version in range(old + 1, new + 1):
        found.extend(map_at(table, version).changes)
    return found
