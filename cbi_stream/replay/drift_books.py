"""The cells of a workbook, taken out and put back, so that its schema can be changed.

It keeps cells and nothing else: neither formats nor formulas, which no site writes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import polars as pl

from cbi_stream.replay import books, xlsx

Rows = list[list[str]]
_OLD, _YOUNG = b"\xd0\xcf\x11\xe0", b"PK"
_MARK = b"# SIMULATED"


def is_book(data: bytes) -> bool:
    """Return whether bytes are a workbook of either age."""
    return data.startswith(_OLD) or (data.startswith(_YOUNG) and b"xl/" in data)


def changed(data: bytes, change: Callable[[Rows], Rows]) -> bytes:
    """Return the workbook with the rows of each sheet changed, from its header on.

    The header is the first row as wide as the widest.

    Raises:
        ValueError: nothing has changed.
    """
    before = {name: _rows(frame) for name, frame in _sheets(data).items()}
    after = {name: _changed(rows, change) for name, rows in before.items()}
    if after == before:
        msg = f"expected something to change in the sheets {', '.join(before)}; found none"
        raise ValueError(msg)
    cells = {name: [[_cell(c) for c in row] for row in r] for name, r in after.items()}
    if data.startswith(_YOUNG):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            return xlsx.workbook(cells, mark=packed.comment)
    at = data.find(_MARK)
    mark = b"\n" + data[at:].partition(b"\n")[0] + b"\n" if at >= 0 else b""
    return books.workbook(cells, note=mark)


def _sheets(data: bytes) -> dict[str, pl.DataFrame]:
    return pl.read_excel(
        io.BytesIO(data),
        sheet_id=0,
        has_header=False,
        infer_schema_length=0,
        drop_empty_rows=False,
        drop_empty_cols=False,
        engine="calamine",
    )


def _rows(frame: pl.DataFrame) -> Rows:
    return [[cell or "" for cell in row] for row in frame.rows()]


def _changed(rows: Rows, change: Callable[[Rows], Rows]) -> Rows:
    widths = [sum(cell != "" for cell in row) for row in rows]
    header = widths.index(max(widths)) if rows else 0
    return [*rows[:header], *change(rows[header:])] if rows else rows


def _cell(text: str) -> str | float | None:
    """Return a number as a number, and no cell for an empty one."""
    try:
        return float(text) if text else None
    except ValueError:
        return text
