"""What people decide about single lines: appended, never changed, always replayed.

A decision names its line by the file's sha256 and the line number. It never touches
the line itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from cbi_stream.lake.lake import Lake
from cbi_stream.lake.records import append_rows
from cbi_stream.registry.contract import PROVENANCE, READING, Contract
from cbi_stream.words.errors import WrongUsage

TABLE = "raw.decisions"
_SHORTEST = 6
_NUMBER = "number:"
"""How the problem of a line begins of which only a cell cannot be read."""
Verdict = Literal["reject", "release", "fix", "withdraw"]
FIRM = frozenset({"unreadable", "not_a_number", "infinite", "rejected"})
"""What nobody can release: there is no value that could be staged, or a person said no."""


def decide(
    lake: Lake,
    *,
    sha256: str,
    line: int,
    verdict: Verdict,
    author: str,
    note: str,
    cells: Mapping[str, str] | None = None,
) -> int:
    """Record a decision about one line; return its batch number.

    Args:
        lake: the lake.
        sha256: the file's hash, or enough of its beginning to name it.
        line: the line's number in that file, from 1.
        verdict: reject a line; release one from quarantine; fix its cells; or withdraw
            what was decided before.
        author: who decides.
        note: why.
        cells: of a fix, the cells as they should read.

    Raises:
        WrongUsage: no stored line is meant, or several files are; there is no note; a
            line is released that is not in quarantine, or cannot be read; or a fix
            names a cell that its table does not have, or one that is a key.
    """
    if not note.strip() or not author.strip():
        msg = "a decision needs an author and a note: why?"
        raise WrongUsage(msg)
    found = _the_line(lake, sha256, line)
    if verdict == "release":
        _can_be_released(lake, found)
    if bool(cells) != (verdict == "fix"):
        msg = f"expected cells with a fix, and only there; found {cells or 'none'} with {verdict}"
        raise WrongUsage(msg)
    if cells:
        _can_be_fixed(lake, found, cells)
    nothing = pl.lit(None, pl.String)
    text = json.dumps(dict(sorted(cells.items()))) if cells else None
    rows = found.drop("problem", "about").with_columns(
        verdict=pl.lit(verdict),
        author=pl.lit(author),
        note=pl.lit(note),
        partition=nothing,
        gate=nothing,
        candidate=nothing,
        cells=pl.lit(text, pl.String),
    )
    return append_rows(lake.table(TABLE), rows, work=lake.work, about="raw")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stored line stands."""

    date: date
    sha256: str
    line: int
    raw: str
    """The raw table that holds it."""


def line_of(lake: Lake, sha256: str, line: int) -> Place:
    """Return the place of a stored line.

    Args:
        lake: the lake.
        sha256: the file's hash, or enough of its beginning to name it.
        line: the line's number in that file, from 1.

    Raises:
        WrongUsage: no stored line is meant, or several files are.
    """
    row = _the_line(lake, sha256, line).row(0, named=True)
    return Place(row["date"], row["sha256"], row["line"], row["raw"])


def _the_line(lake: Lake, sha256: str, line: int) -> pl.DataFrame:
    """Return the one stored line that is meant, or raise WrongUsage."""
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
    return found


def _line(lake: Lake, sha256: str, line: int) -> pl.DataFrame:
    parts = []
    for name, contract in sorted(lake.registry.contracts.items()):
        if not contract.provenance:
            continue
        table = lake.table(name)
        rows = table.read(table.head()[1].partitions.values())
        here = pl.col("sha256").str.starts_with(sha256) & (pl.col("line") == line)
        parts.append(
            rows.filter(here).select(
                "date",
                "sha256",
                "line",
                "problem",
                about=pl.concat_str(_about(contract))
                if _about(contract)
                else pl.lit("-"),
                raw=pl.lit(name),
            )
        )
    # The same line may be stored twice, as seen at two times: it is one line.
    return pl.concat(parts).unique(maintain_order=True)


def _about(contract: Contract) -> list[str]:
    """Return the columns that say what a line is about, besides its date."""
    return [n for n in contract.key if n not in ("date", *PROVENANCE)]


def turned_away(lake: Lake, *, sha256: str, line: int) -> pl.DataFrame:
    """Return the rows of the quarantine tables that are about a line.

    Args:
        lake: the lake.
        sha256: the file's whole hash.
        line: the line's number in that file, from 1.

    Returns:
        table, date, rules, found and as_of, one row for each time that it was seen.
    """
    parts = []
    for name, contract in sorted(lake.registry.contracts.items()):
        if contract.zone != "quarantine" or "rules" not in contract.columns:
            continue
        table = lake.table(name)
        rows = table.read(table.head()[1].partitions.values())
        here = (pl.col("sha256") == sha256) & (pl.col("line") == line)
        parts.append(
            rows.filter(here).select(
                "date", "rules", "found", "as_of", table=pl.lit(name)
            )
        )
    return pl.concat(parts)


def _can_be_released(lake: Lake, found: pl.DataFrame) -> None:
    """Raise unless the line is in quarantine for what a person can judge better."""
    row = found.row(0, named=True)
    rows = turned_away(lake, sha256=row["sha256"], line=row["line"])
    where = f"line {row['line']} of {row['sha256'][:8]} in {row['raw']}"
    if not rows.height:
        msg = (
            f"expected a line in quarantine; {where} is in none: `cbi quarantine list` "
            "shows them, and `cbi run --until-idle` brings them up to date"
        )
        raise WrongUsage(msg)
    names = {n for each in rows["rules"] for n in each.split(",")}
    if names & FIRM:
        said = ", ".join(sorted(names & FIRM))
        msg = (
            f"expected a line that can be read; {where} is in quarantine as {said}: fix "
            "its cells, withdraw what was decided, or hand in a corrected file"
        )
        raise WrongUsage(msg)


def _can_be_fixed(lake: Lake, found: pl.DataFrame, cells: Mapping[str, str]) -> None:
    """Raise unless these are cells of the line that may read otherwise."""
    row = found.row(0, named=True)
    contract = lake.registry.contracts[row["raw"]]
    if row["problem"] is not None and not (
        row["problem"].startswith(_NUMBER) and row["about"]
    ):
        msg = (
            f"expected a line whose date can be read; line {row['line']} has: "
            f"{row['problem']}. Nobody knows which cell is which: hand in a corrected file"
        )
        raise WrongUsage(msg)
    apart = {*PROVENANCE, *READING, *contract.key, "date"}
    known = [
        name
        for name, column in contract.columns.items()
        if name not in apart and column.type == "string"
    ]
    keys = sorted(cells.keys() & {*contract.key, "date"})
    if keys:
        msg = (
            f"expected cells that are no key; found {', '.join(keys)}: a line stays about "
            "what it is about. Reject it and hand in a corrected file"
        )
        raise WrongUsage(msg)
    unknown = sorted(cells.keys() - set(known))
    if unknown:
        msg = (
            f"expected cells of {row['raw']}: {', '.join(known)}; found "
            f"{', '.join(unknown)}"
        )
        raise WrongUsage(msg)
