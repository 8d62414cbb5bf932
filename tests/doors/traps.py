"""Files that are no lines of text and mean harm: JSON, archives, workbooks, XML, pages.

It makes bytes, each around one trap, and opens none of them.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from cbi_stream.replay.xlsx import workbook
from tests.doors.bad_inputs import NOISE, packed, parquet
from tests.doors.dialects import PSD

DAYS = {"realtime_start": "2024-05-06", "realtime_end": "2024-05-06"}


def answer(*values: Any, **more: Any) -> str:
    """Return an answer of FRED with these values, from 2024-04-01 on."""
    entries = [
        {**DAYS, "date": f"2024-04-0{i}", "value": value}
        for i, value in enumerate(values, start=1)
    ]
    return json.dumps({**DAYS, "units": "lin", "observations": entries, **more})


JSON = answer("15.31", "16.31", "17.31")


def book(*rows: tuple[str | float | None, ...]) -> bytes:
    """Return a workbook of trade policy with these rows in its monthly sheet."""
    return workbook(
        {
            "TPU_MONTHLY": [["DATE", "TPU"], *rows],
            "TPU_QUARTERLY": [["DATE", "TPUQ"], ["1960Q2", 2.5]],
            "TPU_DAILY": [["DATE", "TPUD_index"], ["2024-01-31", 3.5]],
        }
    )


ROWS: tuple[tuple[str | float | None, ...], ...] = (
    ("1960M01", 1.5),
    ("1960M02", 2.5),
    ("1960M03", 3.5),
)
BOOK = book(*ROWS)
SHEET = "xl/worksheets/sheet1.xml"


def changed(part: str, change: Callable[[bytes], bytes], data: bytes = BOOK) -> bytes:
    """Return an archive with one member changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        plain = {name: old.read(name) for name in old.namelist()}
    return packed(**{**plain, part: change(plain[part])})


def many_rows(plain: bytes) -> bytes:
    """Return a sheet of 120 MB, which shrinks to less than one."""
    rows = b'<row r="9"><c r="A9"><v>1</v></c></row>' * 3_000_000
    return plain.replace(b"</sheetData>", rows + b"</sheetData>")


def far_cell(plain: bytes) -> bytes:
    """Return a sheet with one cell in its farthest corner: a table of 17 billion."""
    cell = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    return plain.replace(b"</sheetData>", cell)


def formula(plain: bytes) -> bytes:
    """Return a sheet with a formula that nobody computed instead of its last number."""
    head, _, tail = plain.rpartition(b"<v>3.5</v>")
    return head + b"<f>1+1</f>" + tail


DTD = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY e SYSTEM "file:///etc/passwd">]>'
)


def declared(plain: bytes) -> bytes:
    """Return XML that declares entities."""
    head, end, rest = plain.partition(b"?>")
    return head + end + DTD + rest


def lying(data: bytes) -> bytes:
    """Return an archive whose directory says that each member holds ten bytes."""
    out, at = bytearray(data), 0
    while (at := out.find(b"PK\x01\x02", at)) >= 0:
        out[at + 24 : at + 28] = struct.pack("<I", 10)
        at += 4
    return bytes(out)


def zipped(name: str = "psd_oilseeds.csv", data: bytes | None = None) -> bytes:
    """Return an archive with the clean file of PSD, or something else, under a name."""
    return packed(**{name: PSD.text().encode() if data is None else data})


def locked(data: bytes) -> bytes:
    """Return an archive that says that it needs a password."""
    out = bytearray(data)
    out[6] |= 1
    out[out.find(b"PK\x01\x02") + 8] |= 1
    return bytes(out)


def laughs() -> bytes:
    """Return XML that would unfold to gigabytes."""
    names = "abcdefghij"
    said = [f'<!ENTITY {names[0]} "ha">'] + [
        f'<!ENTITY {now} "{f"&{before};" * 10}">' for before, now in pairwise(names)
    ]
    return (
        f'<?xml version="1.0"?><!DOCTYPE x [{"".join(said)}]>{report("&j;")}'.encode()
    )


def report(inside: str) -> str:
    """Return what is known as a WASDE report, with something inside."""
    return (
        '<Report Name="wasde"><sr08><Report Name="sr08" Report_Month="August 2024" '
        f'page_title="WASDE - 651" sub_report_title="U.S. Soybeans">{inside}</Report>'
        "</sr08></Report>"
    )


