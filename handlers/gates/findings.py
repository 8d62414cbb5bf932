"""What the checks of this folder say: passed or failed, and the first places.

Nothing here judges. A column or a table that a check looks for and does not find is a
failure, and so is an empty input: a check that saw nothing has shown nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import polars as pl

from cbi_stream import Finding, Subject

MOST_PLACES = 5


def verdict(places: Iterable[str], *, expected: str, found: str) -> Finding:
    """Return a failure at these places, or a pass where there is none."""
    first = tuple(places)
    return Finding(not first, expected, found, first[:MOST_PLACES])


def failed(expected: str, found: str, places: Iterable[str] = ()) -> Finding:
    """Return a failure."""
    return Finding(False, expected, found, tuple(places)[:MOST_PLACES])


def absent(
    rows: pl.DataFrame, columns: Iterable[str], subject: Subject
) -> Finding | None:
    """Return the failure where a column is not there, or there is no row.

    A partition whose every line has another fate than to be staged has none, and its
    counters say so: then there is nothing to judge, and that is a pass.
    """
    wanted = list(dict.fromkeys(columns))
    missing = [name for name in wanted if name not in rows.columns]
    if missing:
        expected = f"{subject.table} with the columns {', '.join(wanted)}"
        return failed(expected, f"no column {', '.join(missing)}", missing)
    if rows.is_empty():
        expected = f"rows in {subject.table}"
        told = [fates for fates in subject.fates.values() if sum(fates.values())]
        if told and not any(fates.get("staged") for fates in told):
            return verdict([], expected=expected, found="none of its lines is staged")
        return failed(expected, "no row")
    return None


def table_of(
    tables: Mapping[str, pl.DataFrame], name: str, columns: Iterable[str]
) -> pl.DataFrame | Finding:
    """Return a table with its columns, or the failure where one is not there."""
    rows = tables.get(name)
    if rows is None:
        there = ", ".join(sorted(tables)) or "none"
        return failed(f"the table {name}", f"it is not among those read: {there}")
    return absent(rows, columns, Subject(name)) or rows


def places(rows: pl.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the first rows as `2020-06-15 close=4766.0`."""
    named = [name for name in columns if name != "date"]
    found = []
    for row in rows.head(MOST_PLACES).iter_rows(named=True):
        cells = [f"{name}={row[name]}" for name in named]
        found.append(" ".join(([str(row["date"])] if "date" in row else []) + cells))
    return found


def fits(name: str, patterns: Iterable[str]) -> bool:
    """Return whether a name is one of these, or fits a pattern such as `*_age_days`."""
    return any(fnmatchcase(name, each) for each in patterns)


def numeric(rows: pl.DataFrame, left_out: Iterable[str] = ()) -> list[str]:
    """Return the columns of numbers, in their order, but those that fit a pattern."""
    patterns = tuple(left_out)
    return [
        name
        for name, kind in rows.schema.items()
        if kind.is_numeric() and not fits(name, patterns)
    ]


def value(name: str) -> pl.Expr:
    """Return a column as floats in which NaN and infinity are no value."""
    each = pl.col(name).cast(pl.Float64)
    return pl.when(each.is_finite()).then(each)


def share(part: float, whole: float) -> str:
    """Return a share as words: `12.3 %`."""
    return f"{100 * part / whole:.1f} %" if whole else "none"


def at(names: Any, dotted: str) -> Any:
    """Return what stands at a dotted name of the registry; None where nothing does."""
    for part in dotted.split("."):
        plain = isinstance(names, Mapping)
        names = names.get(part) if plain else getattr(names, part, None)
    return names
