"""The facts behind the rows of a table on one date: its partition and its raw lines.

It reads what is stored, and computes a partition again to see whether its inputs still
give the same. It never writes, and never decides what a fact means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from cbi_stream.engine import fingerprint
from cbi_stream.engine.calling import part_of, returned
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.slices import Maps, frames_for, rows_between
from cbi_stream.lake import decisions, log
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap
from cbi_stream.registry.contract import PROVENANCE, READING, Contract
from cbi_stream.shapes.handler import Conformed
from cbi_stream.words.errors import CbiError
from cbi_stream.words.span import Span

PENDING = "pending"
"""The fate of a line that no run has looked at yet."""
_ABOUT = ("symbol", "series", "contract", "horizon")
_LINE = ["raw", "sha256", "batch", "line"]
_SEEN = ["raw", "sha256", "as_of", "line"]


@dataclass(frozen=True, slots=True)
class Made:
    """How the partition that holds the date came about."""

    partition: str
    version: int
    """The version of the table that readers see."""
    state: str
    hash: str
    error: str | None
    candidate: str
    """The hash of what a check holds back; empty where it holds nothing."""
    carried: tuple[str, ...]
    """The held partitions that it was computed from, as table/partition@candidate."""
    fingerprint: str
    inputs: Mapping[str, tuple[int, str]]
    changed_in: int | None
    """The version that last changed this very date."""
    changed_at: datetime | None
    again: str
    """What its inputs give now: identical, different, or why nobody can tell."""


@dataclass(frozen=True, slots=True)
class Line:
    """A stored line of a file, and what became of it."""

    raw: str
    sha256: str
    line: int
    batch: int
    file: str | None
    """What the file was called when it was taken in."""
    about: str | None
    as_of: datetime
    stated: bool
    first_seen_at: datetime
    cells: Mapping[str, str | None]
    fate: str
    rules: str | None
    found: str | None
    decisions: tuple[Mapping[str, Any], ...]


def about_of(contract: Contract) -> str | None:
    """Return the column that says what a row is about; None where it is the date."""
    return next((name for name in _ABOUT if name in contract.columns), None)


def concerns(contract: Contract, about: str | None) -> pl.Expr:
    """Return the test for the rows about one symbol, series, contract or horizon.

    A line about a contract concerns all of its series.
    """
    name = about_of(contract)
    if about is None or name is None:
        return pl.lit(value=True)
    said = pl.col(name)
    return (said == about) | pl.lit(f"{about}.").str.starts_with(
        pl.concat_str(said.fill_null(""), pl.lit("."))
    )


def published(lake: Lake, table: str) -> tuple[int, PartitionMap]:
    """Return the version and the map that readers see; a record's newest ones."""
    stored, seen = lake.table(table), lake.published().get(table)
    if seen is None or seen.version < 0 or stored.contract.is_record:
        return stored.head()
    current = log.map_at(stored.folder, seen.version)
    known = current.shape in ("", stored.shape)
    return seen.version, current if known else PartitionMap({})


def rows_on(lake: Lake, table: str, day: date, about: str | None) -> pl.DataFrame:
    """Return the rows of a table on a date, as readers see them."""
    current = published(lake, table)[1]
    rows = rows_between(lake, table, Span.day(day), current)
    return rows.filter(concerns(lake.table(table).contract, about))


def made_of(
    lake: Lake, graph: Graph, table: str, day: date
) -> tuple[Made | None, Conformed | None]:
    """Return how the partition of a date came about; None where there is none.

    Returns:
        The facts, and what a conform handler says of the partition's lines now.
    """
    contract = lake.table(table).contract
    version, current = published(lake, table)
    name = contract.grain.partition_of(day)
    entry = current.partitions.get(name)
    if entry is None:
        return None, None
    again, made = "a record: never computed", None
    if not contract.is_record:
        again, made = _again(lake, graph, graph.node(table), name, entry)
    changed = _changed_in(lake, table, day, version)
    folder = lake.table(table).folder
    changed_at = None if changed is None else log.committed_at(folder, changed)
    told = Made(
        partition=name,
        version=version,
        state=entry.state,
        hash=entry.hash,
        error=entry.error,
        candidate=entry.candidate,
        carried=entry.carried,
        fingerprint=entry.recipe.fingerprint,
        inputs=entry.recipe.inputs,
        changed_in=changed,
        changed_at=changed_at,
        again=again,
    )
    return told, made


def maps_of(lake: Lake, entry: Partition) -> Maps:
    """Return the maps of the inputs that a partition was made from.

    Raises:
        DamagedLake: the log of an input has lost that version.
    """
    return {
        name: log.map_at(lake.table(name).folder, version)
        if version >= 0
        else PartitionMap({})
        for name, (version, _) in entry.recipe.inputs.items()
    }


