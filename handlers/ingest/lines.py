"""Text lines of a dropped file, cut into cells. It never guesses a dialect."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date

import polars as pl

from cbi_stream import BadInput

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SHOWN = 5


def table_of(
    data: bytes, *, columns: Sequence[str], nulls: frozenset[str], mend: str
) -> pl.DataFrame:
    """Return the lines under the header: `line` (from 1), `date`, cells as text.

    Lines that start with # and blank lines are passed over.

    Args:
        data: the file.
        columns: names for the cells after the date.
        nulls: what a cell may say instead of a number.
        mend: what to tell the user to do about a bad line.

    Raises:
        BadInput: the file is no UTF-8 text, or a line is not a date and as many
            numbers as there are columns; the message names the first such lines.
    """
    rows: list[list[object]] = []
    problems: list[str] = []
    for number, text in numbered_lines(data)[1:]:
        cells = text.split(",")
        problem = _problem(cells, len(columns) + 1, nulls)
        if problem:
            problems.append(f"line {number}: {problem}; the line is {text[:80]!r}")
        else:
            rows.append([number, date.fromisoformat(cells[0]), *cells[1:]])
    if problems:
        more = f" (and {len(problems) - _SHOWN} more)" if len(problems) > _SHOWN else ""
        msg = "\n".join(problems[:_SHOWN]) + f"{more}\n{mend}"
        raise BadInput(msg)
    schema = {"line": pl.Int64, "date": pl.Date} | dict.fromkeys(columns, pl.String)
    return pl.DataFrame(rows, schema=schema, orient="row")


def numbered_lines(data: bytes) -> list[tuple[int, str]]:
    """Return the lines that are neither blank nor a # remark, with their numbers.

    Raises:
        BadInput: the bytes are no UTF-8 text.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"expected UTF-8 text; found the byte {data[error.start]:#04x} at {error.start}"
        raise BadInput(msg) from None
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), start=1)
    return [(n, line) for n, line in lines if line.strip() and not line.startswith("#")]


def has_columns(*names: str) -> Callable[[str], bool]:
    """Return a test for exactly this header line."""
    return lambda header: header == ",".join(names)


def _problem(cells: list[str], width: int, nulls: frozenset[str]) -> str | None:
    if len(cells) != width:
        return f"expected {width} cells; found {len(cells)}"
    if not _DATE.fullmatch(cells[0]) or not _is_a_day(cells[0]):
        return f"expected a date like 2024-01-31; found {cells[0]!r}"
    for cell in cells[1:]:
        if cell not in nulls and not _NUMBER.fullmatch(cell):
            return f"expected a number or one of {sorted(nulls)}; found {cell!r}"
    return None


def _is_a_day(text: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(text).year <= 2100
    except ValueError:
        return False
