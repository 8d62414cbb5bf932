"""Yahoo price files as scripts save them: all digits, and empty cells for no price.

It never rounds a digit away, and takes no file with several tickers for one of them.
"""

from __future__ import annotations

import re

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.bars import Layout, bars_of, cells_of, named, read
from handlers.ingest.lines import COUNT, NUMBER, body_of, has_columns
from handlers.ingest.table import table_of

_SAVED = ("date", "open", "high", "low", "close", "volume")
_COLUMNS = {**dict.fromkeys(_SAVED[1:-1], NUMBER), "volume": COUNT}
_IS_SAVED = has_columns(*_SAVED)

_HISTORY = ("Date", "Open", "High", "Low", "Close", "Volume")
_EVENTS = (*_HISTORY, "Dividends", "Stock Splits")
_FUND = (*_EVENTS, "Capital Gains")
_IS_HISTORY = named(*_HISTORY)
_HEADERS = tuple(map(",".join, (_HISTORY, _EVENTS, _FUND)))
_TIME = re.compile(r"[ T]00:00:00(?:\.0+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?$")

_LEVELS = ("Price", "Close", "High", "Low", "Open", "Volume")
_ADJUSTED = ("Price", "Adj Close", *_LEVELS[1:])
_LEVEL_HEADERS = tuple(map(",".join, (_LEVELS, _ADJUSTED)))
_FUTURE = re.compile(r"([A-Z]{1,3})=F")


def _date_alone(cell: str) -> str:
    """Take off the midnight that pandas writes, in whatever zone: the day is local."""
    return _TIME.sub("", cell)


_NAMES = {name.lower(): name for name in _HISTORY}
_LAYOUT = Layout(_NAMES, tidy=_date_alone)


def _has_events(header: str) -> bool:
    return named(*_EVENTS)(header) or named(*_FUND)(header)


def _is_level(header: str) -> bool:
    names = cells_of(header)
    return names[:1] == ["Price"] and set(names) in (set(_LEVELS), set(_ADJUSTED))


@source("yfinance", headers=(",".join(_SAVED),), recognises=_IS_SAVED)
def yfinance(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file, cells as written."""
    _, lines = body_of(data, _IS_SAVED, expected=",".join(_SAVED))
    rows = table_of(lines, columns=_COLUMNS, nulls=("",))
    return rows.with_columns(pl.col("volume").str.replace(r"\.0+$", "")).select(
        pl.lit(symbol, pl.String).alias("symbol"), pl.all()
    )


@source("yfinance", headers=_HEADERS[:1], recognises=_IS_HISTORY)
def yfinance_history(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of what `download` wrote for one symbol, as older versions did."""
    return bars_of(data, symbol, _LAYOUT, recognises=_IS_HISTORY, expected=_HEADERS[0])


@source("yfinance", headers=_HEADERS[1:], recognises=_has_events)
def yfinance_events(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of what `history` wrote for one symbol; its events are not taken."""
    return bars_of(
        data,
        symbol,
        _LAYOUT,
        recognises=_has_events,
        expected=" or ".join(_HEADERS[1:]),
    )


@source("yfinance", headers=_LEVEL_HEADERS, recognises=_is_level)
def yfinance_levels(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of what `download` writes today, under two or three headers.

    Raises:
        BadInput: it holds several tickers, or that of another future.
    """
    expected = " or ".join(_LEVEL_HEADERS)
    header, lines = body_of(data, _is_level, expected=expected)
    more = pl.col("text").str.contains(r"^(Ticker|Date),")
    top = lines.head(2).filter(more)
    for text in top["text"]:
        cells = cells_of(text)
        if cells[0] == "Ticker":
            _one_ticker(cells[1:], symbol)
    names = {**_NAMES, "date": "Price"}
    if "Adj Close" in cells_of(header):
        names["adj_close"] = "Adj Close"
    below = lines.filter(~pl.col("line").is_in(top["line"].to_list()))
    rows = read(header, below, Layout(names, tidy=_date_alone))
    return rows.select(pl.lit(symbol, pl.String).alias("symbol"), pl.all())


def _one_ticker(tickers: list[str], symbol: str | None) -> None:
    """Refuse a file that is about several tickers, or about another future."""
    found = sorted(set(tickers))
    if len(found) != 1:
        msg = f"expected one ticker in the file; found {', '.join(found)}"
        raise BadInput(msg)
    future = _FUTURE.fullmatch(found[0])
    if future and symbol not in (None, future[1]):
        msg = f"the file is about {found[0]}; it was handed in as {symbol}"
        raise BadInput(msg)
