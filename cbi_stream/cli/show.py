"""Prints results for people and for machines. It decides nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

_WIDEST = 2000


def as_json(content: Any) -> None:
    """Print one JSON value on stdout."""
    print(json.dumps(content, indent=1, default=str))


def note(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr)


def plain(value: Any) -> str:
    """Return a value as one line of text in which nothing can move a cursor.

    What stands in somebody's file is shown to a terminal as it is, and does nothing.
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table on stdout; numbers to the right. It cuts no cell off."""
    shown = Table(box=box.SIMPLE_HEAD)
    body = [list(row) for row in rows]
    last = len(columns) - 1
    for i, column in enumerate(columns):
        numeric = bool(body) and all(isinstance(row[i], int | float) for row in body)
        cells = [column, *(plain(row[i]) for row in body if row[i] is not None)]
        shown.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=i != last,
            # rich would take a cell for as wide as its longest word.
            min_width=None if i == last else max(map(cell_len, cells)),
        )
    for row in body:
        shown.add_row(*(Text("" if cell is None else plain(cell)) for cell in row))
    console = Console(highlight=False)
    console.print(title, style="italic", soft_wrap=True, markup=False)
    # A number without its last digits would be another number: rather too wide.
    wide = console.options.update(max_width=_WIDEST)
    needed = Measurement.get(console, wide, shown).minimum
    Console(highlight=False, width=max(console.width, needed)).print(shown)


def failures(failed: Mapping[str, str], word: str = "failed") -> None:
    """Print on stderr what failed and why, places of one reason together.

    Args:
        failed: by `table/partition`, or by effect, why it failed.
        word: what stands before each of them.
    """
    places: dict[tuple[str, str], list[str]] = {}
    for place, why in failed.items():
        table, _, partition = place.partition("/")
        places.setdefault((table, why), []).append(partition)
    for (table, why), partitions in places.items():
        first, last, n = partitions[0], partitions[-1], len(partitions)
        where = f"/{first}" if first else ""
        if n > 1:
            where = f"/{first} to {last} ({n} partitions)"
        note(f"{word}: {table}{where}: {why}")
