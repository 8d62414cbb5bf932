"""Files that are not lines of text: JSON, zip archives, spreadsheets, taken apart.

Numbers of JSON stay the text that was written. It unpacks no more than a bound, and
never guesses which sheet or member is meant.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import polars as pl

from cbi_stream import BadInput

MOST_BYTES = 1 << 30


def json_of(data: bytes) -> Any:
    """Return what a JSON file says; numbers as the text that was written.

    Raises:
        BadInput: it is no JSON, or ends too early.
    """
    try:
        return json.loads(data.decode("utf-8-sig"), parse_float=str, parse_int=str)
    except UnicodeDecodeError as error:
        msg = f"expected JSON in UTF-8; found the byte {data[error.start]:#04x}"
        raise BadInput(msg) from None
    except json.JSONDecodeError as error:
        msg = f"line {error.lineno}: expected JSON; {error.msg} at {error.pos}"
        raise BadInput(msg) from None


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
            with archive.open(found) as member:
                plain = member.read(MOST_BYTES + 1)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        msg = f"expected a whole zip archive; {error}: download it again"
        raise BadInput(msg) from None
    if len(plain) > MOST_BYTES:
        msg = f"expected at most {MOST_BYTES} bytes in the zip archive; found more"
        raise BadInput(msg)
    return plain


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
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = [each for each in archive.infolist() if wanted(each.filename)]
            left = MOST_BYTES - sum(each.file_size for each in found)
            if not found or left < 0:
                what = "more than may be unpacked" if found else "none"
                msg = f"expected {expected} in the zip archive; found {what}"
                raise BadInput(msg)
            for each in found:
                with archive.open(each) as member:
                    # What a header says of its size may be wrong: it is not relied on.
                    yield each.filename, member.read(each.file_size)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        msg = f"expected a whole zip archive; {error}: download it again"
        raise BadInput(msg) from None


def sheets_of(data: bytes) -> dict[str, list[tuple[str | None, ...]]]:
    """Return the sheets of an Excel file (xlsx or xls): rows of cells as text.

    A date is 2024-01-31 00:00:00, an empty cell None. Rows and columns count from the
    first that holds anything.

    Raises:
        BadInput: it cannot be read as an Excel file.
    """
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


def cell_line(row: int, column: int) -> int:
    """Return the `line` of a cell of a sheet, both counted from 1."""
    return row * 1000 + column
