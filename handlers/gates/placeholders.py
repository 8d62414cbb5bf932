"""Values that stand where none was known: a half, a zero, the first row's price.

It never says what the value should be. A value that is missing is null, and null is
what these checks do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from handlers.gates.findings import (
    absent,
    fits,
    numeric,
    places,
    share,
    table_of,
    value,
    verdict,
)


@whole_gate
def placeholder_share(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    most: float,
    longest: int,
    may_repeat: tuple[str, ...],
) -> Finding:
    """No value of a column is too common, and none stands for too many rows in a row.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        most: the highest share of a column's values that one value may have.
        longest: so many rows in a row may have the same value.
        may_repeat: patterns of columns with few values: flags, ages, steps of a month.
    """
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    names = numeric(rows, may_repeat)
    ordered = rows.sort("date")
    bad = []
    for name in names:
        said = ordered.select("date", x=value(name)).drop_nulls()
        if said.is_empty():
            continue  # a column without any value is a worry of its own
        common, count = said["x"].value_counts(sort=True).row(0)
        run, since = _longest_run(said)
        if count > max(most * said.height, 1) or run > longest:
            bad.append(
                f"{name}: {common} is {share(count, said.height)} of {said.height} "
                f"values; {run} equal ones in a row since {since}"
            )
    return verdict(
        bad if names else [f"{table}: no column of numbers"],
        expected=f"no value above {100 * most:g} % of a column, nor {longest} in a row",
        found=f"{len(bad)} of {len(names)} columns are otherwise",
    )


@gate
def zero_runs(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    column: str,
    by: str,
    longest: int,
    may_be_zero: tuple[str, ...],
) -> Finding:
    """No series is zero for many rows in a row, where its source does not say zero.

    Args:
        rows: the candidate.
        subject: what it is.
        column: the values.
        by: what tells one series from another.
        longest: so many zeros in a row may stand.
        may_be_zero: patterns of series that truly are: rain, days without an auction.
    """
    missing = absent(rows, ["date", by, column], subject)
    if missing:
        return missing
    keys = [name for name in (by, "date", "vintage") if name in rows.columns]
    said = (
        rows.sort(keys)
        .select("date", by, zero=value(column) == 0)
        .drop_nulls("zero")
        .with_columns(run=pl.struct(by, "zero").rle_id())
        .filter("zero")
        .group_by(by, "run")
        .agg(pl.col("date").min(), zeros=pl.len())
        .filter(pl.col("zeros") > longest)
        .sort(by, "date")
    )
    bad = [row for row in said.to_dicts() if not fits(row[by], may_be_zero)]
    return verdict(
        [f"{row['date']} {row[by]}: {row['zeros']} zeros in a row" for row in bad],
        expected=f"at most {longest} zeros in a row in {column}",
        found=f"{len(bad)} longer runs",
    )


@whole_gate
def no_stamped_rows(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,  # noqa: ARG001 - the table says it all
    *,
    table: str,
    column: str,
    jump: float,
    apart: int,
) -> Finding:
    """No row repeats the value of the table's first row, a jump away from its neighbour.

    Args:
        tables: with the table.
        subject: what is judged.
        table: the table.
        column: a price.
        jump: how far the value lies from the one before it, as a share.
        apart: so many rows lie between the first row and what could be a copy of it.
    """
    rows = table_of(tables, table, ["date", column])
    if isinstance(rows, Finding):
        return rows
    said = rows.sort("date").select("date", x=value(column)).drop_nulls()
    x, place = pl.col("x"), pl.int_range(pl.len())
    far = (x / x.shift(1) - 1).abs() > jump
    # The rows that follow a stamp repeat it without a jump of their own.
    again = (x == x.first()) & (place >= apart) & (far | (x == x.shift(1)))
    stamped = said.filter(again)
    jumped = said.filter(again & far).height > 0
    return verdict(
        places(stamped.rename({"x": column}), [column])
        if jumped
        else ([] if said.height else [f"{table}: no value of {column}"]),
        expected=f"no row with the first row's {column} after a jump of {100 * jump:g} %",
        found=f"{stamped.height if jumped else 0} rows",
    )


def _longest_run(said: pl.DataFrame) -> tuple[int, object]:
    """Return how many rows in a row are equal at most, and where they begin."""
    runs = said.group_by(pl.col("x").rle_id().alias("run")).agg(
        pl.len(), pl.col("date").min()
    )
    longest = runs.sort("len", "date", descending=[True, False]).row(0, named=True)
    return longest["len"], longest["date"]
