"""Workbooks in Excel's form of 1997 (BIFF8 inside an OLE file), one sheet each.

The same cells give the same bytes. It writes text and numbers, never a formula, and no
date that is more than a number.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

Cell = str | float | None

_SECTOR: Final = 512
_SMALLEST: Final = 4096
"""A shorter stream would stand elsewhere in the file."""
_FREE, _END, _OF_FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_NONE: Final = 0xFFFFFFFF
_PER_SECTOR: Final = _SECTOR // 4
_IN_HEADER: Final = 109
_BOF, _EOF, _BOUNDSHEET = 0x0809, 0x000A, 0x0085
_NUMBER, _LABEL, _DIMENSIONS = 0x0203, 0x0204, 0x0200
_GLOBALS, _WORKSHEET = 0x0005, 0x0010
_ROOT, _STREAM = 5, 2


def workbook(name: str, rows: Sequence[Sequence[Cell]], *, mark: str = "") -> bytes:
    """Return a workbook with these rows from A1 on.

    Args:
        name: what the sheet is called.
        rows: at most 65,536 of them, as the form allows.
        mark: a line that stands behind the last record, where no reader looks.

    Raises:
        ValueError: there are more rows than a sheet can have.
    """
    if len(rows) > 1 << 16:
        msg = f"expected at most 65536 rows; got {len(rows)}"
        raise ValueError(msg)
    sheet = _sheet(rows)
    place = len(_globals(name, 0))
    stream = _globals(name, place) + sheet + f"\n{mark}\n".encode()
    return _ole(stream)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _bof(kind: int) -> bytes:
    return _record(_BOF, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 1996, 0, 6))


def _globals(name: str, place: int) -> bytes:
    title = name.encode("latin-1")
    told = struct.pack("<IHBB", place, 0, len(title), 0) + title
    return _bof(_GLOBALS) + _record(_BOUNDSHEET, told) + _record(_EOF, b"")


def _sheet(rows: Sequence[Sequence[Cell]]) -> bytes:
    width = max((len(row) for row in rows), default=0)
    size = struct.pack("<IIHHH", 0, len(rows), 0, width, 0)
    parts = [_bof(_WORKSHEET), _record(_DIMENSIONS, size)]
    for number, row in enumerate(rows):
        for place, cell in enumerate(row):
            where = struct.pack("<HHH", number, place, 0)
            if isinstance(cell, str):
                text = cell.encode("latin-1")
                data = where + struct.pack("<HB", len(text), 0) + text
                parts.append(_record(_LABEL, data))
            elif cell is not None:
                data = where + struct.pack("<d", cell)
                parts.append(_record(_NUMBER, data))
    return b"".join([*parts, _record(_EOF, b"")])


def _ole(stream: bytes) -> bytes:
    """Return a file that holds one stream, called Workbook."""
    size = max(len(stream), _SMALLEST)
    held = -(-size // _SECTOR)
    tables = 1
    while tables * _PER_SECTOR < held + 1 + tables:
        tables += 1
    chain = [*range(1, held), _END, _END, *[_OF_FAT] * tables]
    chain += [_FREE] * (tables * _PER_SECTOR - len(chain))
    body = stream.ljust(held * _SECTOR, b"\x00")
    directory = (
        _entry("Root Entry", _ROOT, child=1, start=_END, size=0)
        + _entry("Workbook", _STREAM, child=_NONE, start=0, size=size)
    ).ljust(_SECTOR, b"\x00")
    fat = struct.pack(f"<{len(chain)}I", *chain)
    return _header(directory_at=held, tables=tables) + body + directory + fat


def _header(*, directory_at: int, tables: int) -> bytes:
    """Return the first sector: where directory and allocation tables stand."""
    if tables > _IN_HEADER:
        msg = "expected a sheet of at most 7 MB; got a larger one"
        raise ValueError(msg)
    at = [directory_at + 1 + i for i in range(tables)]
    places = at + [_FREE] * (_IN_HEADER - tables)
    return (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".ljust(24, b"\x00")
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
        + struct.pack("<IIIII", 0, tables, directory_at, 0, _SMALLEST)
        + struct.pack("<IIII", _END, 0, _END, 0)
        + struct.pack(f"<{_IN_HEADER}I", *places)
    )


def _entry(name: str, kind: int, *, child: int, start: int, size: int) -> bytes:
    title = (name + "\x00").encode("utf-16-le")
    return (
        title.ljust(64, b"\x00")
        + struct.pack("<HBBIII", len(title), kind, 1, _NONE, _NONE, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )
