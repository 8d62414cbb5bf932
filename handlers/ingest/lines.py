"""Text lines of a dropped file, cut into cells. It never guesses a dialect."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from cbi_stream import BadInput

NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
WHOLE = re.compile(r"[0-9]{1,15}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SHOWN = 5
Pattern = re.Pattern[str]


def table_of(
    data: bytes, *, columns: Mapping[str, Pattern], nulls: frozenset[str], mend: str
) -> pl.DataFrame:
    """Return the lines under the header: `line` (from 1), `date`, cells as text.

    Lines that start with # and blank lines are passed over.

    Args:
        data: the file.
        columns: names for the cells after the date, and what each must look like.
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
        problem = _problem(cells, list(columns.values()), nulls)
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
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = enumerate(plain.split("\n"), start=1)
    return [(n, line) for n, line in lines if line.strip() and not line.startswith("#")]


def has_columns(*names: str) -> Callable[[str], bool]:
    """Return a test for exactly this header line."""
    return lambda header: header == ",".join(names)


def _problem(
    cells: list[str], patterns: list[Pattern], nulls: frozenset[str]
) -> str | None:
    if len(cells) != len(patterns) + 1:
        return f"expected {len(patterns) + 1} cells; found {len(cells)}"
    if not _DATE.fullmatch(cells[0]) or not _is_a_day(cells[0]):
        return f"expected a date like 2024-01-31; found {cells[0]!r}"
    for cell, pattern in zip(cells[1:], patterns, strict=True):
        if cell not in nulls and not pattern.fullmatch(cell):
            what = "a whole number" if pattern is WHOLE else "a number"
            return f"expected {what} or one of {sorted(nulls)}; found {cell!r}"
    return None


def _is_a_day(text: str) -> bool:
    try:
        return 1900 <= date.fromisoformat(text).year <= 2100
    except ValueError:
        return False
