"""Whether the sessions of the calendar are there: by year, by month, and in one run.

It never counts rows: six thousand rows can hold a hole of a year. What is expected are
the sessions of the calendar inside the partition, and each must have the target's value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import groupby

import polars as pl

from cbi_stream import Finding, Subject, gate
from handlers.gates.findings import absent, failed, share, verdict


@gate
def coverage(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    column: str,
    least: float,
    month_least: float,
    since: date,
    where: dict[str, str],
    from_first_row: bool,
) -> Finding:
    """The share of sessions with a value, of the partition and of each month in it.

    Args:
        rows: the candidate.
        subject: with the sessions that are expected.
        column: what must have a value.
        least: the lowest share of the sessions of the partition.
        month_least: the lowest share of the sessions of one month. A month whose only
            missing session is one, is good: the newest month may have few.
        since: sessions before it are not judged.
        where: the rows that count, for instance those of one symbol.
        from_first_row: of a table with a row for each session: what lies before its
            first row is before its history, and not judged.
    """
    missing = absent(rows, ["date", column, *where], subject)
    if missing:
        return missing
    if not subject.sessions:
        return failed(f"sessions of the calendar in {subject.partition}", "none")
    first = max(since, min(rows["date"])) if from_first_row else since
    due = [day for day in subject.sessions if day >= first]
    held = _priced(rows, column, where)
    without = [day for day in due if day not in held]
    months = Counter((day.year, day.month) for day in due)
    lost = Counter((day.year, day.month) for day in without)
    thin = [m for m, n in lost.items() if n > max(1, (1 - month_least) * months[m])]
    too_few = len(without) > max(1, (1 - least) * len(due)) or len(without) == len(due)
    bad = [d for d in without if too_few or (d.year, d.month) in thin] if due else []
    return verdict(
        [f"{day} {column} is missing" for day in bad],
        expected=f"{column} on {100 * least:g} % of the sessions since {since}, "
        f"and on {100 * month_least:g} % of each month's",
        found=f"{len(due) - len(without)} of {len(due)} sessions "
        f"({share(len(due) - len(without), len(due))}); {len(thin)} thin months",
    )


@gate
def no_hole(
    rows: pl.DataFrame,
    subject: Subject,
    *,
    column: str,
    most: int,
    since: date,
    where: dict[str, str],
    from_first_row: bool,
) -> Finding:
    """The longest run of sessions without a value.

    Args:
        rows: the candidate.
        subject: with the sessions that are expected.
        column: what must have a value.
        most: so many sessions in a row may be without.
        since: sessions before it are not judged.
        where: the rows that count, for instance those of one symbol.
        from_first_row: of a table with a row for each session: what lies before its
            first row is before its history, and not judged.
    """
    missing = absent(rows, ["date", column, *where], subject)
    if missing:
        return missing
    if not subject.sessions:
        return failed(f"sessions of the calendar in {subject.partition}", "none")
    first = max(since, min(rows["date"])) if from_first_row else since
    due = [day for day in subject.sessions if day >= first]
    holes = _holes(due, _priced(rows, column, where))
    longest = max((len(hole) for hole in holes), default=0)
    return verdict(
        [
            f"{hole[0]} to {hole[-1]}: {len(hole)} sessions without {column}"
            for hole in holes
            if len(hole) > most
        ],
        expected=f"at most {most} sessions in a row without {column} since {since}",
        found=f"at most {longest}",
    )


@gate
def only_sessions(rows: pl.DataFrame, subject: Subject) -> Finding:
    """Every row stands on a session: no weekend, no holiday."""
    missing = absent(rows, ["date"], subject)
    if missing:
        return missing
    due = subject.spec.sessions if subject.spec is not None else subject.sessions
    other = sorted({day for day in rows["date"].to_list() if day not in due}, key=str)
    return verdict(
        [f"{day} is no session" for day in other],
        expected="every date a session of the calendar",
        found=f"{len(other)} dates that are none",
    )


def _priced(rows: pl.DataFrame, column: str, where: dict[str, str]) -> set[date]:
    """Return the dates with a value: NaN is none."""
    here = rows.filter(*(pl.col(name) == said for name, said in where.items()))
    good = pl.col(column).is_not_null()
    if here.schema[column].is_float():
        good &= pl.col(column).is_finite()
    return set(here.filter(good)["date"].to_list())


def _holes(due: Sequence[date], held: set[date]) -> list[list[date]]:
    runs = groupby(due, key=lambda day: day in held)
    return [list(run) for there, run in runs if not there]
