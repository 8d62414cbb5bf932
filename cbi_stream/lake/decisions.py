"""What people decide about single lines: appended, never changed, always replayed.

A decision names its line by the file's sha256 and the line number. It never touches
the line itself.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from cbi_stream.lake.lake import Lake
from cbi_stream.lake.records import append_rows
from cbi_stream.words.errors import WrongUsage

TABLE = "raw.decisions"
_SHORTEST = 6
Verdict = Literal["reject", "withdraw"]


def decide(
    lake: Lake, *, sha256: str, line: int, verdict: Verdict, author: str, note: str
) -> int:
    """Record a decision about one line; return its batch number.

    Args:
        lake: the lake.
        sha256: the file's hash, or enough of its beginning to name it.
        line: the line's number in that file, from 1.
        verdict: reject a line, or withdraw an earlier rejection.
        author: who decides.
        note: why.

    Raises:
        WrongUsage: no stored line is meant, or several files are; or there is no note.
    """
    if not note.strip() or not author.strip():
        msg = "a decision needs an author and a note: why?"
        raise WrongUsage(msg)
    if len(sha256) < _SHORTEST:
        msg = f"expected at least {_SHORTEST} characters of the file's sha256; found {sha256!r}"
        raise WrongUsage(msg)
    found = _line(lake, sha256, line)
    if found.height != 1:
        msg = (
            f"expected one stored line {line} of a file {sha256}...; found {found.height}: "
            "receipts and `cbi read raw...` show sha256 and line"
        )
        raise WrongUsage(msg)
    nothing = pl.lit(None, pl.String)
    rows = found.with_columns(
        verdict=pl.lit(verdict),
        author=pl.lit(author),
        note=pl.lit(note),
        partition=nothing,
        gate=nothing,
        candidate=nothing,
        cells=nothing,
    )
    return append_rows(lake.table(TABLE), rows, work=lake.work)


def _line(lake: Lake, sha256: str, line: int) -> pl.DataFrame:
    parts = []
    for name, contract in sorted(lake.registry.contracts.items()):
        if not contract.provenance:
            continue
        table = lake.table(name)
        rows = table.read(table.head()[1].partitions.values())
        here = pl.col("sha256").str.starts_with(sha256) & (pl.col("line") == line)
        parts.append(
            rows.filter(here).select("date", "sha256", "line", raw=pl.lit(name))
        )
    # The same line may be stored twice, as seen at two times: it is one line.
    return pl.concat(parts).unique(maintain_order=True)
