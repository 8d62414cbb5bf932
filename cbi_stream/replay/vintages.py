"""What a source says of the same days at its next pull, or said at an earlier one.

It never changes a file without the mark line, and never moves a date that stands.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Final

from cbi_stream.replay.bars import Bar, on_tick
from cbi_stream.replay.chance import draws_of, normal
from cbi_stream.replay.layouts import float_row
from cbi_stream.replay.releases import month_after
from cbi_stream.replay.sheet import Sheet

_CONDITIONS, _PAYROLLS, _UNFINISHED = 111, 112, 113  # stream numbers
_SCRIPT_HEADER: Final = "Date,Value"
_FEWEST_MONTHS: Final = 2


def restated_nfci(data: bytes, *, seed: int, share: float = 0.9) -> bytes:
    """Return NFCI.csv with most of its history moved by 0.001 to 0.003.

    Every date stays and none is added: the next pull's file, restated, is
    `restated_nfci` of that pull's own.

    Args:
        data: A simulated file below the header Date,Value.
        seed: The same seed restates alike; a row's change belongs to its date.
        share: About this share of the rows changes, 0 to 1.

    Raises:
        ValueError: The file is not such a simulated file, or `share` is out of range.
    """
    if not 0.0 <= share <= 1.0:
        msg = f"expected a share from 0 to 1; got {share}"
        raise ValueError(msg)
    sheet, days = _opened(data)
    for i, draw in enumerate(draws_of(days, seed=seed, series=_CONDITIONS)):
        if draw[0] < share:
            thousandths = math.ceil(3 * draw[1])
            step = thousandths if draw[2] < 0.5 else -thousandths
            value = round(_value_of(sheet.rows[i]) + step / 1000, 3)
            sheet.rows[i] = float_row(days[i], value)
    return sheet.data


def restated_payrolls(data: bytes, *, seed: int) -> bytes:
    """Return PAYEMS.csv with one more month, and the two before it restated.

    Each of the two moves by 1 to 60 thousand persons; the month added grows on the
    restated one before it by -0.2 to 0.5 percent.

    Raises:
        ValueError: The file is not a simulated file below the header Date,Value, or
            has fewer than two months.
    """
    sheet, days = _opened(data)
    if len(days) < _FEWEST_MONTHS:
        msg = f"expected two months or more to restate; found {len(days)}"
        raise ValueError(msg)
    added = month_after(days[-1])
    draws = draws_of([*days[-2:], added], seed=seed, series=_PAYROLLS)
    for i in (-2, -1):
        draw = draws[i - 1]
        step = math.copysign(math.ceil(60 * draw[0]), draw[1] - 0.5)
        sheet.rows[i] = float_row(days[i], _value_of(sheet.rows[i]) + step)
    growth = min(max(0.001 + 0.001 * normal(draws[-1][0]), -0.002), 0.005)
    value = float(round(_value_of(sheet.rows[-1]) * math.exp(growth)))
    sheet.rows.append(float_row(added, value))
    return sheet.data


def unfinished_bar(data: bytes, *, day: date, seed: int = 7) -> bytes:
    """Return the file as pulled during `day`: its bar unfinished, no later row.

    The open stays. The close is another, on the tick; high and low hold it. The
    volume is a part of the day's.

    Args:
        data: A simulated file of either Yahoo layout.
        day: A session with prices.
        seed: The same seed gives the same bar.

    Raises:
        ValueError: The file is not such a simulated file, or has no prices on `day`.
    """
    sheet = Sheet.of(data)
    if not sheet.kind.has_bars:
        msg = f"expected a file of bars; found the header {sheet.head[1][:80]!r}"
        raise ValueError(msg)
    at = sheet.at(day)
    numbers = sheet.numbers(sheet.rows[at])
    if numbers is None:
        msg = f"expected prices on {day}; found {sheet.rows[at]!r}"
        raise ValueError(msg)
    (draw,) = draws_of([day], seed=seed, series=_UNFINISHED)
    unfinished = _cut_off(numbers, draw, steps=sheet.steps)
    sheet.rows = [row for row in sheet.rows if sheet.day_of(row) < day]
    sheet.rows.append(sheet.row_from(unfinished, day=day))
    return sheet.data


def unfinished(bar: Bar, *, day: date, seed: int, steps: int) -> Bar:
    """Return the bar of `day` as seen before the session's end.

    It is the one that `unfinished_bar` puts into a file.
    """
    (draw,) = draws_of([day], seed=seed, series=_UNFINISHED)
    numbers = (bar.open, bar.high, bar.low, bar.close, bar.volume)
    start, high, low, close, volume = _cut_off(numbers, draw, steps=steps)
    return Bar(start, high, low, close, int(volume))


def _cut_off(
    numbers: Sequence[float], draw: Sequence[float], *, steps: int
) -> list[float]:
    start, high, low, close, volume = numbers
    price = on_tick(low + draw[0] * (high - low), steps=steps)
    if price == close:
        price = on_tick(close + 1 / steps, steps=steps)
    part = int(volume * (0.2 + 0.6 * draw[1]))
    traded = part if part != volume else volume + 1  # a volume of 0 has no part
    return [start, max(high, price), min(low, price), price, traded]


def _opened(data: bytes) -> tuple[Sheet, list[date]]:
    sheet = Sheet.of(data)
    if sheet.head[1] != _SCRIPT_HEADER:
        msg = f"expected the header {_SCRIPT_HEADER}; found {sheet.head[1][:80]!r}"
        raise ValueError(msg)
    return sheet, [sheet.day_of(row) for row in sheet.rows]


def _value_of(row: str) -> float:
    return float(row.partition(",")[2])
