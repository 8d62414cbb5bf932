"""A quoted CSV with many lines, read at once into columns of text, by their names.

Columns may stand in any order. It never turns a cell into a number, and never goes on
without a column that it was asked for.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.lines import text_of

_SHOWN = 20
_WHOLE = re.compile(r"-?\d+\.0")
_HEAD_BYTES = 64 * 1024


def names_in(header: str, *, separator: str = ",") -> list[str]:
    """Return the names in a header line, without quotes."""
    try:
        return next(csv.reader([header], delimiter=separator), [])
    except csv.Error:
        return []


def as_written(cell: object) -> str:
    """Return a cell of JSON as text; empty where there is none.

    A code or a count may come as text or as a number: 2026.0 is 2026.
    """
    text = "" if cell is None else str(cell).strip()
    return text[:-2] if _WHOLE.fullmatch(text) else text


def lines_in(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Return the cells of each line of a CSV with its number, from 1.

    Blank lines, and remarks above the first line of data, are passed over.

    Raises:
        BadInput: it is no UTF-8 text, or a quote is never closed.
    """
    text = text_of(data)
    above = _remarks(text)
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        for cells in reader:
            if reader.line_num > above and any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        msg = f"line {reader.line_num}: expected lines of a CSV; {error}"
        raise BadInput(msg) from None


def records_in(data: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """Return each line of a CSV as a record, with its number.

    Raises:
        BadInput: as `lines_in`, or a line has more or fewer cells than the header.
    """
    lines = lines_in(data)
    _, names = next(lines, (0, []))
    for number, cells in lines:
        if len(cells) != len(names):
            msg = f"line {number}: expected {len(names)} cells; found {len(cells)}"
            raise BadInput(msg)
        yield number, dict(zip(names, cells, strict=True))


def _remarks(text: str) -> int:
    """Return how many remarks and blank lines stand above the header."""
    above = 0
    for line in text.split("\n"):
        if line.strip() and not line.startswith("#"):
            break
        above += 1
    return above


def columns_of(
    data: bytes, columns: Sequence[str], *, expected: str, separator: str = ","
) -> pl.DataFrame:
    """Return `line` (of the file, from 1) and these columns, empty where a cell is.

    Raises:
        BadInput: a column is missing, or the text cannot be cut into cells.
    """
    plain = data.removeprefix(b"\xef\xbb\xbf")
    above = _remarks(plain[:_HEAD_BYTES].decode("utf-8", errors="replace"))
    try:
        table = pl.read_csv(
            io.BytesIO(plain.split(b"\n", above)[-1]),
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
    number = pl.int_range(pl.len(), dtype=pl.Int64) + (above + 2)
    picked = [pl.col(named[name.lower()]).alias(name) for name in columns]
    cells = [each.fill_null("").str.strip_chars() for each in picked]
    return table.select(number.alias("line"), *cells)


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
