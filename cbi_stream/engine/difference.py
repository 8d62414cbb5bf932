"""Where two lakes differ: the first cell of each partition, and of each export.

It compares stored bytes with a rebuild, never hashes with hashes, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from cbi_stream.engine import effects
from cbi_stream.engine.evidence import Evidence, stored_content
from cbi_stream.engine.standing import unlike
from cbi_stream.lake.canonical import canonical
from cbi_stream.lake.change import Cell, first_cell
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.table import Table


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where the lake is not what a rebuild gives."""

    table: str
    partition: str | None = None
    column: str | None = None
    date: str | None = None
    key: dict[str, str] = field(default_factory=dict)
    lake: str | None = None
    rebuilt: str | None = None
    because: str = "the value differs"


def at_cell(table: str, partition: str, cell: Cell, because: str) -> Difference:
    """Return a differing cell as a difference."""
    return Difference(
        table,
        partition,
        cell.column,
        cell.date.isoformat(),
        {name: str(value) for name, value in cell.key.items()},
        repr(cell.left),
        repr(cell.right),
        because or "the value differs",
    )


def of_tables(live: Table, rebuilt: Table) -> Iterator[Difference]:
    """Yield the first difference of each partition that differs, oldest first."""
    _, here = live.head()
    _, there = rebuilt.head()
    for partition in sorted(here.partitions.keys() | there.partitions.keys()):
        difference = _of_partition(live, rebuilt, here, there, partition)
        if difference is not None:
            yield difference


def _of_partition(
    live: Table, rebuilt: Table, here: PartitionMap, there: PartitionMap, partition: str
) -> Difference | None:
    name = live.contract.table
    entry = here.partitions.get(partition)
    other = there.partitions.get(partition)
    right = canonical(rebuilt.read([other] if other else []), live.contract)
    nothing = Evidence(canonical(live.read([]), live.contract))
    evidence = stored_content(live, entry) if entry else nothing
    problem = evidence.problem
    if evidence.rows is None:
        return _unreadable(name, partition, evidence, right.sort("date"))
    cell = first_cell(evidence.rows, right, live.contract)
    if cell is not None:
        return at_cell(name, partition, cell, problem)
    problem = problem or unlike(entry, other)
    return Difference(name, partition, because=problem) if problem else None


def _unreadable(
    table: str, partition: str, evidence: Evidence, right: pl.DataFrame
) -> Difference:
    """Name the first cell of the first column that cannot be read."""
    if not evidence.unreadable or not right.height:
        return Difference(table, partition, because=evidence.problem)
    column, row = evidence.unreadable[0], right.row(0, named=True)
    cell = Cell(
        row["date"], {"date": row["date"]}, column, "cannot be read", row[column]
    )
    return at_cell(table, partition, cell, evidence.problem)


def of_exports(
    lake: Lake, rebuilt: Lake, carried: Collection[str]
) -> Iterator[Difference]:
    """Yield each published file, or what it says of itself, that a rebuild has otherwise.

    Args:
        lake: the lake.
        rebuilt: its rebuild.
        carried: effects that are held in both: their files are left as they are.
    """
    here, there = effects.manifests(lake), effects.manifests(rebuilt)
    here = {n: m for n, m in here.items() if m.get("effect") not in carried}
    for name in sorted(here.keys() | there.keys()):
        where = f"exports/{name}"
        path, other = (each.folder / f"{where}.parquet" for each in (lake, rebuilt))
        if name not in here or name not in there or not path.exists():
            yield Difference(where, because="the file stands on one side only")
        elif path.read_bytes() != other.read_bytes():
            yield Difference(where, because="the bytes of the file differ")
        elif _timeless(here[name]) != _timeless(there[name]):
            yield Difference(where, because="the manifest differs")


def _timeless(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest without version numbers, which a rebuild counts from 0."""
    roots = {t: each.get("root") for t, each in manifest.get("inputs", {}).items()}
    # The seal is over the version numbers as well.
    return {**manifest, "inputs": roots, effects.SEAL: None}