def _again(
    lake: Lake, graph: Graph, node: Node, partition: str, entry: Partition
) -> tuple[str, Conformed | None]:
    """Compute the partition again, from the very inputs that it was made from."""
    if not entry.recipe.inputs:
        return "it was never computed", None
    span = node.contract.grain.span(partition)
    try:
        frames = frames_for(lake, node, span, maps_of(lake, entry))
        made = returned(node, frames, where=f"partition {partition}")
        inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        rows = canonical(part_of(node, made).filter(inside), node.contract)
    except CbiError as error:
        return f"it cannot be computed: {error}", None
    told = made if isinstance(made, Conformed) else None
    if entry.recipe.fingerprint != fingerprint.of_node(graph, node):
        return "code or registry changed since", told
    return "identical" if digest(rows) == entry.hash else "different", told


def _changed_in(lake: Lake, table: str, day: date, version: int) -> int | None:
    """Return the newest version whose commit changed the rows of a date.

    A commit may name dates that did not change, since near ones are merged: the rows
    of both versions are compared.
    """
    stored = lake.table(table)
    name = stored.contract.grain.partition_of(day)
    for each in range(version, -1, -1):
        current = log.map_at(stored.folder, each)
        if not any(day in change.span for change in current.changes):
            continue
        before = log.map_at(stored.folder, each - 1) if each else PartitionMap({})
        pair = [m.partitions.get(name) for m in (before, current)]
        try:
            old, new = (
                stored.read([p] if p else []).filter(pl.col("date") == day)
                for p in pair
            )
            key = list(stored.contract.key)
            if old.sort(key).equals(new.sort(key)):
                continue
        except CbiError:
            pass  # the older file was compacted away: the commit's word stands
        return each
    return None


def lines_of(
    lake: Lake,
    raws: Iterable[str],
    day: date,
    *,
    about: str | None,
    told: Conformed | None,
) -> list[Line]:
    """Return the stored lines of a date, each with its fate, its file and decisions.

    Args:
        lake: the lake.
        raws: raw tables of lines of files.
        day: the date of the lines.
        about: one symbol, series or contract instead of all.
        told: what the conform handler says of the lines of this partition.
    """
    found: list[Line] = []
    said = _decisions_on(lake, day)
    for raw in raws:
        rows = rows_on(lake, raw, day, about).with_columns(raw=pl.lit(raw))
        rows = _with_fates(rows, told).sort("as_of", "batch", "line")
        names = _names(lake, raw, set(rows["batch"]))
        for row in rows.iter_rows(named=True):
            place = (row["sha256"], row["line"])
            row["file"] = names.get(row["batch"])
            row["decisions"] = tuple(said.get(place, ()))
            found.append(_line_of(row, lake.table(raw).contract))
    return found


def _with_fates(rows: pl.DataFrame, told: Conformed | None) -> pl.DataFrame:
    """Return lines with `fate`, `rules` and `found`; null where nobody says."""
    if told is None:
        nothing = pl.lit(None, pl.String)
        return rows.with_columns(fate=nothing, rules=nothing, found=nothing)
    turned = told.quarantined.select(*_SEEN, "rules", "found")
    rows = rows.join(told.fates, on=_LINE, how="left", maintain_order="left")
    return rows.join(turned, on=_SEEN, how="left", maintain_order="left")


def _line_of(row: Mapping[str, Any], contract: Contract) -> Line:
    about = about_of(contract)
    apart = {*PROVENANCE, *READING, "date", about}
    same = ("raw", "sha256", "line", "batch", "file", "as_of", "stated", "rules")
    return Line(
        **{name: row[name] for name in same},
        about=row[about] if about else None,
        first_seen_at=row["first_seen_at"],
        cells={name: row[name] for name in contract.columns if name not in apart},
        fate=row["fate"] or PENDING,
        found=row["found"] or row["problem"],
        decisions=row["decisions"],
    )


def _decisions_on(
    lake: Lake, day: date
) -> dict[tuple[str, int], list[Mapping[str, Any]]]:
    """Return what people decided about the lines of a date, oldest first."""
    found: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    rows = rows_on(lake, decisions.TABLE, day, None).sort("batch")
    for row in rows.iter_rows(named=True):
        found.setdefault((row["sha256"], row["line"]), []).append(row)
    return found


def _names(lake: Lake, raw: str, batches: set[int]) -> dict[int, str]:
    """Return what the files of these appends were called, by batch."""
    folder, wanted = lake.table(raw).folder, set(batches)
    names: dict[int, str] = {}
    for version in range(lake.table(raw).head()[0], -1, -1):
        if not wanted:
            break
        current = log.map_at(folder, version)
        for file in current.note.get("files", ()):
            if file["batch"] in wanted:
                names[file["batch"]] = file["name"]
                wanted.discard(file["batch"])
    return names
