"""What join_spec.yaml expects of the columns that a join brings.

None of these fills or drops a value. A column that is not there is a failure, and so is
one without a value, where the numbers do not say otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from cbi_stream import Finding, Subject, whole_gate
from handlers.gates.findings import failed, places, share, table_of, verdict

Tables = Mapping[str, pl.DataFrame]
_LEFT_OVER = "_right"
"""What polars puts to a name that stands on both sides of a join."""


@whole_gate
def expect_columns_present(
    tables: Tables, _subject: Subject, *, table: str, columns: tuple[str, ...]
) -> Finding:
    """The table has these columns."""
    rows = table_of(tables, table, columns)
    if isinstance(rows, Finding):
        return rows
    expected = f"{', '.join(columns)} in {table}"
    return verdict((), expected=expected, found="all of them")


@whole_gate
def expect_columns_added(
    tables: Tables, _subject: Subject, *, table: str, columns: tuple[str, ...]
) -> Finding:
    """Every join brought its columns, with a type, and none under a name left over."""
    rows = table_of(tables, table, columns)
    if isinstance(rows, Finding):
        return rows
    untyped = [name for name in columns if rows.schema[name] == pl.Null]
    odd = [name for name in rows.columns if name.endswith(_LEFT_OVER)]
    bad = [f"{name} has no type" for name in untyped]
    bad += [f"{name} is left over" for name in odd]
    expected = f"{len(columns)} columns of joins in {table}"
    return verdict(bad, expected=expected, found=f"{len(bad)} that are none")


@whole_gate
def expect_columns_prefixed(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    prefix: str,
) -> Finding:
    """The columns of a join are there, and the name of each begins alike."""
    rows = table_of(tables, table, columns)
    if isinstance(rows, Finding):
        return rows
    bad = [name for name in columns if not name.startswith(prefix)]
    if not columns:
        bad = ["no column"]
    expected = f"names in {table} that begin with {prefix}"
    return verdict(bad, expected=expected, found=", ".join(columns) or "none")


@whole_gate
def expect_null_rate_below(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    below: float,
    since: date | None = None,
) -> Finding:
    """Inside the span that a column covers, few of its cells are missing.

    Args:
        tables: by name.
        table: where the columns stand.
        columns: each is judged by itself.
        below: the share that is too much.
        since: where the span begins; None: at the column's first value. It ends with
            its last one: what comes later is for expect_match_rate_gte.
    """
    rows = table_of(tables, table, ["date", *columns])
    if isinstance(rows, Finding):
        return rows
    bad, found = [], []
    for name in columns:
        days = rows.filter(_there(rows, name))["date"].sort()
        if days.is_empty():
            bad.append(f"{name} has no value")
            continue
        start = since or days[0]
        inside = rows.filter(pl.col("date").is_between(start, days[-1]))
        holes = inside.filter(~_there(rows, name))
        found.append(f"{name} {share(holes.height, inside.height)}")
        if inside.is_empty() or holes.height >= below * inside.height:
            bad += places(holes, ["date", name]) or [f"{name} ends before {start}"]
    expected = f"under {share(below, 1)} of the cells missing inside a column's span"
    return verdict(bad, expected=expected, found=", ".join(found) or "no value")


@whole_gate
def expect_no_nulls(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    since: date | None = None,
) -> Finding:
    """From a date to the table's end no cell is missing: `null_policy: refuse`."""
    rows = table_of(tables, table, ["date", *columns])
    if isinstance(rows, Finding):
        return rows
    judged = rows if since is None else rows.filter(pl.col("date") >= since)
    if judged.is_empty():
        return failed(f"rows of {table} from {since}", "no row")
    holes = {name: judged.filter(~_there(rows, name)) for name in columns}
    bad = [p for name in columns for p in places(holes[name], ["date", name])]
    count = sum(each.height for each in holes.values())
    expected = f"no null in {', '.join(columns)} from {judged['date'].sort()[0]}"
    return verdict(bad, expected=expected, found=f"{count} nulls")


