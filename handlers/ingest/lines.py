"""Text lines of a dropped file, and what is wrong with each. It never guesses a dialect.

A line that cannot be read stays a row, with its problem; it is never dropped and never
mended. Only a file that is wrong as a whole raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import polars as pl

from cbi_stream import BadInput

RULES = ("text", "cells", "date", "non_finite", "number")
"""What may be wrong with a line; the first that is broken is told."""
NUMBER = r"-?[0-9]{1,15}(\.[0-9]{1,17})?"
WHOLE = r"[0-9]{1,15}"
COUNT = r"[0-9]{1,15}(\.0{1,17})?"
"""A whole number, as scripts print it that hold it as a float: 1600.0."""
NON_FINITE = r"(?i)[+-]?(nan|inf|infinity|[0-9.]+e\+?[0-9]{3,})"
INVISIBLE = r"[\p{Cc}\p{Cf}\p{Co}\p{Zl}\p{Zp}--\t]"
"""Control and invisible characters; a tab is none."""
ISO = "%Y-%m-%d"
_YEARS = (1900, 2100)
_LONGEST = 1 << 20
_SHOWN = 5
_KEPT = 500
_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}
Judge = Callable[[str, str], str]
"""(rule, line) to the sentence about that line."""


def has_columns(*names: str) -> Callable[[str], bool]:
    """Return a test for exactly this header line."""
    return lambda header: header == ",".join(names)


def text_of(data: bytes) -> str:
    r"""Return a file's text, without byte order mark, with lines that end in \n.

    Raises:
        BadInput: it is no UTF-8 text, or holds a NUL in its first line.
    """
    kind = _MARKS.get(data[:2])
    if kind is None and b"\x00" in re.split(rb"[\r\n]", data[: 1 << 16], maxsplit=1)[0]:
        kind = "a binary format, or UTF-16 without its mark"
    if kind:
        msg = f"line 1: expected UTF-8 text; found {kind}: save it as CSV in UTF-8"
        raise BadInput(msg)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        msg = (
            f"line {line}: expected UTF-8 text; found the byte {data[error.start]:#04x} "
            f"at {error.start}: save it as CSV in UTF-8"
        )
        raise BadInput(msg) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def body_of(
    data: bytes, recognises: Callable[[str], bool], *, expected: str
) -> tuple[str, pl.DataFrame]:
    """Return the header line, and `line` (from 1) and `text` of each line under it.

    Lines that start with # and blank lines are passed over.

    Args:
        data: the file.
        recognises: whether a line is the header.
        expected: how the header looks, for messages.

    Raises:
        BadInput: no text, a web page, another header, or the header a second time.
    """
    numbered = pl.DataFrame({"text": text_of(data).split("\n")}).select(
        line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), text="text"
    )
    lines = numbered.filter(~pl.col("text").str.contains(r"^\s*(#|$)"))
    number, header = lines.row(0) if lines.height else (1, "")
    if not recognises(header):
        page = re.match(r"\s*[<{\[]", header)
        found = "a web page or JSON" if page else repr(header[:80])
        msg = f"line {number}: expected the header {expected}; found {found}"
        raise BadInput(msg)
    below = lines.slice(1)
    again = below.filter(pl.col("text").str.strip_chars() == header.strip())
    if again.height:
        msg = (
            f"line {again[0, 'line']}: the header stands here again: these are two files "
            "in one: hand them in one by one"
        )
        raise BadInput(msg)
    return header, below


def text_is_bad() -> pl.Expr:
    """Return the test for a line with control or invisible characters, or too long."""
    text = pl.col("text")
    return text.str.contains(INVISIBLE) | (text.str.len_bytes() > _LONGEST)


def day_of(cell: pl.Expr, date_format: str = ISO) -> pl.Expr:
    """Return the date that a cell holds in exactly this format; null where none."""
    digits = {"%Y": "[0-9]{4}", "%m": "[0-9]{2}", "%d": "[0-9]{2}"}
    pattern = re.escape(date_format)
    for part, looks in digits.items():
        pattern = pattern.replace(part, looks)
    # The pattern comes first: a lenient parser reads 24-01-02 as a day of the year 24.
    day = (
        pl.when(cell.str.contains(f"^{pattern}$"))
        .then(cell)
        .str.to_date(date_format, strict=False)
    )
    return pl.when(day.dt.year().is_between(*_YEARS)).then(day)


def matches(cell: pl.Expr, pattern: str) -> pl.Expr:
    """Return the test for a cell that looks like the pattern from end to end."""
    return cell.str.contains(f"^(?:{pattern})$")


def finished(rows: pl.DataFrame, sentence: Judge, *, cells: list[str]) -> pl.DataFrame:
    """Return the rows with `problem` and `text` for those that break a rule.

    An unreadable line has its own date, where that can be read, else that of the
    nearest readable line above it, or below it where none is above: so the same bytes
    always give the same rows.

    Args:
        rows: `line`, `text`, `date`, `rule` (null where the line can be read), cells.
        sentence: what to say about a line.
        cells: the columns that are null where the line cannot be read.

    Raises:
        BadInput: more than half of the lines are unreadable.
    """
    bad = rows.filter(pl.col("rule").is_not_null())
    if bad.height * 2 > rows.height:
        raise BadInput(_mostly_bad(rows, bad, sentence))
    told = [f"{r}: {sentence(r, t)}" for r, t in bad.select("rule", "text").iter_rows()]
    problems = bad.select("line", problem=pl.Series(told, dtype=pl.String))
    readable = pl.col("rule").is_null()
    above = pl.when(readable).then("date").forward_fill()
    below = pl.when(readable).then("date").backward_fill()
    return rows.join(
        problems, on="line", how="left", maintain_order="left"
    ).with_columns(
        pl.when(readable).then(pl.col(cells)),
        date=pl.coalesce("date", above, below),
        text=pl.when(~readable).then(pl.col("text").str.slice(0, _KEPT)),
    )


def _mostly_bad(rows: pl.DataFrame, bad: pl.DataFrame, sentence: Judge) -> str:
    first = bad.head(_SHOWN).select("line", "rule", "text").iter_rows()
    told = [
        f"line {n}: {rule}: {sentence(rule, text)}; the line is {text[:80]!r}"
        for n, rule, text in first
    ]
    more = bad.height - _SHOWN
    rest = [f"(and {more} more)"] if more > 0 else []
    counted = f"{bad.height} of {rows.height} lines cannot be read, so none is taken:"
    return "\n".join([counted, *told, *rest])
