"""A workbook of one sheet, as Excel writes it. It holds text and numbers, never a formula.

The same cells give the same bytes.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, unescape

Cell = str | float | int | None

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORMATS: Final = "http://schemas.openxmlformats.org"
_SHEETS: Final = f"{_FORMATS}/spreadsheetml/2006/main"
_LINKS: Final = f"{_FORMATS}/officeDocument/2006/relationships"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELS: Final = "application/vnd.openxmlformats-package.relationships+xml"
_WHEN: Final = (2020, 1, 1, 0, 0, 0)
_LETTERS: Final = 26
_NAME: Final = re.compile('<sheet name="([^"]*)"')
_ROW: Final = re.compile("<row [^>]*>(.*?)</row>")
_CELL: Final = re.compile(
    r'<c r="([A-Z]+)\d+"(?: t="inlineStr")?>'
    "(?:<is><t>(.*?)</t></is>|<v>(.*?)</v>)</c>"
)


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


def rows_in(data: bytes) -> tuple[str, list[list[Cell]]]:
    """Return the sheet's name and the rows of a workbook that `workbook` wrote."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = _NAME.findall(archive.read("xl/workbook.xml").decode())[0]
        text = archive.read("xl/worksheets/sheet1.xml").decode()
    rows = []
    for row in _ROW.findall(text):
        cells: dict[int, Cell] = {}
        for letters, words, number in _CELL.findall(row):
            cells[_place(letters)] = float(number) if number else unescape(words)
        rows.append([cells.get(at) for at in range(max(cells, default=-1) + 1)])
    return unescape(name), rows


def _place(letters: str) -> int:
    at = 0
    for letter in letters:
        at = at * _LETTERS + ord(letter) - ord("A") + 1
    return at - 1


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
