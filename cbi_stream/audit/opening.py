"""Opens the bytes of one file that nobody vouches for, and makes them a frame.

It never follows a link, never waits for a pipe, never writes, and reads no more than a
limit, packed or unpacked. Every cell of a text file stays text.
"""

from __future__ import annotations

import csv
import io
import os
import stat
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import polars as pl

MOST_BYTES = 512 * 1024 * 1024
MOST_ROWS = 20_000_000
MOST_COLUMNS = 5_000
_LOOKED_AT = 40
_SEPARATORS = (",", ";", "\t", "|")
_GZIP = b"\x1f\x8b"
_FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel file",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"%PDF": "a PDF",
    b"<?xml": "XML",
    b"\xef\xbb\xbf<?xml": "XML",
    b"<html": "a web page",
    b"<!DOC": "a web page",
    b"{": "JSON",
    b"[": "JSON",
}


class Unreadable(Exception):
    """A file that cannot be looked into; the message says why."""


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a file as they stand, and what was noticed while reading."""

    frame: pl.DataFrame
    form: str
    noticed: tuple[str, ...] = ()


def opened(path: Path) -> Read:
    """Return the rows of a Parquet or text file.

    Raises:
        Unreadable: it is no regular file, too large, damaged, or no table.
    """
    data = _bytes(path)
    packed = data.startswith(_GZIP)
    if packed:
        data = _unpacked(data)
    if data.startswith(b"PAR1"):
        return Read(parquet(data), "parquet")
    for magic, what in _FOREIGN.items():
        if data.lstrip().startswith(magic):
            msg = f"expected Parquet or CSV; found {what}: it was not looked into"
            raise Unreadable(msg)
    return _table(data, form="csv.gz" if packed else "csv")


def _bytes(path: Path) -> bytes:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        number = os.open(path, flags)
    except OSError as error:
        msg = f"cannot be opened: {error.strerror}"
        raise Unreadable(msg) from None
    with os.fdopen(number, "rb") as file:
        about = os.fstat(number)
        if not stat.S_ISREG(about.st_mode):
            msg = "expected a regular file; found a pipe, a socket or a device"
            raise Unreadable(msg)
        if about.st_size > MOST_BYTES:
            msg = f"{about.st_size:,} bytes; at most {MOST_BYTES:,} are looked at"
            raise Unreadable(msg)
        try:
            data = file.read(MOST_BYTES + 1)
        except OSError as error:
            msg = f"cannot be read: {error.strerror}"
            raise Unreadable(msg) from None
    if not data:
        msg = "it is empty"
        raise Unreadable(msg)
    return data


def _unpacked(data: bytes) -> bytes:
    """Return what a gzip holds; a few kilobytes can hold gigabytes, so with a limit."""
    found = bytearray()
    while data:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            found += member.decompress(data, MOST_BYTES + 1 - len(found))
        except zlib.error as error:
            msg = f"expected a gzip; {error}"
            raise Unreadable(msg) from None
        if len(found) > MOST_BYTES:
            msg = f"it unpacks to more than {MOST_BYTES:,} bytes"
            raise Unreadable(msg)
        if not member.eof:
            msg = "the gzip is cut: its end is missing"
            raise Unreadable(msg)
        data = member.unused_data.lstrip(b"\0")
    return bytes(found)


def parquet(data: bytes) -> pl.DataFrame:
    """Return the rows of a Parquet file.

    Raises:
        Unreadable: it is damaged, or larger than what is looked at.
    """
    try:
        frame = pl.read_parquet(io.BytesIO(data), n_rows=MOST_ROWS + 1)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        # A panic of the reader is no Exception: without its name it would end us.
        msg = f"expected Parquet; {_first_line(error)}"
        raise Unreadable(msg) from None
    except (OSError, ValueError) as error:
        msg = f"expected Parquet; {_first_line(error)}"
        raise Unreadable(msg) from None
    if frame.height > MOST_ROWS or frame.width > MOST_COLUMNS:
        msg = (
            f"more than {MOST_ROWS:,} rows or {MOST_COLUMNS:,} columns: split it first"
        )
        raise Unreadable(msg)
    return frame


def _first_line(error: BaseException) -> str:
    return (str(error) or repr(error)).splitlines()[0][:200]


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:65536]:
        msg = "expected text; found zero bytes: a binary file"
        raise Unreadable(msg)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _table(data: bytes, *, form: str) -> Read:
    """Return the rows below the header; what stands above the header is noticed."""
    text = _text(data)
    head = text[:200_000].splitlines(keepends=True)[:_LOOKED_AT]
    separator = _separator(head)
    cells = [next(iter(csv.reader([line], delimiter=separator)), []) for line in head]
    at = _header_line(cells)
    # One line with cells too many does not make the table wider.
    usual = Counter(len(row) for row in cells[at:]).most_common(1)[0][0]
    width = max(usual, len(cells[at]))
    if width < 2:
        msg = "expected a table; found lines of one cell"
        raise Unreadable(msg)
    headless = _is_data(cells[at])
    names = _unique([] if headless else cells[at], width)
    body = text if headless else text[sum(len(line) for line in head[: at + 1]) :]
    frame = _rows(body, names, separator)
    noticed = []
    if at:
        noticed.append(f"{at} lines stand above the header")
    if headless:
        noticed.append("there is no header: columns are called by their number")
    if separator != ",":
        noticed.append(f"cells stand between {separator!r}")
    return Read(frame, form, tuple(noticed))


def _rows(body: str, names: list[str], separator: str) -> pl.DataFrame:
    if not body.strip():
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    try:
        frame = pl.read_csv(
            io.BytesIO(body.encode("utf-8", errors="replace")),
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separator,
            truncate_ragged_lines=True,
            missing_columns="insert",
            n_rows=MOST_ROWS + 1,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        msg = f"expected CSV; {_first_line(error)}"
        raise Unreadable(msg) from None
    if frame.height > MOST_ROWS:
        msg = f"more than {MOST_ROWS:,} rows: split it first"
        raise Unreadable(msg)
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _separator(head: list[str]) -> str:
    """Return the mark that stands equally often in most of the first lines."""

    def agreed(mark: str) -> tuple[int, int]:
        counts = Counter(line.count(mark) for line in head if mark in line)
        return max(((n, c) for c, n in counts.items()), default=(0, 0))

    return max(_SEPARATORS, key=agreed)


def _header_line(cells: list[list[str]]) -> int:
    """Return the first line that fills most of the columns: remarks stand above it."""
    filled = [sum(bool(cell.strip()) for cell in row) for row in cells]
    usual = median(filled)
    return next((i for i, n in enumerate(filled) if n >= 0.8 * usual), 0)


def _is_data(cells: list[str]) -> bool:
    full = [cell for cell in cells if cell.strip()]
    return sum(_is_number(cell) for cell in full) * 2 >= len(full) > 0


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _unique(cells: list[str], width: int) -> list[str]:
    """Return a name for each column; one that stands twice gets its place added."""
    names: list[str] = []
    for i in range(width):
        name = cells[i].strip() if i < len(cells) else ""
        name = name or f"column {i + 1}"
        names.append(name if name not in names else f"{name} #{i + 1}")
    return names
