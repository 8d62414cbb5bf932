"""Appends the lines of files to their raw table, many files in one commit.

A line whose newest known version says the same is counted and not stored again. It
never looks into a file: the lines are what a parser made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.canonical import schema_of
from cbi_stream.lake.news import News
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.records import New, append
from cbi_stream.lake.table import Table
from cbi_stream.registry.contract import PROVENANCE
from cbi_stream.words.errors import BadInput


@dataclass(frozen=True, slots=True)
class Filed:
    """The lines of one file."""

    lines: pl.DataFrame
    """The table's own columns and `line`, as the parser gave them."""
    arrival: Arrival
    released: Sequence[pl.Expr] = field(default_factory=tuple)
    """When what is thought of a line's observation may change, from its `date`: the same
    value seen after that is no duplicate of one seen before."""


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of the lines of one arrival."""

    lines: int
    stored: int
    duplicate: int
    batch: int
    version: int
    seen_at: datetime
    """When this lake saw it."""


def append_lines(
    table: Table,
    lines: pl.DataFrame,
    arrival: Arrival,
    *,
    work: Path,
    released: Sequence[pl.Expr] = (),
    seen_first: datetime | None = None,
) -> Appended:
    """Append the lines of one file to a raw table; see `append_files`."""
    filed = Filed(lines, arrival, tuple(released))
    (done,) = append_files(table, [filed], work=work, seen_first=seen_first)
    return done


def append_files(
    table: Table,
    files: Sequence[Filed],
    *,
    work: Path,
    seen_first: datetime | None = None,
) -> list[Appended]:
    """Append the lines of files to a raw table, in one commit.

    Each is held against what is stored and against those before it in `files`.

    Args:
        table: the raw table.
        files: in the order in which they were seen.
        work: a folder on the lake's volume for unfinished files.
        seen_first: when these very files were taken in before: their lines are held
            against what came since, and not counted again.

    Raises:
        BadInput: a file is said to have been seen in the future.
        BrokenContract: the parser's columns are not those of the table.
        CommitConflict: other processes kept committing first.
    """
    whole = [_with_all_columns(table, each.lines) for each in files]
    counts: list[int] = []

    def made(current: PartitionMap, batch: int, seen: datetime) -> New:
        news = News(table, current, whole)
        counts.clear()
        for number, (each, lines) in enumerate(zip(files, whole, strict=True)):
            as_of = _as_of(each.arrival, seen)
            fresh = news.of(
                lines, as_of, sha256=each.arrival.sha256, released=each.released
            )
            counts.append(fresh.height)
            rows = _signed(fresh, each.arrival, as_of, batch=batch + number)
            news.add(rows.with_columns(first_seen_at=_instant(seen_first or seen)))
        note = _note(current, files, counts, first=batch, seen=seen, again=seen_first)
        # What was counted when it came, and says nothing new, leaves no trace; nor does
        # an answer without news: the journal of its source speaks of it.
        passing = seen_first is not None or all(f.arrival.fetched for f in files)
        needed = sum(counts) > 0 or not passing
        return New(news.added(), batch + len(files) - 1, note, needed)

    new, version, seen = append(table, made, work=work)
    first = new.batch - len(files) + 1
    return [
        Appended(each.height, n, each.height - n, first + i, version, seen)
        for i, (each, n) in enumerate(zip(whole, counts, strict=True))
    ]


def _signed(
    lines: pl.DataFrame, arrival: Arrival, as_of: datetime, *, batch: int
) -> pl.DataFrame:
    """Return the lines with where they come from."""
    return lines.with_columns(
        as_of=_seen_at(lines, as_of),
        stated=pl.lit(arrival.by_person),
        batch=pl.lit(batch, pl.Int64),
        sha256=pl.lit(arrival.sha256),
        parser=pl.lit(arrival.parser),
    )


def _instant(when: datetime) -> pl.Expr:
    return pl.lit(when, pl.Datetime("us", "UTC"))


def _as_of(arrival: Arrival, seen: datetime) -> datetime:
    as_of = (arrival.as_of or seen).astimezone(UTC)
    if as_of > seen:
        msg = f"{arrival.name}: stated as seen {as_of}, which is after now, {seen}"
        raise BadInput(msg)
    return as_of


def _seen_at(lines: pl.DataFrame, as_of: datetime) -> pl.Expr:
    """Return when each line was there to be seen: from its stamp, if that is earlier."""
    file = _instant(as_of)
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


def _note(
    current: PartitionMap,
    files: Sequence[Filed],
    counts: list[int],
    *,
    first: int,
    seen: datetime,
    again: datetime | None,
) -> dict[str, Any]:
    """Return what the commit says of the files, of all lines so far, and of each key."""
    total = dict(current.note.get("total", {"lines": 0, "stored": 0}))
    newest: dict[str, str] = dict(current.note.get("newest", {}))
    told = []
    for number, (each, stored) in enumerate(zip(files, counts, strict=True)):
        lines = 0 if again else each.lines.height
        total["lines"] += lines
        total["stored"] += stored
        plain = each.arrival.to_plain()
        seen_at = plain["as_of"] or seen.isoformat()
        key = each.arrival.key
        newest[key] = max(newest.get(key, seen_at), seen_at, key=datetime.fromisoformat)
        about = {"batch": first + number, "lines": lines, "stored": stored}
        told.append({**plain, **about, "again": again is not None})
    return {"files": told, "total": total, "newest": newest}
