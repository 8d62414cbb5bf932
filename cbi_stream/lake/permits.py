"""What people decide about held candidates: let one through, or take that back.

A decision names the table, the partition, the gate and the candidate's hash: content of
another hash is judged anew. It is appended to `raw.decisions` and never changed. It moves
no line, so its commit names no changed date and plans nothing by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

import polars as pl

from cbi_stream.lake.decisions import TABLE
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.records import append_rows
from cbi_stream.words.errors import WrongUsage

Permits = Mapping[tuple[str, str], tuple[str, ...]]
"""By table and partition: what is let through, as gate@candidate."""
NO_PERMITS: Permits = {}
_COLUMNS = ("raw", "partition", "gate", "candidate")


def let_through(
    lake: Lake,
    table: str,
    *,
    partition: str,
    gate: str,
    candidate: str,
    author: str,
    note: str,
    verdict: Literal["let", "withdraw"] = "let",
) -> int:
    """Let the candidate of this very hash pass a gate; return the decision's batch.

    Args:
        lake: the lake.
        table: the table, or `effects.<name>`.
        partition: the partition; of an effect empty.
        gate: the gate that it failed.
        candidate: the candidate's hash; of an effect the token of the finding.
        author: who decides.
        note: why.
        verdict: let it through, or take that back.

    Raises:
        WrongUsage: there is no note or no author.
    """
    if not note.strip() or not author.strip():
        msg = "a decision needs an author and a note: why?"
        raise WrongUsage(msg)
    contract = lake.registry.contracts.get(table)
    day = (
        contract.grain.span(partition).start
        if contract is not None
        else lake.registry.sessions.covers.start
    )
    said: dict[str, date | str | int | None] = {
        "date": day,
        "sha256": "",
        "line": 0,
        "raw": table,
        "partition": partition,
        "gate": gate,
        "candidate": candidate,
        "cells": None,
        "verdict": verdict,
        "author": author,
        "note": note,
    }
    row = pl.DataFrame([said], schema_overrides={"cells": pl.String, "date": pl.Date})
    return append_rows(lake.table(TABLE), row, work=lake.work, moves=False)


def withdraw(
    lake: Lake,
    table: str,
    *,
    partition: str,
    gate: str,
    candidate: str,
    author: str,
    note: str,
) -> int:
    """Take a decision to let a candidate through back; return the decision's batch.

    Raises:
        WrongUsage: no such decision stands, or there is no note or author.
    """
    if f"{gate}@{candidate}" not in standing(lake).get((table, partition), ()):
        place = f"{table}/{partition}".rstrip("/")
        msg = (
            f"expected a decision that lets {gate}@{candidate[:12]} of {place} through; "
            "found none that stands: `cbi gates` lists them"
        )
        raise WrongUsage(msg)
    return let_through(
        lake,
        table,
        partition=partition,
        gate=gate,
        candidate=candidate,
        author=author,
        note=note,
        verdict="withdraw",
    )


def standing(lake: Lake) -> Permits:
    """Return what people let through and did not take back."""
    contract = lake.registry.contracts.get(TABLE)
    if contract is None or "candidate" not in contract.columns:
        return {}  # a registry that knows decisions about lines alone
    table = lake.table(TABLE)
    rows = table.read(table.head()[1].partitions.values())
    newest = (
        rows.filter(pl.col("candidate").is_not_null())
        .sort("batch")
        .unique(list(_COLUMNS), keep="last")
        .filter(pl.col("verdict") == "let")
        .sort(list(_COLUMNS))
    )
    found: dict[tuple[str, str], list[str]] = {}
    for raw, partition, gate, candidate in newest.select(_COLUMNS).iter_rows():
        found.setdefault((raw, partition or ""), []).append(f"{gate}@{candidate}")
    return {place: tuple(each) for place, each in found.items()}
