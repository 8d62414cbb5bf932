"""Workbooks as Excel writes them since 2007, with several sheets.

The same cells give the same bytes. It writes text and numbers, never a formula.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

Cell = str | float | None

_OPEN: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_FORMATS: Final = "http://schemas.openxmlformats.org"
_MAIN: Final = f"{_FORMATS}/spreadsheetml/2006/main"
_LINKS: Final = f"{_FORMATS}/officeDocument/2006/relationships"
_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELS: Final = "application/vnd.openxmlformats-package.relationships+xml"
_WHEN: Final = (2020, 1, 1, 0, 0, 0)
_LETTERS: Final = 26


def workbook(
    sheets: Mapping[str, Sequence[Sequence[Cell]]], *, mark: bytes = b""
) -> bytes:
    """Return a workbook with the rows of each sheet from A1 on.

    Args:
        sheets: the rows by the sheet's name.
        mark: the comment of the archive.
    """
    numbered = list(enumerate(sheets, start=1))
    parts = {
        "[Content_Types].xml": _types([number for number, _ in numbered]),
        "_rels/.rels": _linked({"xl/workbook.xml": "officeDocument"}),
        "xl/workbook.xml": _listed(dict(numbered)),
        "xl/_rels/workbook.xml.rels": _linked(
            {f"worksheets/sheet{number}.xml": "worksheet" for number, _ in numbered}
        ),
    }
    for number, name in numbered:
        parts[f"xl/worksheets/sheet{number}.xml"] = _sheet(sheets[name])
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path, _WHEN), _OPEN + text)
        archive.comment = mark
    return out.getvalue()


def _types(numbers: Sequence[int]) -> str:
    sheets = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" '
        f'ContentType="{_KIND}.worksheet+xml"/>'
        for number in numbers
    )
    return (
        f'<Types xmlns="{_FORMATS}/package/2006/content-types">'
        f'<Default Extension="rels" ContentType="{_RELS}"/>'
        '<Override PartName="/xl/workbook.xml" '
        f'ContentType="{_KIND}.sheet.main+xml"/>{sheets}</Types>'
    )


def _listed(names: Mapping[int, str]) -> str:
    sheets = "".join(
        f'<sheet name="{escape(name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, name in names.items()
    )
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets>{sheets}</sheets>'
        "</workbook>"
    )


def _linked(targets: Mapping[str, str]) -> str:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_LINKS}/{kind}" Target="{target}"/>'
        for number, (target, kind) in enumerate(targets.items(), start=1)
    )
    package = f"{_FORMATS}/package/2006/relationships"
    return f'<Relationships xmlns="{package}">{links}</Relationships>'


def _sheet(rows: Sequence[Sequence[Cell]]) -> str:
    lines = []
    for number, row in enumerate(rows, start=1):
        told = "".join(
            _cell(f"{_column(at)}{number}", cell) for at, cell in enumerate(row)
        )
        lines.append(f'<row r="{number}">{told}</row>')
    data = "".join(lines)
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{data}</sheetData></worksheet>'


def _cell(place: str, cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        text = f"<is><t>{escape(cell)}</t></is>"
        return f'<c r="{place}" t="inlineStr">{text}</c>'
    return f'<c r="{place}"><v>{cell}</v></c>'


def _column(at: int) -> str:
    """Return the letters of a column, counted from 0."""
    name = ""
    at += 1
    while at:
        at, rest = divmod(at - 1, _LETTERS)
        name = chr(ord("A") + rest) + name
    return name
