"""A simulated file taken apart: mark, header, rows; and put together again.

It never opens a file without the mark line, and never changes mark or header.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final

from cbi_stream.replay.bars import Bar, on_tick
from cbi_stream.replay.layouts import (
    MARK,
    Kind,
    float_row,
    fred_row,
    is_simulated,
    kind_of,
    yahoo_row,
    yfinance_row,
)

_EMPTY_CELLS: Final = frozenset({"", "null"})
_COMMA: Final = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')  # none inside quotes
_DAY_CELL: Final = 2  # of the CFTC's rows; the others begin with the day
_CODE_CELL: Final = 3
_TICKS: Final = (4, 10)  # ticks in one unit; a file that is on neither has 100
_WHOLE: Final = 1e-3  # of a tick: far above the noise of 32-bit floats
_FEWEST_DECIMALS: Final = 2


@dataclass
class Sheet:
    """One file: `head` is mark and header, `rows` may be changed in place.

    Attributes:
        head: Mark and header, without newlines.
        rows: The other lines, without newlines.
        tail: What follows the last row: a newline or nothing.
    """

    head: list[str]
    rows: list[str]
    tail: str

    @classmethod
    def of(cls, data: bytes) -> Sheet:
        """Take a simulated file apart.

        Raises:
            ValueError: The file has no mark.
        """
        if not is_simulated(data):
            msg = f"only a file whose first line starts with '{MARK}' can be edited"
            raise ValueError(msg)
        text = data.decode()
        tail = "\n" if text.endswith("\n") else ""
        lines = text.removesuffix("\n").split("\n")
        return cls(lines[:2], lines[2:], tail)

    @property
    def data(self) -> bytes:
        """The file's bytes."""
        return ("\n".join([*self.head, *self.rows]) + self.tail).encode()

    @cached_property
    def kind(self) -> Kind:
        """The layout; ValueError where the header tells none."""
        return kind_of(self.head[1])

    @cached_property
    def steps(self) -> int:
        """Ticks in one unit of price, told by the prices: 4, 10 or 100."""
        prices = [price for row in self.rows for price in _prices(row)]
        for steps in _TICKS:
            if all(abs(p * steps - round(p * steps)) < _WHOLE * steps for p in prices):
                return steps
        return 100

    @cached_property
    def decimals(self) -> int:
        """Decimals of a value: for fixed ones those shown, else the most that count."""
        cells = [row[11:] for row in self.rows if row[11:] not in _EMPTY_CELLS]
        if self.kind is Kind.GRAPH:
            shown = [len(cell.partition(".")[2]) for cell in cells]
            return max(shown, default=_FEWEST_DECIMALS)
        return max((len(c.partition(".")[2].rstrip("0")) for c in cells), default=0)

    def day_of(self, row: str) -> date:
        """Return the day of a row."""
        cells = row.split(",", _DAY_CELL + 1)
        return date.fromisoformat(cells[_DAY_CELL if self.kind is Kind.CFTC else 0])

    def at(self, day: date, *, contract: str | None = None) -> int:
        """Return where the first row of `day` is, in a CFTC file of that contract.

        Raises:
            ValueError: There is none.
        """
        for i, row in enumerate(self.rows):
            if self.day_of(row) == day and contract in {None, self._contract(row)}:
                return i
        what = f"{day}" if contract is None else f"{day} and {contract}"
        msg = f"expected a row for {what}; found none in {len(self.rows)} rows"
        raise ValueError(msg)

    def _contract(self, row: str) -> str | None:
        return row.split(",", 4)[_CODE_CELL] if self.kind is Kind.CFTC else None

    def numbers(self, row: str) -> list[float] | None:
        """Return four prices and the volume, or one value; None for an empty row.

        Prices are on the tick.

        Raises:
            ValueError: The file has neither bars nor values.
        """
        cells = row.split(",")[1:]
        if self.kind.has_values:
            return None if cells[0] in _EMPTY_CELLS else [float(cells[0])]
        if not self.kind.has_bars:
            msg = f"expected a file of bars or of values; found {self.head[1][:80]!r}"
            raise ValueError(msg)
        if cells[0] in _EMPTY_CELLS:
            return None
        prices = [on_tick(float(cell), steps=self.steps) for cell in cells[:4]]
        return [*prices, float(cells[-1])]

    def row_from(self, numbers: Sequence[float], *, day: date) -> str:
        """Return the row of `day` with such numbers, rounded as the file rounds."""
        if self.kind is Kind.GRAPH:
            return fred_row(day, numbers[0], decimals=self.decimals)
        if self.kind is Kind.FLOATS:
            return float_row(day, round(numbers[0], self.decimals))
        start, high, low, close = (on_tick(n, steps=self.steps) for n in numbers[:4])
        bar = Bar(start, high, low, close, int(numbers[4]))
        is_download = self.kind is Kind.YAHOO
        return yahoo_row(day, bar) if is_download else yfinance_row(day, bar)


def cells_of(row: str) -> list[str]:
    """Return the cells of a row as they are written, quotes and blanks included."""
    return _COMMA.split(row)


def _prices(row: str) -> list[float]:
    cells = row.split(",")[1:5]
    return [] if cells[0] in _EMPTY_CELLS else [float(cell) for cell in cells]
