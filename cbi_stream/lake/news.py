"""Which lines of a file are news: those of a key of which it says something else.

All that one file says of a key is one version of it, also where it contradicts itself:
it is stored whole or not at all. Where lines carry the stamp of their release each
release is a word of its own. Cells are compared as they were written; what they
mean is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.table import Table
from cbi_stream.registry.contract import PROVENANCE

_STAMP = "stamp"
_ABOUT = (*PROVENANCE, _STAMP, "loaded")


def news(
    table: Table,
    current: PartitionMap,
    lines: pl.DataFrame,
    as_of: datetime,
    *,
    sha256: str,
    released: Sequence[pl.Expr],
) -> pl.DataFrame:
    """Return the lines of a file that are news, the first of those that say the same.

    Args:
        table: the raw table.
        current: its map.
        lines: the table's own columns, `line`, `problem` and `text`.
        as_of: when the file was seen.
        sha256: the file's hash.
        released: when what is thought of a line's observation may change. What was seen
            before one of these instants is no version to what is seen after it.
    """
    stamped = (
        lines.filter(pl.col("stamp").is_not_null()) if _STAMP in lines.columns else None
    )
    rest = lines if stamped is None else lines.filter(pl.col("stamp").is_null())
    fresh = _unstamped(table, current, rest, as_of, sha256=sha256, released=released)
    if stamped is None or not stamped.height:
        return fresh
    return pl.concat([_stamped(table, current, stamped), fresh])


def _unstamped(
    table: Table,
    current: PartitionMap,
    lines: pl.DataFrame,
    as_of: datetime,
    *,
    sha256: str,
    released: Sequence[pl.Expr],
) -> pl.DataFrame:
    # What it says, not when it was released: that is not said here.
    cells = [n for n in table.contract.columns if n not in _ABOUT]
    # A line that cannot be read borrows its date: it is no version of what stands there.
    key = [n for n in table.contract.key if n in cells] + ["text"]
    known = _about_the_same(table, current, lines, key)
    if not known.height or not lines.height:
        # Nothing was said of these dates before: all of it is news.
        return lines.sort("line").unique(cells, keep="first", maintain_order=True)
    # The same bytes stated as seen at the same time are the same file: what was stored
    # of it is known, though another file of that time spoke later.
    itself = (pl.col("sha256") == sha256) & (pl.col("as_of") == as_of)
    lines = _without(lines, known.filter(itself), key)
    for instant in released:
        provisional = (pl.col("as_of") < instant) & (pl.lit(as_of) >= instant)
        known = known.filter(~provisional)
    newest = _newest(known.filter(pl.col("as_of") <= as_of), key)
    said = lines.sort("line").unique(cells, keep="first", maintain_order=True)
    added = _without(said, newest, cells)
    # One that names a key twice and is followed by one that names it once says less.
    dropped = _without(newest, said, cells)
    fresh = pl.concat([added.select(key), dropped.select(key)])
    return said.join(fresh, on=key, how="semi", nulls_equal=True)


def _stamped(table: Table, current: PartitionMap, lines: pl.DataFrame) -> pl.DataFrame:
    """Return the lines whose release is not known yet, or known to say otherwise.

    A release says of itself when it was made: whatever came before or after it in this
    lake does not change what is news in it.
    """
    cells = [n for n in table.contract.columns if n not in PROVENANCE]
    key = [n for n in table.contract.key if n in cells] + ["text"]
    said = lines.sort("line").unique(cells, keep="first", maintain_order=True)
    known = _about_the_same(table, current, lines, key)
    return _without(said, known, cells) if known.height else said


def _newest(known: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return all lines of the newest file that names a key, for each key."""
    file = ["as_of", "batch", "sha256"]
    last = known.sort(file).unique(key, keep="last", maintain_order=True)
    return known.join(last, on=[*key, *file], how="semi", nulls_equal=True)


def _about_the_same(
    table: Table, current: PartitionMap, lines: pl.DataFrame, key: list[str]
) -> pl.DataFrame:
    """Return the stored lines of the same dates and series as the file's."""
    months = lines["date"].dt.truncate("1mo").unique()  # no grain is finer
    touched = {table.contract.grain.partition_of(first) for first in months}
    known = table.read(p for n, p in current.partitions.items() if n in touched)
    for name in key:
        if name != "text":
            known = known.filter(pl.col(name).is_in(lines[name].unique().implode()))
    return known


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return rows.join(
        others.select(on), on=on, how="anti", nulls_equal=True, maintain_order="left"
    )
