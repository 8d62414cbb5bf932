"""What join_spec.yaml expects of the rows of a table: dates, counts, regimes, weights.

Counts are held against the trading calendar, never against a number of rows that was
true once. A table, a column or a row that is not there is a failure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from cbi_stream import Finding, Subject, gate, whole_gate
from cbi_stream.kernels.weights import effective_rows
from handlers.gates.findings import (
    absent,
    failed,
    places,
    share,
    table_of,
    value,
    verdict,
)

Tables = Mapping[str, pl.DataFrame]


@whole_gate
def expect_date_range(
    tables: Tables, _subject: Subject, *, table: str, first_by: date, last_from: date
) -> Finding:
    """The table begins by one date and ends on or after another."""
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    first, last = _ends(rows)
    bad = [f"{first} is the first date"] if first > first_by else []
    bad += [f"{last} is the last date"] if last < last_from else []
    expected = f"{table} from {first_by} or before to {last_from} or after"
    return verdict(bad, expected=expected, found=f"{first} to {last}")


@gate
def expect_symbols_count_gte(
    rows: pl.DataFrame, subject: Subject, *, least: int, column: str = "symbol"
) -> Finding:
    """Each year of the rows names at least so many symbols."""
    missing = absent(rows, ["date", column], subject)
    if missing:
        return missing
    years = (
        rows.group_by(pl.col("date").dt.year().alias("year"))
        .agg(count=pl.col(column).drop_nulls().n_unique())
        .sort("year")
    )
    few = years.filter(pl.col("count") < least)
    bad = [f"{year} {column}s={count}" for year, count in few.rows()]
    fewest = years["count"].sort()[0]
    found = f"{fewest} in the poorest of {years.height} years"
    expected = f"at least {least} {column}s in each year of {subject.table}"
    return verdict(bad, expected=expected, found=found)


@whole_gate
def expect_zl_rows_gte(
    tables: Tables,
    subject: Subject,
    *,
    table: str,
    column: str,
    steps: tuple[tuple[date, float], ...],
) -> Finding:
    """Of each year's sessions enough have the target's price.

    Args:
        tables: by name.
        subject: with the calendar's sessions.
        table: where the price stands.
        column: the price.
        steps: (date, share): from that date on at least this share of the sessions.
    """
    rows = table_of(tables, table, ["date", column])
    if isinstance(rows, Finding):
        return rows
    priced = rows.filter(value(column).is_not_null())
    due = _sessions(subject, rows)
    for start, _ in sorted(steps):
        due = due.with_columns(
            step=pl.when(pl.col("date") >= start).then(pl.lit(start)).otherwise("step")
        )
    least = dict(steps)
    due = due.drop_nulls("step").with_columns(
        least=pl.col("step").replace_strict(least, return_dtype=pl.Float64)
    )
    expected = f"{column} on " + ", ".join(
        f"{share(at_least, 1)} of the sessions of a year from {start}"
        for start, at_least in sorted(steps)
    )
    return _per_year(due, priced, expected)


@whole_gate
def expect_total_rows_gte(
    tables: Tables, subject: Subject, *, table: str, at_least: float
) -> Finding:
    """Each year has a row for at least this share of the calendar's sessions."""
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    due = _sessions(subject, rows).with_columns(step=pl.lit(0), least=pl.lit(at_least))
    expected = f"a row in {table} for {share(at_least, 1)} of the sessions of each year"
    return _per_year(due, rows, expected)


@whole_gate
def expect_rows_preserved(tables: Tables, subject: Subject, *, table: str) -> Finding:
    """The table has one row per session between its ends: no join took or added one."""
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    due = _sessions(subject, rows)
    if due.is_empty():
        return failed("sessions of the calendar", "none are known")
    lost = due.join(rows, on="date", how="anti").sort("date")
    odd = rows.select("date").join(due, on="date", how="anti").sort("date")
    twice = rows.select("date").filter(pl.col("date").is_duplicated()).unique()
    bad = [
        *(f"{day} is missing" for day in lost["date"]),
        *(f"{day} is no session" for day in odd["date"]),
        *(f"{day} stands several times" for day in twice["date"].sort()),
    ]
    expected = f"{due.height} rows in {table}, one per session"
    return verdict(bad, expected=expected, found=f"{rows.height} rows")


