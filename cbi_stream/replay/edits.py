"""Later arrivals made out of a simulated file: corrected, late, noisy, shuffled.

It never edits a file without the mark line, and never drops that line or the
header. Every function is pure: bytes in, bytes out, all other lines untouched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from cbi_stream.replay.chance import raw_words
from cbi_stream.replay.market import (
    MARK,
    YAHOO_HEADER,
    fred_row,
    is_simulated,
    yahoo_row,
)
from cbi_stream.replay.walks import Bar

_NOISE, _ORDER = 101, 102  # stream numbers, apart from those of the walks
_EMPTY_CELLS: Final = frozenset({"", "null"})
_NOISE_STEPS: Final = 5  # -2 to 2 millionths


def corrected(data: bytes, *, day: date, close: float) -> bytes:
    """Return the file with another close (or FRED value) on `day`.

    Open and volume stay; high and low stretch to hold the new close, as when a
    settlement is overwritten. A null row becomes a bar with all prices equal.

    Args:
        data: A simulated file.
        day: The day to correct.
        close: Cents per pound, rounded to 0.01; for a FRED file, the series' unit.

    Raises:
        ValueError: The file is not simulated, has no row for `day`, or `close` is
            not a finite number of at least 0.01.
    """
    if not (math.isfinite(close) and close >= 0.01):
        msg = f"expected a close of at least 0.01; got {close}"
        raise ValueError(msg)
    head, rows, tail = _taken_apart(data)
    at = _row_of(rows, day)
    price, old = round(close, 2), _numbers(rows[at])
    if head[1] != YAHOO_HEADER:
        rows[at] = fred_row(day, price)
    elif old is None:
        rows[at] = yahoo_row(day, Bar(price, price, price, price, 0))
    else:
        high, low = max(old[1], price), min(old[2], price)
        rows[at] = yahoo_row(day, Bar(old[0], high, low, price, int(old[5])))
    return _put_together(head, rows, tail)


def without_row(data: bytes, *, day: date) -> bytes:
    """Return the file without the row of `day`.

    Raises:
        ValueError: The file is not simulated, or has no row for `day`.
    """
    head, rows, tail = _taken_apart(data)
    del rows[_row_of(rows, day)]
    return _put_together(head, rows, tail)


def with_late_row(data: bytes, *, day: date) -> bytes:
    """Return the file with values on `day`, which had no row or an empty one.

    The values lie half way between the rows with values before and after it, cell
    by cell: averaging keeps a bar's order. At an end, the one neighbour is copied.

    Raises:
        ValueError: The file is not simulated, has no row with values, or `day` has
            values already.
    """
    head, rows, tail = _taken_apart(data)
    known = {_day_of(row): cells for row in rows if (cells := _numbers(row))}
    if day in known or not known:
        msg = f"expected a file with values, and none on {day}: nothing is late"
        raise ValueError(msg)
    before = max((one for one in known if one < day), default=min(known))
    after = min((one for one in known if one > day), default=max(known))
    cells = [(a + b) / 2 for a, b in zip(known[before], known[after], strict=True)]
    rows = [row for row in rows if _day_of(row) != day]
    at = next((i for i, row in enumerate(rows) if _day_of(row) > day), len(rows))
    rows.insert(at, _row_from(cells, day=day))
    return _put_together(head, rows, tail)


def noisy(data: bytes, *, seed: int) -> bytes:
    """Return the Yahoo file with noise far below the tick on every price.

    The noise is -2 to 2 millionths of a cent per pound, so a reader that rounds to
    0.01 reads the same file. Close and adjusted close get the same noise.

    Raises:
        ValueError: The file is not simulated, or not in the Yahoo layout.
    """
    head, rows, tail = _taken_apart(data)
    if head[1] != YAHOO_HEADER:
        msg = f"expected the header {YAHOO_HEADER}; found {head[1]}"
        raise ValueError(msg)
    words = raw_words(4 * len(rows), seed=seed, series=_NOISE).reshape(-1, 4)
    for i, row in enumerate(rows):
        cells = row.split(",")
        if cells[1] in _EMPTY_CELLS:
            continue
        steps = [int(word) % _NOISE_STEPS - 2 for word in words[i]]
        # Whole millionths: adding 0.000002 as a float could print one step off.
        millionths = [round(float(cell) * 1_000_000) for cell in cells[1:6]]
        moved = [m + s for m, s in zip(millionths, [*steps, steps[3]], strict=True)]
        prices = [f"{m // 1_000_000}.{m % 1_000_000:06d}" for m in moved]
        rows[i] = ",".join([cells[0], *prices, cells[6]])
    return _put_together(head, rows, tail)


def shuffled(data: bytes, *, seed: int) -> bytes:
    """Return the file with the same rows in another order, below mark and header.

    Raises:
        ValueError: The file is not simulated.
    """
    head, rows, tail = _taken_apart(data)
    keys = raw_words(len(rows), seed=seed, series=_ORDER).tolist()
    order = sorted(range(len(rows)), key=keys.__getitem__)
    if order == list(range(len(rows))):
        order.reverse()  # a short file can draw its own order; the promise is another
    return _put_together(head, [rows[i] for i in order], tail)


def _taken_apart(data: bytes) -> tuple[list[str], list[str], str]:
    """Return mark and header, the rows, and what follows the last row."""
    if not is_simulated(data):
        msg = f"only a file whose first line starts with '{MARK}' can be edited"
        raise ValueError(msg)
    text = data.decode()
    tail = "\n" if text.endswith("\n") else ""
    lines = text.removesuffix("\n").split("\n")
    return lines[:2], lines[2:], tail


def _put_together(head: Sequence[str], rows: Sequence[str], tail: str) -> bytes:
    return ("\n".join([*head, *rows]) + tail).encode()


def _row_of(rows: Sequence[str], day: date) -> int:
    for i, row in enumerate(rows):
        if _day_of(row) == day:
            return i
    msg = f"expected a row for {day}; found none in {len(rows)} rows"
    raise ValueError(msg)


def _day_of(row: str) -> date:
    return date.fromisoformat(row[:10])


def _numbers(row: str) -> list[float] | None:
    """Return the cells after the day, prices on the tick; None for an empty row."""
    cells = row.split(",")[1:]
    if cells[0] in _EMPTY_CELLS:
        return None
    return [round(float(cell), 2) for cell in cells]


def _row_from(cells: Sequence[float], *, day: date) -> str:
    if len(cells) == 1:
        return fred_row(day, cells[0])
    start, high, low, close = (round(cell, 2) for cell in cells[:4])
    return yahoo_row(day, Bar(start, high, low, close, int(cells[5])))
