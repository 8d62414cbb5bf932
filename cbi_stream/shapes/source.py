"""The decorator for parsers: bytes of one file in, lines with cells as text out.

A parser is pure and the same for a live answer, a replayed one and a dropped file.
It never rounds, fills or drops: a line it cannot read comes out with its problem.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cbi_stream.shapes.connector import Form

if TYPE_CHECKING:
    import polars as pl

Parse = Callable[[bytes, str | None], "pl.DataFrame"]
"""(the file's bytes, not compressed; its symbol or series, None where the lines name it)
to the raw table's own columns, `line` (from 1), `problem` and `text`."""


@dataclass(frozen=True, slots=True)
class Parser:
    """How the files of one source of data_sources.yaml are read, in one form.

    What `recognises` and `key_of` are given depends on the form: of text the header
    line (without line end), of JSON, XML and pages the first 64 KiB as text, of a zip
    the name of its first member, of a spreadsheet the file's own name.
    """

    source: str
    headers: tuple[str, ...]
    """How that looks in each layout, for messages."""
    recognises: Callable[[str], bool]
    """Whether it is this source's."""
    key_of: Callable[[str], str | None]
    """The symbol or series that it names; None where it names none."""
    parse: Parse
    form: Form = "text"
    encodings: tuple[str, ...] = ()
    """Of text: what it may be written in besides UTF-8. The header line is shown in
    UTF-8, else read as GB18030, which also leaves what is ASCII as it is."""


def source(
    name: str,
    *,
    headers: tuple[str, ...],
    recognises: Callable[[str], bool],
    key_of: Callable[[str], str | None] = lambda _: None,
    form: Form = "text",
    encodings: tuple[str, ...] = (),
) -> Callable[[Parse], Parser]:
    """Declare a parser for the source called `name` in data_sources.yaml.

    A source may have several, one for each form or layout of its files.
    """

    def declare(function: Parse) -> Parser:
        return Parser(name, headers, recognises, key_of, function, form, encodings)

    return declare
