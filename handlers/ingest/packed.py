"""Files that are not lines of text: JSON, zip archives, spreadsheets, taken apart.

Numbers of JSON stay the text that was written. It unpacks no more than a bound, never
uses the name of a member as a path, and never guesses which sheet or member is meant.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from cbi_stream import BadInput

MOST_BYTES = 1 << 30
MOST_TIMES = 200
"""So many times its size an archive may unpack to, beyond the first megabytes."""
_FREE_BYTES = 1 << 22
_NO_RESULT = re.compile(rb"<f\b[^>]*(/>|>[^<]*</f>)\s*(<v\s*/>|<v>\s*</v>)?\s*</c>")
"""A formula that nobody computed: a reader would take its cell for an empty one."""


def json_of(data: bytes) -> Any:
    """Return what a JSON file says; numbers as the text that was written.

    Raises:
        BadInput: it is no JSON, ends too early, says NaN, names a field twice, or is
            nested without end.
    """
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=str,
            parse_int=str,
            parse_constant=_no_number,
            object_pairs_hook=_once,
        )
    except UnicodeDecodeError as error:
        msg = f"expected JSON in UTF-8; found the byte {data[error.start]:#04x}"
        raise BadInput(msg) from None
    except json.JSONDecodeError as error:
        msg = f"line {error.lineno}: expected JSON; {error.msg} at {error.pos}"
        raise BadInput(msg) from None
    except RecursionError:
        msg = "expected JSON; found brackets in brackets, too many to be data"
        raise BadInput(msg) from None


def _no_number(word: str) -> str:
    msg = f"expected JSON; found {word}, which is no number"
    raise BadInput(msg)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"expected each field once; found {twice[:80]!r} twice in one object"
        raise BadInput(msg)
    return said


def member_of(data: bytes, wanted: Callable[[str], bool], *, expected: str) -> bytes:
    """Return the first member of a zip archive whose name is wanted.

    Args:
        data: the archive.
        wanted: a test of names.
        expected: what it should hold, for messages.

    Raises:
        BadInput: it is damaged, holds none, or one that is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            found = next((each for each in members if wanted(each.filename)), None)
            if found is None:
                names = ", ".join(each.filename for each in members[:5])
                msg = f"expected {expected} in the zip archive; found {names or 'nothing'}"
                raise BadInput(msg)
            return _read(archive, found, most=bound(len(data)))
    except _BROKEN as error:
        raise BadInput(_broken(error)) from None


def members_of(
    data: bytes, wanted: Callable[[str], bool], *, expected: str
) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each member whose name is wanted, in their order.

    Args:
        data: the archive.
        wanted: a test of names.
        expected: what it should hold, for messages.

    Raises:
        BadInput: it is damaged, holds none, or more than is unpacked.
    """
    left = bound(len(data))
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [each for each in archive.infolist() if wanted(each.filename)]
            if not found:
                msg = f"expected {expected} in the zip archive; found none"
                raise BadInput(msg)
            for each in found:
                plain = _read(archive, each, most=left)
                left -= len(plain)
                yield each.filename, plain
    except _BROKEN as error:
        raise BadInput(_broken(error)) from None


_BROKEN = (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, zlib.error,
           RuntimeError)  # fmt: skip
"""What the library raises at a damaged archive; RuntimeError at one with a password."""


def _broken(error: BaseException) -> str:
    return f"expected a whole zip archive; {error}: download it again"


def bound(size: int) -> int:
    """Return to how many bytes an archive of this size may unpack."""
    return min(MOST_BYTES, max(_FREE_BYTES, MOST_TIMES * size))


def _read(archive: zipfile.ZipFile, member: zipfile.ZipInfo, *, most: int) -> bytes:
    """Return a member's content: what its header says of its size is not relied on.

    Raises:
        BadInput: it is larger than it may be.
    """
    too_large = member.file_size > most
    with archive.open(member) as opened:
        plain = b"" if too_large else opened.read(most + 1)
    if too_large or len(plain) > most:
        msg = (
            f"expected at most {most} bytes inside the archive; found more in "
            f"{member.filename[:80]!r}: a file of lines does not shrink so much"
        )
        raise BadInput(msg)
    return plain


def sheets_of(data: bytes) -> dict[str, list[tuple[str | None, ...]]]:
    """Return the sheets of an Excel file (xlsx or xls): rows of cells as text.

    A date is 2024-01-31 00:00:00, an empty cell None. Rows and columns count from the
    first that holds anything.

    Raises:
        BadInput: it cannot be read as an Excel file, unpacks to too much, declares
            entities, or holds a formula without its result.
    """
    if data.startswith(b"PK"):
        _refuse_a_trap(data)
    try:
        found = pl.read_excel(
            io.BytesIO(data),
            sheet_id=0,
            has_header=False,
            infer_schema_length=0,
            drop_empty_rows=False,
            drop_empty_cols=False,
            raise_if_empty=False,
            engine="calamine",
        )
    except Exception as error:  # noqa: BLE001 - the library raises whatever it meets
        msg = f"expected an Excel file; {type(error).__name__}: {error}"
        raise BadInput(msg) from None
    return {name: frame.rows() for name, frame in found.items()}


def _refuse_a_trap(data: bytes) -> None:
    """Unpack a book within bounds, and look for what no book of a publisher holds.

    Raises:
        BadInput: it is damaged, unpacks to too much, declares a document type, or holds
            a formula without its result.
    """
    for name, plain in members_of(data, lambda _: True, expected="sheets"):
        if b"<!DOCTYPE" in plain or b"<!ENTITY" in plain:
            msg = (
                f"expected plain sheets; found entities declared in {name[:80]!r}: no "
                "spreadsheet program writes them"
            )
            raise BadInput(msg)
        formula = _NO_RESULT.search(plain) if name.endswith(".xml") else None
        if formula:
            msg = (
                f"expected values; found a formula without its result in {name[:80]!r} "
                f"({formula[0][:60]!r}): open it in a spreadsheet program and save it"
            )
            raise BadInput(msg)


def cell_line(row: int, column: int) -> int:
    """Return the `line` of a cell of a sheet, both counted from 1."""
    return row * 1000 + column
