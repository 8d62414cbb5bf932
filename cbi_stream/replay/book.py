"""A workbook of one sheet, as Excel writes it. It holds text and numbers, never a formula.

The same cells give the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

Cell = str | float | int | None

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORMATS: Final = "http://schemas.openxmlformats.org"
_SHEETS: Final = f"{_FORMATS}/spreadsheetml/2006/main"
_LINKS: Final = f"{_FORMATS}/officeDocument/2006/relationships"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELS: Final = "application/vnd.openxmlformats-package.relationships+xml"
_WHEN: Final = (2020, 1, 1, 0, 0, 0)
_LETTERS: Final = 26


def workbook(name: str, rows: Sequence[Sequence[Cell]]) -> bytes:
    """Return a workbook with these rows from A1 on."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_FORMATS}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{_RELS}"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{_KIND}.worksheet+xml"/></Types>',
        "_rels/.rels": _linked("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns="{_SHEETS}" xmlns:r="{_LINKS}"><sheets>'
        f'<sheet name="{escape(name)}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": _linked("worksheet", "worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": _sheet(rows),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path, _WHEN), _OPEN + text)
    return out.getvalue()


def _linked(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_FORMATS}/package/2006/relationships"><Relationship '
        f'Id="rId1" Type="{_LINKS}/{kind}" Target="{target}"/></Relationships>'
    )


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = []
    for number, cells in enumerate(rows, start=1):
        told = "".join(
            _cell(f"{_column(at)}{number}", cell) for at, cell in enumerate(cells)
        )
        lines.append(f'<row r="{number}">{told}</row>')
    data = "".join(lines)
    return f'<worksheet xmlns="{_SHEETS}"><sheetData>{data}</sheetData></worksheet>'


def _cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
    return f'<c r="{place}"><v>{cell}</v></c>'


def _column(at: int) -> str:
    before = _column(at // _LETTERS - 1) if at >= _LETTERS else ""
    return before + chr(ord("A") + at % _LETTERS)
