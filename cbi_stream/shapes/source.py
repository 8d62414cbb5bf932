"""The decorator for parsers: bytes of one file in, lines with cells as text out.

A parser is pure and the same for a live answer, a replayed one and a dropped file.
It never rounds, fills or drops: a line it cannot read is an error that names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Parser:
    """How the files of one source of data_sources.yaml are read."""

    source: str
    recognises: Callable[[str], bool]
    """Whether a header line (without line end) is this source's."""
    parse: Callable[[bytes, str], pl.DataFrame]
    """(bytes, symbol or series) to the raw table's own columns and `line`."""


def source(
    name: str, *, recognises: Callable[[str], bool]
) -> Callable[[Callable[[bytes, str], pl.DataFrame]], Parser]:
    """Declare a parser for the source called `name` in data_sources.yaml."""

    def declare(function: Callable[[bytes, str], pl.DataFrame]) -> Parser:
        return Parser(name, recognises, function)

    return declare
