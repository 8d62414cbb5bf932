"""Lines of a CSV whose columns are found by their names, in any order, quotes allowed.

It never takes a column for another, and drops no line: one with another number of cells
comes out with its problem.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from cbi_stream import BadInput
from handlers.ingest.cells import OPEN_QUOTE, cut
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.observed import Observations
from handlers.ingest.table import cells_expected, number_expected


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its number, its text, its cells by column, or why there are none."""

    number: int
    text: str
    cells: dict[str, str]
    problem: str | None = None


def has(columns: Sequence[str]) -> Callable[[str], bool]:
    """Return a test for a header with each of these columns once, and no other."""
    return lambda header: sorted(cut(header) or ()) == sorted(columns)


def lines_of(data: bytes, columns: Sequence[str]) -> Iterator[Line]:
    """Return the lines under the header.

    Raises:
        BadInput: a column is missing, or was renamed; what was found is named.
    """
    expected = ",".join(columns)
    header, body = body_of(data, has(columns), expected=expected)
    names = cut(header) or []
    for number, text in body.rows():
        cells = cut(text)
        if cells is None:
            yield Line(number, text, {}, f"cells: {OPEN_QUOTE}")
        elif len(cells) != len(names):
            problem = f"cells: {cells_expected(len(names), len(cells))}"
            yield Line(number, text, {}, problem)
        else:
            yield Line(number, text, dict(zip(names, cells, strict=True)))


def without_notes(lines: Iterator[Line], column: str) -> list[Line]:
    """Return the lines without the publisher's notes that stand under the last of data.

    A note is a line below all others whose first character is no digit.

    Args:
        lines: what `lines_of` gave.
        column: the column with which data begins, for the message.

    Raises:
        BadInput: there are notes and nothing else.
    """
    found = list(lines)
    held = max((i for i, each in enumerate(found) if _is_data(each)), default=-1)
    if found and held < 0:
        msg = f"expected lines that begin with {column}; found {found[0].text[:80]!r}"
        raise BadInput(msg)
    return found[: held + 1]


def not_a_number(name: str, cell: str) -> str | None:
    """Return why a cell is neither a number nor empty; None where it is one."""
    if not cell or re.fullmatch(NUMBER, cell):
        return None
    said = number_expected(name, cell, pattern=NUMBER, nulls=("",))
    return f"number: {said}"


def add_number(
    found: Observations, series: str, day: date, *, column: str, cell: str, line: int
) -> None:
    """Add an observation; as one that cannot be read where its cell is no number."""
    odd = not_a_number(column, cell)
    if odd:
        found.unreadable(series, cell, odd, line=line)
    else:
        found.add(series, day, cell, line=line)


def _is_data(line: Line) -> bool:
    return line.text.strip().strip('"')[:1].isdigit()
