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
    key = [n for n in table.contract.key if n in cells]
    touched = {table.contract.grain.partition_of(d) for d in lines["date"].unique()}
    known = table.read(p for n, p in current.partitions.items() if n in touched)
    # The same bytes stated as seen at the same time are the same file: what was stored
    # of it is known, though another file of that time spoke later.
    itself = known.filter((pl.col("sha256") == sha256) & (pl.col("as_of") == as_of))
    lines = lines.join(
        itself.select("line"), on="line", how="anti", maintain_order="left"
    )
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
    said = last.filter(pl.col("sha256") == sha256).select(key)
    lines = lines.join(said, on=key, how="anti", maintain_order="left")
    newest = last.select(cells).with_columns(line=pl.lit(0, pl.Int64))
    # A file may hold a date twice: each line is compared with the one before it. Where
    # they contradict each other, none of them is left out for what is known already:
    # the order in which files came must not hide the contradiction.
    apart = lines.group_by(key).agg(pl.struct(cells).n_unique().alias("n"))
    contradicted = apart.filter(pl.col("n") > 1).select(key)
    newest = newest.join(contradicted, on=key, how="anti", maintain_order="left")
    ordered = pl.concat([newest, lines.select(*cells, "line")]).sort(*key, "line")
    same_key = pl.all_horizontal(
        [pl.col(n).eq_missing(pl.col(n).shift(1)) for n in key]
    )
    same = pl.all_horizontal([pl.col(n).eq_missing(pl.col(n).shift(1)) for n in cells])
    first = pl.int_range(pl.len()) == 0
    repeats = ordered.with_columns(__same=same & same_key & ~first)
    return repeats.filter((pl.col("line") > 0) & ~pl.col("__same")).drop("__same")
