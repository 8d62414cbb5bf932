"""Reads what the files of a partition hold now, whatever the log says of them.

Bytes that are not those that were written may make a Parquet reader end its process
(a damaged length asks for more memory than there is): they are read in a child. It
never trusts a hash in the map, and never changes a file.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import polars as pl

from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.partition_map import Partition
from cbi_stream.lake.table import Table
from cbi_stream.words.errors import BrokenContract


def stored_content(table: Table, entry: Partition) -> tuple[pl.DataFrame | None, str]:
    """Return the canonical rows that a partition's files hold now.

    Returns:
        The rows, or None where they cannot be read; and what is wrong, or "".
    """
    problem = ""
    frames = [canonical(table.read([]), table.contract)]
    for stored in entry.files:
        path = table.folder / stored.path
        try:
            data = path.read_bytes()
        except OSError as error:
            return None, f"the stored file cannot be read: {error}"
        if hashlib.sha256(data).hexdigest() == stored.sha256:
            frames.append(pl.read_parquet(path, hive_partitioning=False, glob=False))
            continue
        problem = f"the bytes of {stored.path} are not those that were written"
        found = _in_a_child(path)
        if isinstance(found, str):
            return None, f"{problem}, and cannot be read: {found}"
        frames.append(found)
    try:
        rows = canonical(pl.concat(frames), table.contract)
    except (BrokenContract, pl.exceptions.PolarsError) as error:
        return None, f"{problem}: {error}"
    if not problem and entry.hash and digest(rows) != entry.hash:
        problem = "the stored rows are not those of the hash in the log"
    return rows, problem


def _in_a_child(path: Path) -> pl.DataFrame | str:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(_decoded, path).result()
        except BrokenProcessPool:
            return "the reader ended its process"


def _decoded(path: Path) -> pl.DataFrame | str:
    try:
        return pl.read_parquet(path, hive_partitioning=False, glob=False)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
        return f"{type(error).__name__}: {error}"
