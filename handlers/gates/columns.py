"""Columns that say nothing: constant, empty, or a copy of another one.

An absent column is no empty one, and exceptions are named, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.correlation import plain, straight
from handlers.gates.findings import absent, fits, numeric, share, table_of, verdict

_ONE = 1 - 1e-9
_SAMPLED = 16


@gate
def no_constant_columns(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    least_rows: int,
    may_be_constant: tuple[str, ...],
) -> Finding:
    """No column of numbers has one value on every row of a partition.

    A column without any value is not constant; how many may be, `no_dead_columns` says.

    Args:
        rows: the candidate.
        subject: what it is.
        least_rows: with fewer values a column may be constant: a January with one session.
        may_be_constant: patterns of columns that truly stand still for a year.
    """
    missing = absent(rows, ["date"], subject)
    if missing:
        return missing
    names = numeric(rows, may_be_constant)
    if not names:
        return verdict(["no column of numbers"], expected="columns", found="none")
    said = plain(rows, names)
    counts = said.select(pl.all().count()).row(0, named=True)
    kinds = said.select(pl.all().drop_nulls().n_unique()).row(0, named=True)
    still = [n for n in names if counts[n] >= max(least_rows, 2) and kinds[n] == 1]
    return verdict(
        [f"{n}={said[n].drop_nulls()[0]} on all {counts[n]} rows" for n in still],
        expected="more than one value in each column",
        found=f"{len(still)} of {len(names)} columns are constant",
    )


@whole_gate
def no_dead_columns(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    most_null: float,
    may_be_null: tuple[str, ...],
) -> Finding:
    """No column is constant over all history, and few of its values are missing.

    Nulls count from the column's first value on: what did not exist yet is not missing.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        most_null: the highest share of rows without a value.
        may_be_null: patterns of columns of which more may be missing, or all.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    names = numeric(rows)
    said = plain(rows.sort("date"), names)
    bad = []
    for name in names:
        known = said[name].is_not_null()
        first = known.arg_max() or 0
        of = said.height - first
        lost = of - said[name].count()
        if said[name].count() and said[name].drop_nulls().n_unique() == 1:
            bad.append(f"{name}={said[name].drop_nulls()[0]} on all rows")
        elif lost > most_null * of and not fits(name, may_be_null):
            bad.append(f"{name}: {share(lost, of)} of {of} rows without a value")
    return verdict(
        bad if names else [f"{table}: no column of numbers"],
        expected="no constant column, and at most "
        f"{100 * most_null:g} % nulls since a column's first value",
        found=f"{len(bad)} of {len(names)} columns are otherwise",
    )


@whole_gate
def no_copied_columns(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    least_rows: int,
    may_be_equal: tuple[str, ...],
) -> Finding:
    """No two columns are equal, or one the other in another unit, on all shared rows.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        least_rows: with fewer shared values a pair is not judged.
        may_be_equal: patterns of columns that may copy each other: ages of one report.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    names = numeric(rows, may_be_equal)
    if len(names) < 2:
        return verdict([table], expected="at least two columns", found=f"{len(names)}")
    # A column that stands still has no correlation: it is a worry of its own.
    said = plain(rows, names)
    pairs = list(combinations(names, 2))
    # What is a copy is one on every sixteenth row, too: most pairs end here.
    few = straight(said.gather_every(_SAMPLED), pairs)
    likely = [p for p in pairs if p not in few or abs(few[p][0]) >= _ONE]
    bad = [
        f"{one} and {other}: correlation {r:.9f} on {n} rows"
        for (one, other), (r, n) in straight(said, likely).items()
        if n >= least_rows and abs(r) >= _ONE
    ]
    return verdict(
        bad,
        expected="no two columns with a correlation of 1",
        found=f"{len(bad)} of {len(pairs)} pairs",
    )
