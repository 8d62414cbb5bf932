"""A quoted CSV with many lines, read at once into columns of text, by their names.

Columns may stand in any order. It never turns a cell into a number, and never goes on
without a column that it was asked for.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

import polars as pl

from cbi_stream import BadInput

_SHOWN = 20


def names_in(header: str, *, separator: str = ",") -> list[str]:
    """Return the names in a header line, without quotes."""
    try:
        return next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        return []


def columns_of(
    data: bytes, columns: Sequence[str], *, expected: str, separator: str = ","
) -> pl.DataFrame:
    """Return `line` (of the file, from 1) and these columns, empty where a cell is.

    Raises:
        BadInput: a column is missing, or the text cannot be cut into cells.
    """
    try:
        table = pl.read_csv(
            io.BytesIO(data.removeprefix(b"\xef\xbb\xbf")),
            infer_schema=False,
            separator=separator,
        )
    except pl.exceptions.PolarsError as error:
        msg = f"expected {expected}; {str(error)[:200]}"
        raise BadInput(msg) from None
    named = {name.strip().lower(): name for name in table.columns}
    missing = [name for name in columns if name.lower() not in named]
    if missing:
        held = ", ".join(table.columns[:_SHOWN])
        msg = f"expected {expected}; found no {', '.join(missing)} among {held}"
        raise BadInput(msg)
    number = pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("line")
    picked = [pl.col(named[name.lower()]).alias(name) for name in columns]
    cells = [each.fill_null("").str.strip_chars() for each in picked]
    return table.select(number, *cells)


def with_made(
    rows: pl.DataFrame,
    about: Sequence[str],
    name: str,
    make: Callable[..., object],
    *,
    kind: pl.DataType | type[pl.DataType] = pl.String,
) -> pl.DataFrame:
    """Return the rows with a column that is made once for each combination of cells."""
    words = rows.select(about).unique(maintain_order=True)
    made = pl.Series(name, [make(*each) for each in words.iter_rows()], dtype=kind)
    keyed = words.with_columns(made)
    return rows.join(keyed, on=list(about), how="left", maintain_order="left")


def number_in(column: str, *, nothing: Sequence[str] = ("", "NA")) -> pl.Expr:
    """Return cells without thousands commas; a point where a word says that none is.

    `.49` gets its leading nought: a number of this project has one.
    """
    cell = pl.col(column).str.strip_chars().str.replace_all(",", "")
    cell = cell.str.replace(r"^(-?)\.(\d)", "${1}0.${2}")
    return pl.when(cell.is_in(list(nothing))).then(pl.lit(".")).otherwise(cell)
