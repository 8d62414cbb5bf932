"""Files that no source here writes: what they are, and what to do about them.

It names what it knows and compares what it does not; it never makes a file fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from cbi_stream.doors.receipts import Refused
from cbi_stream.engine.layouts import form_of
from cbi_stream.shapes.connector import Form
from cbi_stream.shapes.source import Parser

GZIP = b"\x1f\x8b"
_FORMS: dict[Form, tuple[str, str]] = {
    "zip": ("a zip archive", "take the file out of it"),
    "xlsx": ("an Excel file", "save the sheet as CSV in UTF-8"),
    "xls": ("an old Excel file", "save the sheet as CSV in UTF-8"),
    "json": ("JSON", "download the data again, and look at it in an editor first"),
    "xml": ("XML", "download the data again, and look at it in an editor first"),
    "page": (
        "a web page",
        "download the data again, and look at it in an editor first",
    ),
    "gzip": ("a gzip inside a gzip", "unpack it"),
}
_PACKED = ("zip", "xlsx", "xls")
_MAGIC = (
    (b"PAR1", "a Parquet file", "write it as CSV"),
    (b"%PDF", "a PDF", "download the data instead"),
    (b"BZh", "a bzip2 file", "unpack it"),
    (b"\xfd7zXZ", "an xz file", "unpack it"),
    (b"\x28\xb5\x2f\xfd", "a zstd file", "unpack it"),
    (b"\xff\xfe", "UTF-16 text", "save it as CSV in UTF-8"),
    (b"\xfe\xff", "UTF-16 text", "save it as CSV in UTF-8"),
)
_DROPPED = "download the data again, and look at it in an editor first"
_KNOWN = (
    (
        r"Time,Open,High,Low,(Last|Latest),Change,.*",
        "This looks like Barchart's price history, with other columns",
    ),
    (
        r"(Symbol,Name|Contract,Latest),.*",
        "This is a list of contracts, and no history of one of them",
    ),
    (
        r'"Date","Price","Open".*',
        "This looks like prices of investing.com, with other columns",
    ),
    (
        r"Price,(Adj Close,)?Close,High,.*|Date,Open,High,Low,Close,Volume,Dividends.*",
        "This looks like prices that yfinance wrote, with other columns",
    ),
    (
        r"(observation_date|DATE),[A-Z0-9]+_[0-9]{8}",
        "This is one vintage from ALFRED: take the date off the column's name, and say "
        "it with --as-of",
    ),
    (
        r"(observation_date|DATE)(,[A-Z0-9]+){2,}",
        "These are several FRED series side by side: download one series per file",
    ),
    (
        r".*(M_Money_Positions|Prod_Merc_Positions).*",
        "This looks like a disaggregated report in which a column has another name",
    ),
    (
        r'"[^"]+ - [^"]+",[0-9]{6},[0-9]{4}-[0-9]{2}-[0-9]{2},.*',
        "This looks like the CFTC's file of one week, but has another number of cells",
    ),
    (
        r"(?i)(no data|exceeded the daily hits limit|too many requests|edge: too many).*",
        "The site answered with a refusal instead of data",
    ),
    (
        r"date,daily_precipitation-mm,temp_max-celsius,.*",
        "This is the weather of some place, and nobody says which station or model it is "
        "of, nor when it was out: take the place from open_meteo, nasa_power or inmet",
    ),
    (r"(?i)sep=.", "This is a hint for Excel: take this line out"),
    (
        r"\"?([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4})\b.*",
        "This is a line of data: the header is missing",
    ),
)


def refuse_what_is_no_table(
    head: bytes, *, name: str, packed: bytes, encoded: bool = False
) -> None:
    """Refuse a file whose first bytes say that no source writes such files.

    Args:
        head: its first bytes, unpacked where it is a gzip.
        name: its name.
        packed: its first bytes as they stand.
        encoded: whether a source has such files in another encoding than UTF-8.

    Raises:
        Refused: it is no text, or a page.
    """
    if packed.startswith(GZIP) != name.endswith(".gz"):
        if packed.startswith(GZIP):
            msg, mend = "expected text; found a gzip under another name", "name it .gz"
        else:
            msg, mend = "expected a gzip; found none", "name it without .gz"
        raise Refused(msg, mend)
    form = form_of(head)
    if form in _PACKED:
        return  # some sources write such files: what it is is told by its parser
    for magic, what, mend in _MAGIC:
        if head.startswith(magic):
            msg = f"expected text in UTF-8; found {what}"
            raise Refused(msg, mend)
    if b"\x00" in re.split(rb"[\r\n]", head.lstrip(), maxsplit=1)[0]:
        msg = "line 1: expected text; found the byte 0x00: a binary file, or UTF-16"
        raise Refused(msg, "save it as CSV in UTF-8")
    if not encoded:
        _refuse_other_encodings(head)
    if form == "page":
        refuse_an_unknown_form(form, "")


def refuse_an_unknown_form(form: Form, shown: str) -> None:
    """Refuse a file of a form in which no source writes such files.

    Args:
        form: what it is.
        shown: what a parser of that form would have looked at.

    Raises:
        Refused: always.
    """
    what, mend = _FORMS[form]
    named = f" ({shown[:80]!r})" if form in _PACKED and shown else ""
    msg = f"line 1: expected a table of a known source; found {what}{named}"
    raise Refused(msg, mend)


def _refuse_other_encodings(head: bytes) -> None:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4:
            return  # a character that the end of the head cuts in two
        line = head.count(b"\n", 0, error.start) + 1
        msg = (
            f"line {line}: expected text in UTF-8; found the byte "
            f"{head[error.start]:#04x}"
        )
        raise Refused(msg, "save it as CSV in UTF-8") from None


def about(header: str, parsers: Iterable[Parser]) -> tuple[str, str]:
    """Return what can be said about a header that no source has, and what to do."""
    if not header:
        return "expected a header; found no line besides blanks and remarks", _DROPPED
    said = f"no source has the header {header[:80]!r}"
    known = {h: p.source for p in parsers for h in p.headers}
    for separator, what in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        commas = header.replace(separator, ",")
        if commas != header and any(p.recognises(commas) for p in parsers):
            return f"{said}: its cells stand between {what}", "save it with commas"
    for pattern, sentence in _KNOWN:
        if re.fullmatch(pattern, header.strip()):
            return f"{said}. {sentence}", _WAY_OUT
    near = _nearest(header, known)
    if near is not None:
        how = "; ".join(_differences(_cells(header), _cells(near)))
        return f"{said}. The nearest is {known[near]} ({near[:80]}): {how}", _MEND
    first = sorted({p.source for p in parsers})
    return f"{said}. Known are {', '.join(first)}", _WAY_OUT


_MEND = (
    "where it is that source's file, mend the first line; else add a source "
    "(docs/tasks/add-a-source.md)"
)
_WAY_OUT = "take it away, or add a source for such files: docs/tasks/add-a-source.md"


def _cells(header: str) -> list[str]:
    return header.split(",")


def _plain(cell: str) -> str:
    return cell.strip().strip('"').lower()


def _nearest(header: str, known: Iterable[str]) -> str | None:
    """Return the known header that shares at least half of its cells with this one."""
    mine = {_plain(cell) for cell in _cells(header)}
    best, share = None, 0.5
    for other in known:
        theirs = {_plain(cell) for cell in _cells(other)}
        both = len(mine & theirs) / max(len(mine), len(theirs))
        exact = sum(a == b for a, b in zip(_cells(header), _cells(other), strict=False))
        if both >= share and (both, exact) > (share, -1):
            best, share = other, both
    return best


def _differences(found: list[str], expected: list[str]) -> list[str]:
    plain = {_plain(cell): cell for cell in found}
    wanted = {_plain(cell): cell for cell in expected}
    missing = [cell for cell in wanted if cell not in plain]
    extra = [cell for cell in plain if cell not in wanted]
    said = []
    for cell in list(missing):
        near = _called(cell, expected, found, extra)
        if near is not None:
            said.append(f"the column {wanted[cell]!r} is called {plain[near]!r} here")
            missing.remove(cell)
            extra.remove(near)
    said += [f"the column {wanted[cell]!r} is missing" for cell in missing]
    said += [f"the column {plain[cell]!r} is one too many" for cell in extra]
    if len(found) != len(plain):
        said.append("a column stands twice")
    odd = [c for c in found if _plain(c) in wanted and c != wanted[_plain(c)]]
    if odd:
        said.append(f"capitals, blanks or quotes differ in {', '.join(map(repr, odd))}")
    if not said:
        said.append("the columns stand in another order")
    return said


def _called(
    cell: str, expected: list[str], found: list[str], extra: list[str]
) -> str | None:
    """Return what a missing column is called: what stands in its place, or sounds so."""
    place = next(i for i, name in enumerate(expected) if _plain(name) == cell)
    there = _plain(found[place]) if place < len(found) else None
    if there in extra and len(expected) == len(found):
        return there
    return next(iter(get_close_matches(cell, extra, n=1)), None)
