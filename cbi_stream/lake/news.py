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
_RELEASE = (_STAMP, "loaded")


class News:
    """What is stored about the dates of some files, and what was found to be news since.

    Args:
        table: the raw table.
        current: its map.
        files: the lines of each of them.
    """

    def __init__(
        self, table: Table, current: PartitionMap, files: Sequence[pl.DataFrame]
    ) -> None:
        contract = table.contract
        self._whole = [n for n in contract.columns if n not in PROVENANCE]
        # What it says, not when it was released: that is not always said.
        self._cells = [n for n in self._whole if n not in _RELEASE]
        # A line that cannot be read borrows its date: it is no version of what is there.
        self._key = [n for n in contract.key if n in self._cells] + ["text"]
        days = pl.concat([lines["date"] for lines in files])
        months = days.dt.truncate("1mo").unique()  # no grain is finer
        touched = {contract.grain.partition_of(first) for first in months}
        self._known = table.read(
            p for n, p in current.partitions.items() if n in touched
        )
        self._added: list[pl.DataFrame] = []

    def add(self, rows: pl.DataFrame) -> None:
        """Take rows for stored from now on."""
        self._added.append(rows.select(self._known.columns))

    def added(self) -> pl.DataFrame:
        """Return all rows that were added."""
        return pl.concat([self._known.clear(), *self._added])

    def of(
        self,
        lines: pl.DataFrame,
        as_of: datetime,
        *,
        sha256: str,
        released: Sequence[pl.Expr],
    ) -> pl.DataFrame:
        """Return the lines of a file that are news, the first of those that say the same.

        Args:
            lines: the table's own columns, `line`, `problem` and `text`.
            as_of: when the file was seen.
            sha256: the file's hash.
            released: when what is thought of a line's observation may change. What was
                seen before one of these instants is no version to what is seen after.
        """
        known = self._about_the_same(lines)
        if _STAMP not in lines.columns or not lines[_STAMP].count():
            return self._unstamped(
                known, lines, as_of, sha256=sha256, released=released
            )
        stamped = pl.col(_STAMP).is_not_null()
        rest = self._unstamped(
            known, lines.filter(~stamped), as_of, sha256=sha256, released=released
        )
        # A release says of itself when it was made: whatever came before or after it in
        # this lake does not change what is news in it.
        said = _said(lines.filter(stamped), self._whole)
        return pl.concat([_without(said, known, self._whole), rest])

    def _unstamped(
        self,
        known: pl.DataFrame,
        lines: pl.DataFrame,
        as_of: datetime,
        *,
        sha256: str,
        released: Sequence[pl.Expr],
    ) -> pl.DataFrame:
        if not known.height:
            # Nothing was said of these dates before: all of it is news.
            return _said(lines, self._cells)
        # The same bytes stated as seen at the same time are the same file: what was
        # stored of it is known, though another file of that time spoke later.
        itself = (pl.col("sha256") == sha256) & (pl.col("as_of") == as_of)
        lines = _without(lines, known.filter(itself), self._key)
        for instant in released:
            provisional = (pl.col("as_of") < instant) & (pl.lit(as_of) >= instant)
            known = known.filter(~provisional)
        newest = _newest(known.filter(pl.col("as_of") <= as_of), self._key)
        said = _said(lines, self._cells)
        added = _without(said, newest, self._cells)
        # One that names a key twice and is followed by one that names it once says less.
        dropped = _without(newest, said, self._cells)
        fresh = pl.concat([added.select(self._key), dropped.select(self._key)])
        return said.join(fresh, on=self._key, how="semi", nulls_equal=True)

    def _about_the_same(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Return the known lines of the same dates and series as the file's."""
        known = pl.concat([self._known, *self._added])
        for name in self._key:
            if name != "text":
                known = known.filter(pl.col(name).is_in(lines[name].unique().implode()))
        return known


def _said(lines: pl.DataFrame, cells: list[str]) -> pl.DataFrame:
    return lines.sort("line").unique(cells, keep="first", maintain_order=True)


def _newest(known: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return all lines of the newest file that names a key, for each key."""
    file = ["as_of", "batch", "sha256"]
    last = known.sort(file).unique(key, keep="last", maintain_order=True)
    return known.join(last, on=[*key, *file], how="semi", nulls_equal=True)


def _without(rows: pl.DataFrame, others: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return rows.join(
        others.select(on), on=on, how="anti", nulls_equal=True, maintain_order="left"
    )
