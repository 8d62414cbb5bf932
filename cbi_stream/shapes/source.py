"""The decorator for parsers: bytes of one file in, lines with cells as text out.

A parser is pure and the same for a live answer, a replayed one and a dropped file.
It never rounds, fills or drops: a line it cannot read comes out with its problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

Parse = Callable[[bytes, str | None], "pl.DataFrame"]
"""(the file's bytes, not compressed; its symbol or series, None where the lines name it)
to the raw table's own columns, `line` (from 1), `problem` and `text`."""


@dataclass(frozen=True, slots=True)
class Parser:
    """How the files of one source of data_sources.yaml are read."""

    source: str
    headers: tuple[str, ...]
    """How the first line looks in each layout, for messages."""
    recognises: Callable[[str], bool]
    """Whether a header line (without line end) is this source's."""
    key_of: Callable[[str], str | None]
    """The symbol or series that a header line names; None where it names none."""
    parse: Parse


def source(
    name: str,
    *,
    headers: tuple[str, ...],
    recognises: Callable[[str], bool],
    key_of: Callable[[str], str | None] = lambda _: None,
) -> Callable[[Parse], Parser]:
    """Declare a parser for the source called `name` in data_sources.yaml."""

    def declare(function: Parse) -> Parser:
        return Parser(name, headers, recognises, key_of, function)

    return declare
