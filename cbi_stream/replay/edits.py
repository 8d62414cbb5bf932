"""Later arrivals made out of a simulated file: corrected, late, noisy, shuffled.

It never edits a file without the mark line, and never drops that line or the
header. Every function is pure: bytes in, bytes out, all other lines untouched.
"""

from __future__ import annotations

import math
from datetime import date
from typing import Final

from cbi_stream.replay.chance import raw_words
from cbi_stream.replay.layouts import YAHOO_HEADER
from cbi_stream.replay.sheet import Sheet

_NOISE, _ORDER = 101, 102  # stream numbers, apart from those of the walks
_EMPTY_CELLS: Final = frozenset({"", "null"})
_NOISE_STEPS: Final = 5  # -2 to 2 millionths
_LOWEST_CLOSE: Final = 0.01


def corrected(data: bytes, *, day: date, close: float) -> bytes:
    """Return the file with another close (or FRED value) on `day`.

    Open and volume stay; high and low stretch to hold the new close, as when a
    settlement is overwritten. A null row becomes a bar with all prices equal.

    Args:
        data: A simulated file of Yahoo's or FRED's layouts.
        day: The day to correct.
        close: In the file's unit; a price is rounded to the tick that the file's
            prices keep, a value to the decimals that the file's values show.

    Raises:
        ValueError: The file is not simulated or the CFTC's, has no row for `day`, or
            `close` is not finite, or as a price not at least 0.01.
    """
    sheet = Sheet.of(data)
    lowest = _LOWEST_CLOSE if sheet.kind.has_bars else -math.inf
    if not (math.isfinite(close) and close >= lowest):
        msg = f"expected a close of at least 0.01, or a finite value; got {close}"
        raise ValueError(msg)
    at = sheet.at(day)
    before = sheet.numbers(sheet.rows[at])
    if sheet.kind.has_values:
        after = [close]
    elif before is None:
        after = [close, close, close, close, _volume_of(sheet.rows[at])]
    else:
        start, high, low, _, volume = before
        after = [start, max(high, close), min(low, close), close, volume]
    sheet.rows[at] = sheet.row_from(after, day=day)
    return sheet.data


def without_row(data: bytes, *, day: date) -> bytes:
    """Return the file without the row of `day`; of a CFTC file, without that week.

    Raises:
        ValueError: The file is not simulated, or has no row for `day`.
    """
    sheet = Sheet.of(data)
    sheet.at(day)
    sheet.rows = [row for row in sheet.rows if sheet.day_of(row) != day]
    return sheet.data


def with_late_row(data: bytes, *, day: date) -> bytes:
    """Return the file with values on `day`, which had no row or an empty one.

    The values lie half way between the rows with values before and after it, cell
    by cell: averaging keeps a bar's order. At an end, the one neighbour is copied.

    Raises:
        ValueError: The file is not simulated or the CFTC's, has no row with values,
            or `day` has values already.
    """
    sheet = Sheet.of(data)
    known = {
        sheet.day_of(row): numbers
        for row in sheet.rows
        if (numbers := sheet.numbers(row))
    }
    if day in known or not known:
        msg = f"expected a file with values, and none on {day}: nothing is late"
        raise ValueError(msg)
    before = max((one for one in known if one < day), default=min(known))
    after = min((one for one in known if one > day), default=max(known))
    cells = [(a + b) / 2 for a, b in zip(known[before], known[after], strict=True)]
    rows = [row for row in sheet.rows if sheet.day_of(row) != day]
    later = (i for i, row in enumerate(rows) if sheet.day_of(row) > day)
    rows.insert(next(later, len(rows)), sheet.row_from(cells, day=day))
    sheet.rows = rows
    return sheet.data


def noisy(data: bytes, *, seed: int) -> bytes:
    """Return the Yahoo download with noise far below the tick on every price.

    The noise is -2 to 2 millionths of the unit, so a reader that rounds to the tick
    reads the same file. Close and adjusted close get the same noise.

    Raises:
        ValueError: The file is not simulated, or not a Yahoo download.
    """
    sheet = Sheet.of(data)
    if sheet.head[1] != YAHOO_HEADER:
        msg = f"expected the header {YAHOO_HEADER}; found {sheet.head[1]}"
        raise ValueError(msg)
    words = raw_words(4 * len(sheet.rows), seed=seed, series=_NOISE).reshape(-1, 4)
    for i, row in enumerate(sheet.rows):
        cells = row.split(",")
        if cells[1] in _EMPTY_CELLS:
            continue
        steps = [int(word) % _NOISE_STEPS - 2 for word in words[i]]
        # Whole millionths: adding 0.000002 as a float could print one step off.
        millionths = [round(float(cell) * 1_000_000) for cell in cells[1:6]]
        moved = [m + s for m, s in zip(millionths, [*steps, steps[3]], strict=True)]
        prices = [f"{m // 1_000_000}.{m % 1_000_000:06d}" for m in moved]
        sheet.rows[i] = ",".join([cells[0], *prices, cells[6]])
    return sheet.data


def shuffled(data: bytes, *, seed: int) -> bytes:
    """Return the file with the same rows in another order, below mark and header.

    Raises:
        ValueError: The file is not simulated.
    """
    sheet = Sheet.of(data)
    keys = raw_words(len(sheet.rows), seed=seed, series=_ORDER).tolist()
    order = sorted(range(len(sheet.rows)), key=keys.__getitem__)
    if order == list(range(len(sheet.rows))):
        order.reverse()  # a short file can draw its own order; the promise is another
    sheet.rows = [sheet.rows[i] for i in order]
    return sheet.data


def _volume_of(row: str) -> int:
    """Return the volume of a row without prices; 0 where it says null."""
    cell = row.rpartition(",")[2]
    return 0 if cell in _EMPTY_CELLS else int(cell)
