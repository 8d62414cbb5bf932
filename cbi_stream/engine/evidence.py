"""Reads what the files of a partition hold now, whatever the log says of them.

Bytes that are not those that were written may make a Parquet reader end its process
(a damaged length asks for more memory than there is): they are read in a child. It
never trusts a hash in the map, and never changes a file.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import polars as pl

from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.partition_map import Partition
from cbi_stream.lake.table import Table
from cbi_stream.words.errors import BrokenContract

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the files of a partition hold now."""

    rows: pl.DataFrame | None
    """In canonical form; None where they cannot all be read."""
    problem: str = ""
    """What is wrong with the files; empty where nothing is."""
    unreadable: tuple[str, ...] = ()
    """The columns that cannot be read, where others can."""


def stored_content(table: Table, entry: Partition) -> Evidence:
    """Return what a partition's files hold now."""
    problem = ""
    frames = [canonical(table.read([]), table.contract)]
    for stored in entry.files:
        path = table.folder / stored.path
        try:
            data = path.read_bytes()
        except OSError as error:
            return Evidence(None, f"the stored file cannot be read: {error}")
        if hashlib.sha256(data).hexdigest() == stored.sha256:
            frames.append(pl.read_parquet(path, hive_partitioning=False, glob=False))
            continue
        problem = f"the bytes of {stored.path} are not those that were written"
        found = _in_a_child(_decoded, path, None)
        if isinstance(found, str):
            problem = f"{problem}, and cannot be read: {found}"
            return Evidence(None, problem, _unreadable(path, table))
        frames.append(found)
    try:
        rows = canonical(pl.concat(frames), table.contract)
    except (BrokenContract, pl.exceptions.PolarsError) as error:
        return Evidence(None, f"{problem}: {error}")
    if not problem and entry.hash and digest(rows) != entry.hash:
        problem = "the stored rows are not those of the hash in the log"
    return Evidence(rows, problem)


def _unreadable(path: Path, table: Table) -> tuple[str, ...]:
    """Return the columns that cannot be read, unless that is all of them."""
    names = list(table.contract.columns)
    found = _in_a_child(_failing, path, names)
    if isinstance(found, str):
        # One of them ends the process: each is tried in a child of its own.
        each = ((name, _in_a_child(_failing, path, [name])) for name in names)
        found = [name for name, failing in each if failing]
    return tuple(found) if len(found) < len(names) else ()


def _in_a_child(
    function: Callable[[Path, list[str] | None], T],
    path: Path,
    columns: list[str] | None,
) -> T | str:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(function, path, columns).result()
        except BrokenProcessPool:
            return "the reader ended its process"


def _failing(path: Path, columns: list[str] | None) -> list[str]:
    return [n for n in columns or () if isinstance(_decoded(path, [n]), str)]


def _decoded(path: Path, columns: list[str] | None) -> pl.DataFrame | str:
    try:
        return pl.read_parquet(
            path, columns=columns, hive_partitioning=False, glob=False
        )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
        return f"{type(error).__name__}: {error}"
