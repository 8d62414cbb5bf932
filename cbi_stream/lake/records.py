"""Appends to the tables that are never rebuilt: lines of files, and decisions.

Any process may append. Nothing is ever taken out of a record.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.commit import Finished, commit
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table, write_parquet
from cbi_stream.words import clock
from cbi_stream.words.errors import CommitConflict
from cbi_stream.words.span import Span, plus_days

_TRIES = 5
_MOST_FILES = 16
RECORDS = Recipe("records")


def append_rows(
    table: Table,
    rows: pl.DataFrame,
    *,
    work: Path,
    moves: bool = True,
    about: str | None = None,
) -> int:
    """Append rows that people wrote (without batch and first_seen_at); return batch.

    Args:
        table: a record.
        rows: what is added.
        work: where unfinished files go.
        moves: whether handlers look at them; False: their dates reach nothing.
        about: the column that names the table which a row speaks of: it reaches only
            who reads the lines of that one.
    """

    def stamped(_: PartitionMap, batch: int, seen: datetime) -> New:
        full = rows.with_columns(
            batch=pl.lit(batch, pl.Int64),
            first_seen_at=pl.lit(seen, pl.Datetime("us", "UTC")),
        )
        return New(full, batch, {}, moves=moves, about=about)

    new, _, _ = append(table, stamped, work=work)
    return new.batch


@dataclass(frozen=True, slots=True)
class New:
    """What an append adds."""

    rows: pl.DataFrame
    batch: int
    """The number of its newest batch."""
    note: Mapping[str, Any]
    """What the commit says of it."""
    needed: bool = True
    """Whether there is anything to say; False: then nothing is committed."""
    moves: bool = True
    """Whether its dates count as changed."""
    about: str | None = None
    """The column that names the table which a row speaks of."""


Make = Callable[[PartitionMap, int, datetime], New]
"""(the table's map, the first free batch number, now) to what is added."""


def append(table: Table, make: Make, *, work: Path) -> tuple[New, int, datetime]:
    """Append to a record, in one commit; try again where another process was first.

    Returns:
        What was added, the version of the table, and when it was seen.

    Raises:
        CommitConflict: other processes kept committing first.
    """
    for attempt in range(_TRIES):
        version, current = table.head()
        seen = _not_before(current, clock.now())
        new = make(current, current.batch + 1, seen)
        if not new.needed:
            return new, version, seen
        parts = _by_partition(table, new.rows)
        before = {name: current.partitions.get(name) for name, _ in parts}
        # Many small files make every later read slower: then they become one.
        fold = any(p and len(p.files) >= _MOST_FILES for p in before.values())
        finished = {
            name: _union(table, before[name], part, work, fold=fold)
            for name, part in parts
        }
        written = PartitionMap(
            partitions=current.partitions,
            changes=tuple(_changes(new)),
            batch=new.batch,
            note={**new.note, "first_seen_at": seen.isoformat()},
        )
        try:
            added = commit(
                table, finished, expected=version, written=written, append=not fold
            )
        except CommitConflict:
            if attempt == _TRIES - 1:
                raise
            continue
        return new, added, seen
    raise AssertionError


def _changes(new: New) -> list[Change]:
    """Return the dates that the rows change, and for whom."""
    rows = new.rows.filter(pl.lit(new.moves))
    table = pl.lit(None, pl.String) if new.about is None else pl.col(new.about)
    said = rows.select("date", table.alias("about")).unique().rows()
    return coalesce(
        Change(Span.day(day), about=None if name is None else (name,))
        for day, name in said
    )


def _not_before(current: PartitionMap, now: datetime) -> datetime:
    # The clock may go back; the order of batches never does.
    previous = current.note.get("first_seen_at")
    return max(now, datetime.fromisoformat(previous)) if previous else now


def _by_partition(table: Table, rows: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    grain = table.contract.grain
    names = [grain.partition_of(day) for day in rows["date"]]
    return [
        (str(key[0]), part.drop("__partition"))
        for key, part in rows.with_columns(
            __partition=pl.Series(names, dtype=pl.String)
        )
        .partition_by("__partition", as_dict=True, maintain_order=True)
        .items()
    ]


def _union(
    table: Table,
    before: Partition | None,
    rows: pl.DataFrame,
    work: Path,
    *,
    fold: bool,
) -> Finished:
    added = canonical(rows, table.contract)
    both = added
    if before is not None:
        both = canonical(pl.concat([table.read([before]), added]), table.contract)
    path = work / f"{uuid.uuid4().hex}.parquet"
    stored = write_parquet(both if fold else added, path)
    dates = both["date"]
    extent = Span(dates.min(), plus_days(dates.max(), 1))  # type: ignore[arg-type]
    entry = Partition(digest(both), both.height, (), RECORDS, extent)
    return Finished(path, stored, entry)


def compact(table: Table, *, work: Path) -> int:
    """Rewrite each partition of several files as one file; the content stays.

    Returns:
        How many partitions were rewritten.
    """
    version, current = table.head()
    many = {n: p for n, p in current.partitions.items() if len(p.files) > 1}
    if not many:
        return 0
    finished = {}
    for name, entry in many.items():
        path = work / f"{uuid.uuid4().hex}.parquet"
        stored = write_parquet(canonical(table.read([entry]), table.contract), path)
        finished[name] = Finished(path, stored, replace(entry, files=()))
    written = replace(current, changes=())
    commit(table, finished, expected=version, written=written)
    return len(many)
