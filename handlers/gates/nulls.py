"""Columns that must have a value from a date on, and columns that hold one at all.

NaN and infinity are no value. Nothing is filled in, and an absent column is worse than
an empty one.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import MOST_PLACES, absent, verdict


@gate
def no_critical_nulls(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    columns: tuple[str, ...],
    since: date,
    most: int,
    where: dict[str, str],
) -> Finding:
    """Named columns have a value on each row from a date on.

    Args:
        rows: the candidate.
        subject: what it is.
        columns: what must have a value.
        since: rows before it are not judged.
        most: so many rows of each column may be without.
        where: the rows that count, for instance those of one symbol.
    """
    missing = absent(rows, ["date", *columns, *where], subject)
    if missing:
        return missing
    due = rows.filter(
        pl.col("date") >= since, *(pl.col(name) == said for name, said in where.items())
    )
    counts = {name: due.filter(_without(due, name)) for name in columns}
    bad = [name for name, lost in counts.items() if lost.height > most]
    shown = [
        f"{day} {name} is missing"
        for name in bad
        for day in counts[name]["date"].head(MOST_PLACES)
    ]
    return verdict(
        shown,
        expected=f"at most {most} rows without {', '.join(columns)} since {since}",
        found="; ".join(f"{name}: {counts[name].height}" for name in columns),
    )


def _without(rows: pl.DataFrame, name: str) -> pl.Expr:
    if rows.schema[name].is_float():
        return ~pl.col(name).is_finite().fill_null(False)
    return pl.col(name).is_null()