Trap = tuple[int, str, str, Callable[[], bytes | str], str, str, int]
"""Row of the list, what it is, the file's name, how it is made, where it ends, what is
said of it, and how many rows are staged."""
TRAPS: tuple[Trap, ...] = (
    (
        52,
        "Parquet for a source of JSON",
        "VIXCLS.json",
        parquet,
        "quarantine",
        "a Parquet file",
        0,
    ),
    (
        53,
        "noise for a workbook",
        "tpu_web_latest.xlsx",
        lambda: NOISE,
        "quarantine",
        "found the byte",
        0,
    ),
    (55, "workbook", "tpu_web_latest.xlsx", lambda: BOOK, "archive", "", 5),
    (
        55,
        "mixed types in a workbook",
        "tpu_web_latest.xlsx",
        lambda: book(*ROWS, (45294.0, "48,5"), ("01/05/2024", 4.5), (None, "#N/A")),
        "archive",
        "line 5001: .*line 6001: .*line 7001: ",
        5,
    ),
    (
        55,
        "formula without its result",
        "tpu_web_latest.xlsx",
        lambda: changed(SHEET, formula),
        "quarantine",
        "a formula without its result",
        0,
    ),
    (
        55,
        "workbook of no source",
        "prices.xlsx",
        lambda: BOOK,
        "quarantine",
        "an Excel file",
        0,
    ),
    (
        55,
        "workbook, cut",
        "tpu_web_latest.xlsx",
        lambda: BOOK[:-40],
        "quarantine",
        "whole zip archive",
        0,
    ),
    (
        56,
        "workbook of 120 MB",
        "tpu_web_latest.xlsx",
        lambda: changed(SHEET, many_rows),
        "quarantine",
        "does not shrink so much",
        0,
    ),
    (
        56,
        "workbook that lies about its size",
        "tpu_web_latest.xlsx",
        lambda: lying(changed(SHEET, many_rows)),
        "quarantine",
        "whole zip archive",
        0,
    ),
    (
        56,
        "workbook with a far cell",
        "tpu_web_latest.xlsx",
        lambda: changed(SHEET, far_cell),
        "quarantine",
        "ended its process|expected an Excel file",
        0,
    ),
    (
        57,
        "workbook with entities",
        "tpu_web_latest.xlsx",
        lambda: changed("xl/workbook.xml", declared),
        "quarantine",
        "entities declared in 'xl/workbook.xml'",
        0,
    ),
    (
        57,
        "billion laughs",
        "wasde0824.xml",
        laughs,
        "quarantine",
        "one that declares entities",
        0,
    ),
    (
        57,
        "entities in UTF-16",
        "wasde0824.xml",
        lambda: laughs().decode().encode("utf-16"),
        "quarantine",
        "UTF-16",
        0,
    ),
    (
        57,
        "200,000 deep XML",
        "wasde0824.xml",
        lambda: report("<a>" * 200_000 + "</a>" * 200_000),
        "quarantine",
        "expected a page titled|nested|RecursionError",
        0,
    ),
    (58, "JSON", "VIXCLS.json", lambda: JSON, "archive", "", 3),
    (
        58,
        "JSON of no source",
        "VIXCLS.json",
        lambda: '[{"v": 1}]',
        "quarantine",
        "found JSON",
        0,
    ),
    (
        58,
        "NaN",
        "VIXCLS.json",
        lambda: JSON.replace('"16.31"', "NaN"),
        "quarantine",
        "NaN, which is no number",
        0,
    ),
    (
        58,
        "a field twice",
        "VIXCLS.json",
        lambda: JSON.replace('"value": "16', '"value": "1", "value": "16'),
        "quarantine",
        "'value' twice in one object",
        0,
    ),
    (
        58,
        "200,000 deep",
        "VIXCLS.json",
        lambda: JSON.replace('"16.31"', "[" * 200_000),
        "quarantine",
        "brackets in brackets",
        0,
    ),
    (
        58,
        "mixed types",
        "VIXCLS.json",
        lambda: answer(15.31, "x", None, True, "17.31"),
        "archive",
        "line 2: .*line 4: ",
        3,
    ),
    (
        58,
        "1e400",
        "VIXCLS.json",
        lambda: JSON.replace('"16.31"', "1e400"),
        "archive",
        "line 2: ",
        2,
    ),
    (
        58,
        "a number of 30 digits",
        "VIXCLS.json",
        lambda: JSON.replace('"16.31"', "1" * 30),
        "archive",
        "line 2: ",
        2,
    ),
    (
        58,
        "JSON, cut",
        "VIXCLS.json",
        lambda: JSON[:-9],
        "quarantine",
        "expected JSON",
        0,
    ),
    (40, "zip that a source has", "psd_alldata.zip", zipped, "archive", "", 6),
    (
        40,
        "zip with a path",
        "psd_alldata.zip",
        lambda: zipped("../../psd_evil.csv"),
        "archive",
        "",
        6,
    ),
    (
        40,
        "zip in a zip",
        "psd_alldata.zip",
        lambda: zipped(data=zipped()),
        "quarantine",
        "UTF-8|binary",
        0,
    ),
    (
        40,
        "zip with a password",
        "psd_alldata.zip",
        lambda: locked(zipped()),
        "quarantine",
        "encrypted",
        0,
    ),
    (
        40,
        "zip of 300 MB",
        "psd_alldata.zip",
        lambda: zipped(data=bytes(300_000_000)),
        "quarantine",
        "does not shrink so much",
        0,
    ),
    (
        40,
        "zip that lies about its size",
        "psd_alldata.zip",
        lambda: lying(zipped(data=bytes(9_000_000))),
        "quarantine",
        "whole zip archive",
        0,
    ),
    (
        37,
        "a page of 20 MB",
        "VIXCLS.csv",
        lambda: "<html>" + "<div>" * 4_000_000,
        "quarantine",
        "a web page",
        0,
    ),
)
