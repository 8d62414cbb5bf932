"""Faults planted in a simulated file, each of which a lake has to notice.

It never plants one in a file without the mark line, and never hurts the mark.

Where a CFTC file has a row per contract, a fault hits the first row of the day, or
that of the `contract` named. All other lines stay as they are. Plant faults last: an
edit that reads the whole file stumbles over them, as a reader should.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from cbi_stream.replay.bars import on_tick
from cbi_stream.replay.layouts import Kind
from cbi_stream.replay.sheet import Sheet, cells_of

_LETTERS: Final = "letters"
_LONG, _SHORT_OF_IT = 8, 11  # CFTC cells that add up: speculators, hedgers, both long
_FIRST_CELL: Final = {
    Kind.YAHOO: 4,  # the close
    Kind.YFINANCE: 4,
    Kind.GRAPH: 1,
    Kind.FLOATS: 1,
    Kind.CFTC: 7,  # the open interest
}
_OFF: Final = 0.4  # of a tick: rounding it away moves the price, and both ways alike


def with_letters(data: bytes, *, day: date, contract: str | None = None) -> bytes:
    """Return the file with letters for the close, value or open interest of `day`.

    Raises:
        ValueError: The file is not simulated, or has no such row.
    """
    sheet = Sheet.of(data)
    at = sheet.at(day, contract=contract)
    cells = cells_of(sheet.rows[at])
    place = _FIRST_CELL[sheet.kind]
    cells[place] = _LETTERS.rjust(len(cells[place]) if sheet.kind is Kind.CFTC else 0)
    sheet.rows[at] = ",".join(cells)
    return sheet.data


def with_short_row(data: bytes, *, day: date, contract: str | None = None) -> bytes:
    """Return the file with the last cell of the row of `day` gone, comma and all.

    Raises:
        ValueError: The file is not simulated, or has no such row.
    """
    sheet = Sheet.of(data)
    at = sheet.at(day, contract=contract)
    sheet.rows[at] = ",".join(cells_of(sheet.rows[at])[:-1])
    return sheet.data


def off_tick(data: bytes, *, day: date) -> bytes:
    """Return the file of bars with the close of `day` 0.4 of a tick off.

    It moves inside high and low where these leave room; else the high moves too.

    Raises:
        ValueError: The file is not simulated, has no bars, or no prices on `day`.
    """
    sheet, at, numbers = _bar_of(data, day)
    _, high, _, close, _ = numbers
    step = _OFF / sheet.steps
    price = close + step if close < high else close - step
    cells = cells_of(sheet.rows[at])
    if price < numbers[2]:  # a bar of one price
        price = close + step
        cells[2] = _as_written(price, kind=sheet.kind)
    for place in (4, 5) if sheet.kind is Kind.YAHOO else (4,):
        cells[place] = _as_written(price, kind=sheet.kind)
    sheet.rows[at] = ",".join(cells)
    return sheet.data


def with_twice(data: bytes, *, day: date, contract: str | None = None) -> bytes:
    """Return the file with a second row of `day` below the first, which says otherwise.

    Its close is a tick higher, its value one more in the last printed digit. In a
    CFTC row speculators hold one contract more and hedgers one less: the sums hold.

    Raises:
        ValueError: The file is not simulated, or has no such row with values.
    """
    sheet = Sheet.of(data)
    if sheet.kind.has_bars:
        sheet, at, (start, high, low, close, volume) = _bar_of(data, day)
        price = on_tick(close + 1 / sheet.steps, steps=sheet.steps)
        again = [start, max(high, price), low, price, volume]
        sheet.rows.insert(at + 1, sheet.row_from(again, day=day))
        return sheet.data
    at = sheet.at(day, contract=contract)
    cells = cells_of(sheet.rows[at])
    if sheet.kind is Kind.CFTC:
        for place, step in ((_LONG, 1), (_SHORT_OF_IT, -1)):
            cells[place] = f"{int(cells[place]) + step:8d}"
    elif cells[1]:
        value = Decimal(cells[1])
        cells[1] = str(value + Decimal(1).scaleb(int(value.as_tuple().exponent)))
    else:
        msg = f"expected a value on {day}; found {sheet.rows[at]!r}"
        raise ValueError(msg)
    sheet.rows.insert(at + 1, ",".join(cells))
    return sheet.data


def with_future_row(data: bytes, *, days: int, contract: str | None = None) -> bytes:
    """Return the file with one more row, `days` after its last day, else a copy of it.

    The row stands at the end; in a CFTC file above the row that it copies.

    Raises:
        ValueError: The file is not simulated, has no row, or `days` is below 1.
    """
    sheet = Sheet.of(data)
    if days < 1 or not sheet.rows:
        msg = f"expected a file with rows and at least 1 day; got {days}"
        raise ValueError(msg)
    last = max(map(sheet.day_of, sheet.rows))
    at = sheet.at(last, contract=contract)
    row = _dated(sheet.rows[at], (last + timedelta(days=days)).isoformat(), sheet.kind)
    sheet.rows.insert(at if sheet.kind is Kind.CFTC else len(sheet.rows), row)
    return sheet.data


def with_impossible_date(
    data: bytes, *, day: date, contract: str | None = None
) -> bytes:
    """Return the file with 30 February of its year for the date of the row of `day`.

    Raises:
        ValueError: The file is not simulated, or has no such row.
    """
    sheet = Sheet.of(data)
    at = sheet.at(day, contract=contract)
    sheet.rows[at] = _dated(sheet.rows[at], f"{day.year:04d}-02-30", sheet.kind)
    return sheet.data


def renamed_column(data: bytes, old: str, *, new: str) -> bytes:
    """Return the file with another name for one column of its header.

    Raises:
        ValueError: The file is not simulated, or has no column `old`.
    """
    sheet = Sheet.of(data)
    names = cells_of(sheet.head[1])
    quote = '"' if sheet.kind is Kind.CFTC else ""
    if f"{quote}{old}{quote}" not in names:
        msg = f"expected a column {old!r}; found {sheet.head[1][:200]}"
        raise ValueError(msg)
    names[names.index(f"{quote}{old}{quote}")] = f"{quote}{new}{quote}"
    sheet.head[1] = ",".join(names)
    return sheet.data


def cut_short(data: bytes, n_bytes: int) -> bytes:
    """Return the file without its last `n_bytes`, as when a download breaks off.

    Raises:
        ValueError: The file is not simulated, `n_bytes` is below 1, or not one byte
            of the first row would be left.
    """
    sheet = Sheet.of(data)
    most = len(data) - len("\n".join([*sheet.head, ""]).encode()) - 1
    if not 1 <= n_bytes <= most:
        msg = f"expected 1 to {most} bytes to cut off; got {n_bytes}"
        raise ValueError(msg)
    return data[:-n_bytes]


def _bar_of(data: bytes, day: date) -> tuple[Sheet, int, list[float]]:
    sheet = Sheet.of(data)
    if not sheet.kind.has_bars:
        msg = f"expected a file of bars; found the header {sheet.head[1][:80]!r}"
        raise ValueError(msg)
    at = sheet.at(day)
    numbers = sheet.numbers(sheet.rows[at])
    if numbers is None:
        msg = f"expected prices on {day}; found {sheet.rows[at]!r}"
        raise ValueError(msg)
    return sheet, at, numbers


def _as_written(price: float, *, kind: Kind) -> str:
    return f"{price:.6f}" if kind is Kind.YAHOO else repr(price)


def _dated(row: str, iso: str, kind: Kind) -> str:
    cells = cells_of(row)
    if kind is Kind.CFTC:
        cells[1:3] = [iso[2:].replace("-", ""), iso]
    else:
        cells[0] = iso
    return ",".join(cells)
