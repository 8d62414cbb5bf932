"""Prints results for people and for machines. It decides nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table


def as_json(content: Any) -> None:
    """Print one JSON value on stdout."""
    print(json.dumps(content, indent=1, default=str))


def note(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on stdout; numbers to the right."""
    shown = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left")
    body = [list(row) for row in rows]
    last = len(columns) - 1
    for i, column in enumerate(columns):
        numeric = bool(body) and all(isinstance(row[i], int | float) for row in body)
        shown.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=i != last,
        )
    for row in body:
        shown.add_row(*("" if cell is None else str(cell) for cell in row))
    Console(highlight=False).print(shown)
