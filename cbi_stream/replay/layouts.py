"""The layouts that real sources write: marks, headers, and the text of a row.

It never draws a value, and never reads a file that no source here would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from enum import Enum
from typing import Final

import numpy as np

from cbi_stream.replay.bars import Bar

MARK: Final = "# SIMULATED by cbi-stream"
YAHOO_HEADER: Final = "Date,Open,High,Low,Close,Adj Close,Volume"
YFINANCE_HEADER: Final = "date,open,high,low,close,volume"

_GRAPH: Final = re.compile(r"(?:observation_date|DATE),[A-Z0-9]+")


class Kind(Enum):
    """A layout, told by its header."""

    YAHOO = "Yahoo download: six decimals, the word null"
    YFINANCE = "Yahoo prices as a script saves them: all digits, empty cells"
    GRAPH = "fredgraph.csv: a date and a series, fixed decimals"
    FLOATS = "FRED as a script saves it: a date and a value, as Python prints it"
    CFTC = "CFTC legacy year file: 129 columns, padded"

    @property
    def has_bars(self) -> bool:
        """Whether a row is a bar."""
        return self in {Kind.YAHOO, Kind.YFINANCE}

    @property
    def has_values(self) -> bool:
        """Whether a row is a date and one value."""
        return self in {Kind.GRAPH, Kind.FLOATS}


def kind_of(header: str) -> Kind:
    """Return the layout that a header line tells.

    Raises:
        ValueError: No source here writes such a header.
    """
    fixed = {YAHOO_HEADER: Kind.YAHOO, YFINANCE_HEADER: Kind.YFINANCE}
    if header in fixed:
        return fixed[header]
    if header in {"Date,Value", "date,value"}:
        return Kind.FLOATS
    if _GRAPH.fullmatch(header):
        return Kind.GRAPH
    if header.startswith('"Market and Exchange Names",'):
        return Kind.CFTC
    msg = f"expected the header of a simulated source; found {header[:80]!r}"
    raise ValueError(msg)


def is_simulated(data: bytes) -> bool:
    """Whether the file's first line carries the mark."""
    return data.startswith(MARK.encode())


def mark_line(seed: int) -> str:
    """Return the first line of every simulated file."""
    return f"{MARK}: no real market data, seed {seed}"


def file_text(header: str, rows: Iterable[str], *, seed: int) -> str:
    """Return mark, header and rows; each line ends with a newline."""
    return "\n".join([mark_line(seed), header, *rows, ""])


def yahoo_text(days: Sequence[date], bars: Sequence[Bar | None], *, seed: int) -> str:
    """Return the text of a Yahoo download, one row per day."""
    rows = [yahoo_row(day, bar) for day, bar in zip(days, bars, strict=True)]
    # The source ends its last line without a newline.
    return "\n".join([mark_line(seed), YAHOO_HEADER, *rows])


def yahoo_row(day: date, bar: Bar | None) -> str:
    """Return a line of the Yahoo download; a row of the word null for no bar."""
    if bar is None:
        return f"{day.isoformat()}," + ",".join(["null"] * 6)
    prices = (bar.open, bar.high, bar.low, bar.close, bar.close)
    # The source stores 32-bit floats and prints six decimals: 16.94 is 16.940001.
    cells = [f"{float(np.float32(price)):.6f}" for price in prices]
    return ",".join([day.isoformat(), *cells, str(bar.volume)])


def yfinance_row(day: date, bar: Bar | None, *, volume: int = 0) -> str:
    """Return a line as a script saves it: 16.94 is 16.940000534057617.

    Without a bar the prices are empty and only the `volume` stands, as in the source.
    """
    if bar is None:
        return f"{day.isoformat()},,,,,{volume}"
    prices = (bar.open, bar.high, bar.low, bar.close)
    cells = [repr(float(np.float32(price))) for price in prices]
    return ",".join([day.isoformat(), *cells, str(bar.volume)])


def fred_row(day: date, value: float | None, *, decimals: int = 2) -> str:
    """Return a line of fredgraph.csv; an empty cell for no value."""
    return f"{day.isoformat()}," + ("" if value is None else f"{value:.{decimals}f}")


def float_row(day: date, value: float | None) -> str:
    """Return a line as a script saves it: 3.40 is 3.4, and 29923 is 29923.0."""
    # Adding 0.0 turns -0.0, which no source prints, into 0.0.
    return f"{day.isoformat()}," + ("" if value is None else repr(value + 0.0))
