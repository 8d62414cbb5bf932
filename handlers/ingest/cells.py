"""A quoted CSV with many lines, read at once into columns of text, by their names.

Columns may stand in any order. It never turns a cell into a number, never goes on
without a column that it was asked for, and never lets a quote swallow the next line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence

import polars as pl

from cbi_stream import BadInput
from handlers.ingest.lines import body_of, text_is_bad, text_of
from handlers.ingest.observed import Observations
from handlers.ingest.packed import cell_line
from handlers.ingest.table import cells_expected, unseen_in

_SHOWN = 20
_WHOLE = re.compile(r"-?\d+\.0")
OPEN_QUOTE = "expected closed quotes; found one that is open at the end of the line"
GROUPED = r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?"
"""A number with commas between its thousands."""
_STANDS_IN = "\x01"
"""Stands for a quoted cell while separators are counted."""


def names_in(header: str, *, separator: str = ",") -> list[str]:
    """Return the names in a header line, without quotes."""
    return cut(header, separator) or []


def cut(line: str, separator: str = ",") -> list[str] | None:
    """Return the cells of one line, trimmed; None where its quotes do not close."""
    try:
        found = next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return None
    return [cell.strip() for cell in found]


def as_written(cell: object) -> str:
    """Return a cell of JSON as text; empty where there is none.

    A code or a count may come as text or as a number: 2026.0 is 2026.
    """
    text = "" if cell is None else str(cell).strip()
    return text[:-2] if _WHOLE.fullmatch(text) else text


def ungrouped(cell: str) -> str:
    """Return a number without the commas between its thousands; any other cell as it is."""
    return cell.replace(",", "") if re.fullmatch(GROUPED, cell) else cell


def lines_in(data: bytes) -> Iterator[tuple[int, str, list[str] | None]]:
    """Return number (from 1), text and cells of each line of a CSV.

    The cells are None where a quote does not close in its line. Blank lines, and
    remarks above the first line of data, are passed over.

    Raises:
        BadInput: it is no UTF-8 text.
    """
    text = text_of(data)
    above = _remarks(text)
    for number, line in enumerate(text.split("\n"), start=1):
        cells = cut(line)
        if number > above and (cells is None or any(cells)):
            yield number, line, cells


def records_in(
    data: bytes, found: Observations
) -> Iterator[tuple[int, dict[str, str]]]:
    """Return each line of a CSV as a record, with its number.

    A line that cannot be cut into the cells of the header is added to `found` as one
    that cannot be read, and the others go on.

    Raises:
        BadInput: it is no UTF-8 text, or a column stands in the header twice.
    """
    lines = lines_in(data)
    _, _, names = next(lines, (0, "", []))
    names = names or []
    _once(names)
    for number, text, cells in lines:
        problem = _problem_of(cells, len(names))
        if cells is None or problem:
            found.unreadable("", text, problem, line=cell_line(number, 1))
        else:
            yield number, dict(zip(names, cells, strict=True))


def _problem_of(cells: list[str] | None, width: int) -> str:
    if cells is None:
        return f"cells: {OPEN_QUOTE}"
    return "" if len(cells) == width else f"cells: {cells_expected(width, len(cells))}"


def _once(names: Sequence[str]) -> None:
    """Hold it against a header that each of its columns stands there once.

    Raises:
        BadInput: one stands there twice: nobody can tell which of them is meant.
    """
    plain = [name.lower() for name in names]
    twice = next((name for name in names if name and plain.count(name.lower()) > 1), "")
    if twice:
        msg = f"expected each column once; found {twice!r} twice in the header"
        raise BadInput(msg)


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
    """Return `line` (of the file, from 1), `text`, `rule` and these columns.

    `rule` is null where the line could be cut; else it is what is wrong with it (see
    `told`), and its cells are empty.

    Raises:
        BadInput: no text, a column is missing or stands there twice, or the header
            stands there again.
    """
    header, lines = body_of(
        data, lambda line: len(cut(line, separator) or []) > 1, expected=expected
    )
    names = names_in(header, separator=separator)
    _once(names)
    place = {name.lower(): i for i, name in enumerate(names)}
    missing = [name for name in columns if name.lower() not in place]
    if missing:
        held = ", ".join(names[:_SHOWN])
        msg = f"expected {expected}; found no {', '.join(missing)} among {held}"
        raise BadInput(msg)
    judged = lines.with_columns(rule=_rule(len(names), separator))
    good = judged.filter(pl.col("rule").is_null())
    cells = _cells(good["text"], len(names), separator)
    picked = [cells.to_series(place[name.lower()]).alias(name) for name in columns]
    wide = pl.concat([good, pl.DataFrame(picked)], how="horizontal")
    bad = judged.filter(pl.col("rule").is_not_null())
    empty = bad.with_columns(pl.lit("").alias(name) for name in columns)
    return pl.concat([wide, empty]).sort("line")


def _rule(width: int, separator: str) -> pl.Expr:
    """Return what is wrong with a line, before it is cut; null where nothing is."""
    mark = re.escape(separator)
    # A quoted cell becomes one sign: what then follows it must be the next separator.
    plain = pl.col("text").str.replace_all(
        f'(^|{mark})"(?:[^"]|"")*"', f"${{1}}{_STANDS_IN}"
    )
    stray = plain.str.contains('"', literal=True)
    behind = plain.str.contains(f"{_STANDS_IN}[^{mark}]")
    number = plain.str.count_matches(separator, literal=True) + 1
    return (
        pl.when(text_is_bad())
        .then(pl.lit("text"))
        .when(stray | behind | (number != width))
        .then(pl.lit("cells"))
    )


def _cells(lines: pl.Series, width: int, separator: str) -> pl.DataFrame:
    """Return the cells of lines that were judged, each in a column of its own."""
    schema = {str(i): pl.String for i in range(width)}
    if not lines.len():
        return pl.DataFrame(schema=schema)
    found = pl.read_csv(
        io.BytesIO("\n".join(lines).encode()),
        has_header=False,
        schema=schema,
        separator=separator,
    )
    assert found.height == lines.len(), "each line was judged to be one row"
    return found.with_columns(pl.all().fill_null("").str.strip_chars())


def told(otherwise: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """Return the sentences about lines that could not be cut, and else what is given."""

    def sentence(rule: str, text: str) -> str:
        if rule == "text":
            return unseen_in(text)
        if rule != "cells":
            return otherwise(rule, text)
        cells = cut(text)
        found = f"{len(cells)} between commas" if cells else "an open quote"
        return f"expected as many cells as the header has; found {found}"

    return sentence


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

    `.49` gets its leading nought: a number of this project has one. A comma that stands
    elsewhere stays, so that 47,5 is never read as 475: it is then no number.
    """
    cell = pl.col(column).str.strip_chars()
    grouped = cell.str.contains(f"^{GROUPED}$")
    cell = pl.when(grouped).then(cell.str.replace_all(",", "")).otherwise(cell)
    cell = cell.str.replace(r"^(-?)\.(\d)", "${1}0.${2}")
    return pl.when(cell.is_in(list(nothing))).then(pl.lit(".")).otherwise(cell)