@whole_gate
def expect_match_rate_gte(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    at_least: float,
    since: date | None = None,
) -> Finding:
    """A join found something for this share of the rows: it did not add nothing.

    Args:
        tables: by name.
        table: where the columns stand.
        columns: each is judged by itself.
        at_least: the share of rows that have a value.
        since: the first row that counts; None: all.
    """
    rows = table_of(tables, table, ["date", *columns])
    if isinstance(rows, Finding):
        return rows
    judged = rows if since is None else rows.filter(pl.col("date") >= since)
    if judged.is_empty():
        return failed(f"rows of {table} from {since}", "no row")
    bad, found = [], []
    for name in columns:
        matched = judged.filter(_there(rows, name)).height
        found.append(f"{name} {share(matched, judged.height)}")
        if matched < at_least * judged.height:
            lost = judged.filter(~_there(rows, name))
            bad += places(lost.sort("date", descending=True), ["date", name])
    expected = f"a value on {share(at_least, 1)} of {judged.height} rows"
    return verdict(bad, expected=expected, found=", ".join(found))


@whole_gate
def expect_available_after(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    since: date,
    within_days: int | None = 14,
    least_values: int = 1,
) -> Finding:
    """A column has no value before its first date, and has values from there on.

    Args:
        tables: by name.
        table: where the columns stand.
        columns: each is judged by itself.
        since: the first session on which the world could know a value.
        within_days: how long after it, or after the table's first row, the first value
            may come; None: at any later time.
        least_values: how many there must be; 0 lets a column be empty altogether.
    """
    rows = table_of(tables, table, ["date", *columns])
    if isinstance(rows, Finding):
        return rows
    start: date = max(since, rows["date"].sort()[0])
    latest = date.max if within_days is None else start + timedelta(days=within_days)
    bad, found = [], []
    for name in columns:
        there = rows.filter(_there(rows, name)).sort("date")
        early = there.filter(pl.col("date") < since)
        bad += places(early, ["date", name])
        if there.height < least_values:
            bad.append(f"{name}: {there.height} values")
        if there.is_empty():
            continue
        first = there["date"][0]
        found.append(f"{name} from {first}")
        if first > latest:
            bad.append(f"{name}: the first value on {first}")
    by = "" if within_days is None else f", the first by {latest}"
    expected = f"no value before {since}{by}"
    return verdict(bad, expected=expected, found=", ".join(found) or "no value")


@whole_gate
def expect_age_gte(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    columns: tuple[str, ...],
    days: int,
    least_values: int = 1,
) -> Finding:
    """No value is younger than its release allows: a count of Tuesday comes on Friday.

    Args:
        tables: by name.
        table: where the columns and their ages stand.
        columns: of values; the age of each stands in `<column>_age_days`.
        days: the least age of a value.
        least_values: how many values there must be; 0 lets a column be empty.
    """
    ages = {name: f"{name}_age_days" for name in columns}
    rows = table_of(tables, table, ["date", *columns, *ages.values()])
    if isinstance(rows, Finding):
        return rows
    bad, found = [], []
    for name, age in ages.items():
        there = rows.filter(_there(rows, name)).sort("date")
        old_enough = (pl.col(age) >= days).fill_null(value=False)
        bad += places(there.filter(~old_enough), ["date", name, age])
        if there.height < least_values:
            bad.append(f"{name}: {there.height} values")
        found += [f"{name} {n} days" for n in there[age].sort()[:1]]
    expected = f"values at least {days} days old"
    return verdict(
        bad, expected=expected, found="youngest: " + (", ".join(found) or "no value")
    )


def _there(rows: pl.DataFrame, name: str) -> pl.Expr:
    """Return whether a cell has a value; NaN and infinity are none."""
    if rows.schema[name].is_float():
        return pl.col(name).is_finite().fill_null(value=False)
    return pl.col(name).is_not_null()