@whole_gate
def expect_total_cols_gte(
    tables: Tables, _subject: Subject, *, table: str, least: int
) -> Finding:
    """The table has at least so many columns."""
    rows = table_of(tables, table, ["date"])
    if isinstance(rows, Finding):
        return rows
    bad = [] if rows.width >= least else [f"{table} columns={rows.width}"]
    expected = f"at least {least} columns in {table}"
    return verdict(bad, expected=expected, found=f"{rows.width} columns")


@whole_gate
def expect_no_duplicate_dates(
    tables: Tables, _subject: Subject, *, table: str, key: tuple[str, ...] = ("date",)
) -> Finding:
    """No two rows of the table agree in its key."""
    rows = table_of(tables, table, key)
    if isinstance(rows, Finding):
        return rows
    several = rows.group_by(key).len("rows").filter(pl.col("rows") > 1).sort(key)
    return verdict(
        places(several, [*key, "rows"]),
        expected=f"each {' '.join(key)} of {table} once",
        found=f"{several.height} several times",
    )


@whole_gate
def expect_regime_cardinality_gte(
    tables: Tables, _subject: Subject, *, table: str, least: int, column: str = "regime"
) -> Finding:
    """The table names at least so many regimes, and one on each row."""
    rows = table_of(tables, table, ["date", column])
    if isinstance(rows, Finding):
        return rows
    names = rows[column].drop_nulls().unique().sort().to_list()
    bad = places(rows.filter(pl.col(column).is_null()), ["date", column])
    if len(names) < least:
        bad.append(f"only {', '.join(names) or 'none'}")
    expected = f"at least {least} regimes in {table}, one on each row"
    return verdict(bad, expected=expected, found=f"{len(names)} regimes")


@whole_gate
def expect_weight_range(
    tables: Tables,
    _subject: Subject,
    *,
    table: str,
    low: float,
    high: float,
    least_effective: float,
    column: str = "weight",
) -> Finding:
    """Each weight lies between two bounds, and enough rows still count.

    Args:
        tables: by name.
        table: where the weight stands.
        low: the least weight.
        high: the greatest weight.
        least_effective: the effective rows, (sum w)^2 / sum w^2, as a share of all.
        column: the weight.
    """
    rows = table_of(tables, table, ["date", column])
    if isinstance(rows, Finding):
        return rows
    inside = value(column).is_between(low, high).fill_null(value=False)
    bad = places(rows.filter(~inside), ["date", column])
    left = effective_rows(rows.select(value(column)).to_series())
    part = left / rows.height
    said = f"{share(left, rows.height)} of {rows.height} rows are effective"
    if part < least_effective:
        bad.append(f"effective sample size {left:.0f}: {said}")
    seen = rows[column].sort()
    return verdict(
        bad,
        expected=f"{low:g} <= {column} <= {high:g}, {share(least_effective, 1)} effective",
        found=f"{seen[0]} to {seen[-1]}; effective sample size {left:.0f}: {said}",
    )


def _ends(rows: pl.DataFrame) -> tuple[date, date]:
    """Return the first and the last date of rows; there is one at least."""
    days = rows["date"].sort()
    return days[0], days[-1]


def _sessions(subject: Subject, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the calendar's sessions between the first and the last date of the rows."""
    days = pl.DataFrame(
        {"date": subject.sessions, "step": None},
        schema={"date": pl.Date, "step": pl.Date},
    )
    return days.filter(
        pl.col("date").is_between(rows["date"].min(), rows["date"].max())
    )


def _per_year(due: pl.DataFrame, rows: pl.DataFrame, expected: str) -> Finding:
    """Hold the dates of rows against sessions: `step` and `least` say how many."""
    if due.is_empty():
        return failed(expected, "no session of the calendar to hold it against")
    there = pl.col("date").is_in(rows["date"].implode())
    years = (
        due.with_columns(year=pl.col("date").dt.year(), there=there)
        .group_by("step", "year", "least")
        .agg(sessions=pl.len(), rows=pl.col("there").sum())
        .sort("step", "year")
        .with_columns(part=pl.col("rows") / pl.col("sessions"))
    )
    bad = [
        f"{row['year']} rows={row['rows']} sessions={row['sessions']}"
        for row in years.filter(pl.col("part") < pl.col("least")).rows(named=True)
    ]
    poorest = years.sort("part").row(0, named=True)
    found = f"least in {poorest['year']}: {poorest['rows']} of {poorest['sessions']}"
    return verdict(bad, expected=expected, found=found)
