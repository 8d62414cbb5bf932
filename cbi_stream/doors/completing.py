"""Receipts made complete: what a settled wave made of each line of a file, and why.

It never decides a fate, and never writes over the receipt of another file of that name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from cbi_stream.doors import receipts
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.handler import FATES
from cbi_stream.words.errors import CbiError

_SHOWN = 5
_LONGEST = 120


@dataclass(slots=True)
class _Outcome:
    """What became of the lines of one append."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FATES, 0))
    turned_away: list[str] = field(default_factory=list)
    """One sentence for each line that could be read and broke a rule."""


def complete(lake: Lake, graph: Graph, told: Sequence[Receipt]) -> list[Receipt]:
    """Return the receipts with what became of each line, and write them anew.

    Call it when a wave has settled. A file whose lines do not add up says so: none may
    be missing.
    """
    found: dict[tuple[str, int], _Outcome] = {}
    why: dict[str, str] = {}
    staging = {table for node in fates.conforming(graph) for table in node.reads}
    for table in sorted({r.table for r in told if r.table} & staging):
        batches = {r.batch for r in told if r.table == table}
        try:
            found |= _outcomes(lake, graph, table, batches=batches)
        except CbiError as error:
            why[table] = f"what became of its lines is not known: {error}"
    return [
        _completed(lake, each, found, why=why.get(each.table or "")) for each in told
    ]


def _completed(
    lake: Lake,
    told: Receipt,
    found: Mapping[tuple[str, int], _Outcome],
    *,
    why: str | None,
) -> Receipt:
    if told.table is None or told.batch is None:
        return told
    outcome = found.get((told.table, told.batch))
    done = _with_fates(told, outcome) if outcome else replace(told, reason=why)
    place = lake.folder / "landing" / done.file
    # Another file of that name may have come since: its receipt is not written over.
    if receipts.read(place).get("batch") == done.batch:
        receipts.write(place, done)
    return done


def _outcomes(
    lake: Lake, graph: Graph, table: str, *, batches: Collection[int | None]
) -> dict[tuple[str, int], _Outcome]:
    """Return, per append, what became of its stored lines."""
    wanted = pl.col("batch").is_in(sorted(b for b in batches if b is not None))
    rows = fates.of_lines(lake, graph, table, wanted)
    found = {(table, b): _Outcome() for b in batches if b is not None}
    for batch, fate, n in rows.group_by("batch", "fate").len().iter_rows():
        found[table, batch].counts[fate] = n
    # What cannot be read stands in the receipt since the file was taken.
    broke = pl.col("rules").is_not_null() & (pl.col("rules") != "unreadable")
    away = rows.filter((pl.col("fate") == "quarantined") & broke).sort("batch", "line")
    for batch, line, broken, what in away.select(
        "batch", "line", "rules", "found"
    ).iter_rows():
        said = f"line {line}: {broken}: found {what[:_LONGEST]}"
        found[table, batch].turned_away.append(said)
    return found


def _with_fates(told: Receipt, outcome: _Outcome) -> Receipt:
    counts = outcome.counts
    duplicate = told.lines - told.stored + counts["duplicate"]
    done = replace(
        told,
        staged=counts["staged"],
        quarantined=counts["quarantined"],
        superseded=counts["superseded"],
        duplicate=duplicate,
        provisional=counts["provisional"],
        unused=counts["unused"],
    )
    missing = told.stored - sum(counts.values())
    if missing == 0:
        # One that was complete before has its reasons.
        again = told.staged is not None
        return done if again else _with_reasons(done, outcome.turned_away)
    what = f"LINES ARE MISSING: {missing} of {told.lines} are unaccounted for"
    mend = "run again; if they stay missing, report it: it is a fault of the platform"
    return replace(done, reason=what, mend=mend)


def _with_reasons(done: Receipt, turned_away: Sequence[str]) -> Receipt:
    """Return the receipt with the lines that broke a rule, the first of them by name."""
    if not turned_away:
        return done
    more = len(turned_away) - _SHOWN
    rest = [f"(and {more} more)"] if more > 0 else []
    first = f"broke a rule, so quarantined: {len(turned_away)} of {done.lines} lines:"
    said = [done.reason] if done.reason else []
    seen = f"`cbi quarantine list --file {(done.sha256 or '')[:8]}` shows them"
    return replace(
        done,
        reason="\n".join([*said, first, *turned_away[:_SHOWN], *rest]),
        mend=f"{done.mend}; {seen}" if done.mend else seen,
    )
