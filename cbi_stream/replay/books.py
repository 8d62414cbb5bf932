"""Workbooks in the old binary format of Excel (BIFF8 in a compound file), made by hand.

Only what a table needs: texts, numbers, and days in the first column. It writes no
file, and never a formula, a style or a second stream.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

Cell = str | float | date | None
_SECTOR: Final = 512
_SMALLEST: Final = 4096  # a shorter stream would lie in sectors of another size
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_IN_SECTOR: Final = _SECTOR // 4
_IN_HEADER: Final = 109
_MOST_ROWS: Final = 1 << 16
_DAY_ZERO: Final = date(1899, 12, 30)
_PLAIN, _DAY = 0, 1
_DAY_FORMAT: Final = 14


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Cell]]], *, note: bytes = b""
) -> bytes:
    """Return a workbook.

    Args:
        sheets: the rows of each sheet, by its name.
        note: bytes that stand behind the last sheet, where no reader looks.

    Raises:
        ValueError: it is more than such a file can hold.
    """
    bodies = [_sheet(rows) for rows in sheets.values()]
    styles = _style(0) + _style(_DAY_FORMAT)
    opening = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)) + styles
    names = [name.encode("latin-1") for name in sheets]
    at = len(opening) + sum(12 + len(name) for name in names) + 4
    index = b""
    for name, body in zip(names, bodies, strict=True):
        place = struct.pack("<IBBBB", at, 0, 0, len(name), 0)
        index += _record(0x85, place + name)
        at += len(body)
    return _compound(opening + index + _record(0x0A) + b"".join(bodies) + note)


def _record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _style(number_format: int) -> bytes:
    return _record(0xE0, struct.pack("<HHHBBBBIIH", 0, number_format, *[0] * 8))


def _sheet(rows: Sequence[Sequence[Cell]]) -> bytes:
    if len(rows) > _MOST_ROWS:
        msg = f"expected at most {_MOST_ROWS} rows in a sheet; found {len(rows)}"
        raise ValueError(msg)
    parts = [_record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0))]
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if cell is not None:
                parts.append(_cell(row, column, cell))
    return b"".join([*parts, _record(0x0A)])


def _cell(row: int, column: int, cell: str | float | date) -> bytes:
    if isinstance(cell, str):
        text = cell.encode("latin-1", errors="replace")
        head = struct.pack("<HHHHB", row, column, _PLAIN, len(text), 0)
        return _record(0x204, head + text)
    style = _DAY if isinstance(cell, date) else _PLAIN
    number = (cell - _DAY_ZERO).days if isinstance(cell, date) else cell
    return _record(0x203, struct.pack("<HHHd", row, column, style, number))


def _compound(stream: bytes) -> bytes:
    """Return a compound file whose one stream is called Workbook."""
    count = -(-max(len(stream), _SMALLEST) // _SECTOR)
    tables = 1
    while tables * _IN_SECTOR < tables + 1 + count:
        tables += 1
    if tables > _IN_HEADER:
        msg = f"expected at most {_IN_HEADER} sectors of places; found {tables}"
        raise ValueError(msg)
    first = tables + 1
    chain = [first + i + 1 for i in range(count - 1)]
    places = [*[_TABLE] * tables, _END, *chain, _END]
    places += [_FREE] * (tables * _IN_SECTOR - len(places))
    empty = _entry("", 0, _FREE, size=0)
    folder = _entry("Root Entry", 5, _END, size=0, child=1)
    folder += _entry("Workbook", 2, first, size=count * _SECTOR) + empty * 2
    body = stream.ljust(count * _SECTOR, b"\0")
    return _head(tables) + struct.pack(f"<{len(places)}I", *places) + folder + body


def _entry(name: str, kind: int, start: int, *, size: int, child: int = _FREE) -> bytes:
    text = name.encode("utf-16-le")
    length = len(text) + 2 if name else 0
    head = struct.pack("<HBBIII", length, kind, 1, _FREE, _FREE, child)
    return text.ljust(64, b"\0") + head + bytes(36) + struct.pack("<IQ", start, size)


def _head(tables: int) -> bytes:
    magic = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    sizes = struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    parts = struct.pack("<9I", 0, tables, tables, 0, _SMALLEST, _END, 0, _END, 0)
    listed = [*range(tables), *[_FREE] * (_IN_HEADER - tables)]
    return magic + sizes + parts + struct.pack(f"<{_IN_HEADER}I", *listed)
