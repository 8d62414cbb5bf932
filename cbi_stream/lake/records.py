"""Appends to the tables that are never rebuilt: lines of files, and decisions.

Any process may append. A line whose newest known version says the same is counted
and not stored again. Nothing is ever taken out of a record.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.canonical import canonical, digest, schema_of
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.commit import Finished, commit
from cbi_stream.lake.news import news
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table, write_parquet
from cbi_stream.registry.contract import PROVENANCE
from cbi_stream.words import clock
from cbi_stream.words.errors import BadInput, CommitConflict
from cbi_stream.words.span import Span, plus_days

_TRIES = 5
_MOST_FILES = 16
RECORDS = Recipe("records")


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the lines of one arrival."""

    lines: int
    stored: int
    duplicate: int
    batch: int
    version: int


def append_lines(
    table: Table,
    lines: pl.DataFrame,
    arrival: Arrival,
    *,
    work: Path,
    released: Sequence[pl.Expr] = (),
    seen_first: datetime | None = None,
) -> Appended:
    """Append the lines of one file to a raw table.

    Args:
        table: the raw table.
        lines: the table's own columns and `line`, as the parser gave them.
        arrival: which file they stand in.
        work: a folder on the lake's volume for unfinished files.
        released: when what is thought of a line's observation may change, from its
            `date`: the same value seen after that is no duplicate of one seen before.
        seen_first: when this very file was taken in before: its lines are held against
            what came since, and not counted again.

    Raises:
        BadInput: the file is said to have been seen in the future.
        BrokenContract: the parser's columns are not those of the table.
        CommitConflict: other processes kept committing first.
    """

    def rows(current: PartitionMap, batch: int, seen: datetime) -> pl.DataFrame:
        as_of = (arrival.as_of or seen).astimezone(UTC)
        if as_of > seen:
            msg = f"{arrival.name}: stated as seen {as_of}, which is after now, {seen}"
            raise BadInput(msg)
        fresh = news(
            table, current, whole, as_of, sha256=arrival.sha256, released=released
        )
        return fresh.with_columns(
            as_of=_seen_at(fresh, as_of),
            stated=pl.lit(arrival.as_of is not None and not arrival.fetched),
            batch=pl.lit(batch, pl.Int64),
            sha256=pl.lit(arrival.sha256),
            first_seen_at=pl.lit(seen_first or seen, pl.Datetime("us", "UTC")),
            parser=pl.lit(arrival.parser),
        )

    whole = _with_all_columns(table, lines)
    counted = 0 if seen_first else lines.height
    note = {**arrival.to_plain(), "lines": counted, "again": seen_first is not None}
    stored, batch, version = _append(table, rows, note, work)
    return Appended(lines.height, stored, lines.height - stored, batch, version)


def _seen_at(lines: pl.DataFrame, as_of: datetime) -> pl.Expr:
    """Return when each line was there to be seen: from its stamp, if that is earlier."""
    file = pl.lit(as_of, pl.Datetime("us", "UTC"))
    stamp = pl.col("stamp") if "stamp" in lines.columns else file
    return pl.min_horizontal(pl.coalesce(stamp, file), file)


def _with_all_columns(table: Table, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with the columns that this layout of their source does not have."""
    types = schema_of(table.contract)
    absent = [
        pl.lit(None, types[name]).alias(name)
        for name, column in table.contract.columns.items()
        if name not in PROVENANCE and not column.required and name not in lines.columns
    ]
    return lines.with_columns(absent)


def append_rows(table: Table, rows: pl.DataFrame, *, work: Path) -> int:
    """Append rows that people wrote (without batch and first_seen_at); return batch."""

    def stamped(_: PartitionMap, batch: int, seen: datetime) -> pl.DataFrame:
        return rows.with_columns(
            batch=pl.lit(batch, pl.Int64),
            first_seen_at=pl.lit(seen, pl.Datetime("us", "UTC")),
        )

    return _append(table, stamped, {}, work)[1]


def _append(
    table: Table, make: Any, note: Mapping[str, Any], work: Path
) -> tuple[int, int, int]:
    for attempt in range(_TRIES):
        version, current = table.head()
        batch = current.batch + 1
        seen = _not_before(current, clock.now())
        rows = make(current, batch, seen)
        if not rows.height and note.get("again"):
            return 0, current.batch, version  # it was counted when it came
        parts = _by_partition(table, rows)
        before = {name: current.partitions.get(name) for name, _ in parts}
        # Many small files make every later read slower: then they become one.
        fold = any(p and len(p.files) >= _MOST_FILES for p in before.values())
        finished = {
            name: _union(table, before[name], part, work, fold=fold)
            for name, part in parts
        }
        written = PartitionMap(
            partitions=current.partitions,
            changes=tuple(coalesce(Change(Span.day(d)) for d in rows["date"].unique())),
            batch=batch,
            note={
                **note,
                "stored": rows.height,
                "first_seen_at": seen.isoformat(),
                "total": _total(current, note.get("lines", 0), rows.height),
                "newest": _newest(current, note, seen),
            },
        )
        try:
            new = commit(
                table, finished, expected=version, written=written, append=not fold
            )
        except CommitConflict:
            if attempt == _TRIES - 1:
                raise
            continue
        return rows.height, batch, new
    raise AssertionError


def _total(current: PartitionMap, lines: int, stored: int) -> dict[str, int]:
    """Return how many lines were ever read and stored, this append counted in."""
    before = current.note.get("total", {"lines": 0, "stored": 0})
    return {"lines": before["lines"] + lines, "stored": before["stored"] + stored}


def _newest(
    current: PartitionMap, note: Mapping[str, Any], seen: datetime
) -> dict[str, str]:
    """Return, per symbol or series, when the newest of its files was seen."""
    newest: dict[str, str] = dict(current.note.get("newest", {}))
    if "key" in note:
        seen_at = note["as_of"] or seen.isoformat()
        known = newest.get(note["key"], seen_at)
        newest[note["key"]] = max(known, seen_at, key=datetime.fromisoformat)
    return newest


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
