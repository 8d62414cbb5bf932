"""Which lines of a file are news: those that say what their newest version does not.

It compares cells as they were written; what they mean is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.table import Table
from cbi_stream.registry.contract import PROVENANCE


def news(
    table: Table,
    current: PartitionMap,
    lines: pl.DataFrame,
    as_of: datetime,
    *,
    sha256: str,
    released: Sequence[pl.Expr],
) -> pl.DataFrame:
    """Return the lines of a file that say something else than their newest version.

    Args:
        table: the raw table.
        current: its map.
        lines: the table's own columns, `line`, `problem` and `text`.
        as_of: when the file was seen.
        sha256: the file's hash.
        released: when the parts of a line's observation are final.
    """
    cells = [n for n in table.contract.columns if n not in PROVENANCE]
    # A line that cannot be read borrows its date: it is no version of what stands there.
    key = [n for n in table.contract.key if n in cells] + ["text"]
    known = _about_the_same(table, current, lines, key)
    # The same bytes stated as seen at the same time are the same file: what was stored
    # of it is known, though another file of that time spoke later.
    itself = known.filter((pl.col("sha256") == sha256) & (pl.col("as_of") == as_of))
    lines = _without(lines, itself, ["line"])
    for instant in released:
        provisional = (pl.col("as_of") < instant) & (pl.lit(as_of) >= instant)
        known = known.filter(~provisional)
    last = (
        known.filter(pl.col("as_of") <= as_of)
        .sort("as_of", "batch", "sha256", "line")
        .unique(key, keep="last", maintain_order=True)
    )
    # Where the newest word on a date came from this very file, it says nothing new,
    # though it may hold the date twice.
    lines = _without(lines, last.filter(pl.col("sha256") == sha256), key)
    # Where a file contradicts itself, none of its lines is left out for what is known
    # already: the order in which files came must not hide the contradiction.
    newest = _without(last, _contradicted(lines, key, cells), key).select(cells)
    # A file may hold a date twice: each line is compared with the one before it.
    before = newest.with_columns(line=pl.lit(0, pl.Int64))
    ordered = pl.concat([before, lines.select(*cells, "line")]).sort(*key, "line")
    repeated = _as_above(cells) & (pl.int_range(pl.len()) > 0)
    fresh = ordered.with_columns(__repeated=repeated).filter(pl.col("line") > 0)
    return fresh.filter(~pl.col("__repeated")).drop("__repeated")


def _about_the_same(
    table: Table, current: PartitionMap, lines: pl.DataFrame, key: list[str]
) -> pl.DataFrame:
    """Return the stored lines of the same partitions and series as the file's."""
    months = lines["date"].dt.truncate("1mo").unique()  # no grain is finer
    touched = {table.contract.grain.partition_of(first) for first in months}
    known = table.read(p for n, p in current.partitions.items() if n in touched)
    for name in key:
        if name not in ("date", "text"):
            known = known.filter(pl.col(name).is_in(lines[name].unique().implode()))
    return known


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return rows.join(
        others.select(on), on=on, how="anti", nulls_equal=True, maintain_order="left"
    )


def _contradicted(
    lines: pl.DataFrame, key: list[str], cells: list[str]
) -> pl.DataFrame:
    """Return the keys that a file has twice, with other cells."""
    twice = lines.filter(lines.select(key).is_duplicated())
    kinds = twice.unique([*key, *cells]).group_by(key).len()
    return kinds.filter(pl.col("len") > 1)


def _as_above(names: list[str]) -> pl.Expr:
    """Return the test for a row that says what the row above it says, key and all."""
    return pl.all_horizontal([pl.col(n).eq_missing(pl.col(n).shift(1)) for n in names])
