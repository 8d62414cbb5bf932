"""China's customs: the CSV of its query page, dropped by a person. It has no live form.

The direction of trade stands in no column: the file's name says it. The page's numbers
of a month are read, never those of the year to date.
"""

from __future__ import annotations

import csv
import re
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.cells import ungrouped
from handlers.ingest.observed import Observations, day_in

_NAMES: dict[str, tuple[str, ...]] = {
    "month": ("数据年月", "Date of data", "Data year and month"),
    "hs": ("商品编码", "Commodity code"),
    "partner": ("贸易伙伴编码", "Trading partner code"),
    "quantity": ("第一数量", "First quantity", "Quantity 1"),
    "unit": ("第一计量单位", "First unit", "Unit 1"),
    "second": ("第二数量", "Second quantity", "Quantity 2"),
    "second_unit": ("第二计量单位", "Second unit", "Unit 2"),
}
_MONEY = {
    "美元": "usd",
    "US dollar": "usd",
    "人民币": "cny",
    "RMB": "cny",
    "Renminbi Yuan": "cny",
}
_KILOGRAM = ("千克", "KG", "Kilogram", "Kilograms")
_NONE = ("", "-", "--")
_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def _columns(header: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([header]), [])]


def _is_header(header: str) -> bool:
    columns = _columns(header)
    return all(any(n in columns for n in _NAMES[k]) for k in ("month", "hs", "partner"))


@source(
    "gacc",
    headers=("数据年月,商品编码,商品名称,贸易伙伴编码,...",),
    recognises=_is_header,
    encodings=("gb18030",),
)
def gacc(data: bytes, flow: str | None) -> pl.DataFrame:
    """Return kilograms and money of each line, two rows for each.

    Raises:
        BadInput: nobody says whether it is imports or exports, or a column is missing.
    """
    if flow not in ("import", "export"):
        msg = "expected a name that says the direction, like gacc_import_1507.csv"
        raise BadInput(msg)
    lines = [
        (n, text) for n, text in enumerate(_text(data), start=1) if text.strip(", \t")
    ]
    columns = _columns(lines[0][1])
    places = {name: _place(columns, *names) for name, names in _NAMES.items()}
    money = next((n for n, name in enumerate(columns) if name in _MONEY), None)
    if money is None:
        msg = f"expected a column of {' or '.join(_MONEY)}; found {', '.join(columns)}"
        raise BadInput(msg)
    currency = _MONEY[columns[money]]
    found = Observations()
    for number, text in lines[1:]:
        cells = _columns(text)
        if len(cells) <= max(money, *places.values()):
            problem = f"cells: expected {len(columns)} cells; found {len(cells)}"
            found.unreadable("", text, problem, line=number * 1000)
            continue
        line = {name: cells[at] for name, at in places.items()}
        _add(found, number, flow, line, {currency: cells[money]})
    return found.frame(expected="months with quantities")


def _text(data: bytes) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = data.decode("gb18030")
        except UnicodeDecodeError as error:
            msg = f"expected text in GB18030 or UTF-8; found the byte {data[error.start]:#04x}"
            raise BadInput(msg) from None
    lines = text.replace("\r\n", "\n").split("\n")
    return ["" if line.startswith("#") else line for line in lines]


def _place(columns: list[str], *names: str) -> int:
    found = [n for n, name in enumerate(columns) if name in names]
    if len(found) != 1:
        msg = f"expected one column {' or '.join(names)}; found {', '.join(columns)}"
        raise BadInput(msg)
    return found[0]


def _add(
    found: Observations,
    number: int,
    flow: str,
    line: dict[str, str],
    money: dict[str, str],
) -> None:
    """Add one line: its kilograms, and what they cost."""
    series = f"{flow}.{line['hs']}.{line['partner']}"
    month = day_in(line["month"], "%Y%m")
    if month is None or not re.fullmatch(
        r"[0-9]{4,10}\.[0-9]{1,4}", series.partition(".")[2]
    ):
        problem = "month: expected a month like 202401, a code and a partner in digits"
        found.unreadable("", str(line), problem, line=number * 1000)
        return
    values = {"kg": _kilograms(line), **{k: _plain(v) for k, v in money.items()}}
    for at, (unit, value) in enumerate(values.items(), start=1):
        where: dict[str, Any] = {"line": number * 1000 + at}
        if value is None or not (_NUMBER.fullmatch(value) or value in _NONE):
            problem = (
                f"number: {unit}: expected a number in that unit; found {line}, {money}"
            )
            found.unreadable(f"{series}.{unit}", str(line), problem, **where)
        else:
            found.add(
                f"{series}.{unit}", month, "" if value in _NONE else value, **where
            )


def _plain(cell: str) -> str:
    return ungrouped(cell.strip())


def _kilograms(line: dict[str, str]) -> str | None:
    """Return the quantity that is in kilograms; None where neither is."""
    for quantity, unit in (("quantity", "unit"), ("second", "second_unit")):
        if line[unit] in _KILOGRAM:
            return _plain(line[quantity])
    return None
