"""Stooq's price files: one symbol's history, or a part of its bulk archive.

Its refusals come with status 200 and are no files of it: no header, no data. It never
takes a bar of minutes for one of a day.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest import days
from handlers.ingest.bars import Layout, bars_of, cells_of, named
from handlers.ingest.lines import body_of

_HISTORY = ("Date", "Open", "High", "Low", "Close", "Volume")
_BULK = (
    "<TICKER>", "<PER>", "<DATE>", "<TIME>", "<OPEN>", "<HIGH>", "<LOW>", "<CLOSE>",
    "<VOL>", "<OPENINT>",
)  # fmt: skip
_IS_HISTORY, _IS_BULK = named(*_HISTORY), named(*_BULK)
_IS_BARE = named(*_HISTORY[:-1])
_PRICES = {
    "date": "Date",
    "open": "Open",
    "high": "High",
    "low": "Low",
    "close": "Close",
}
_BULK_NAMES = {
    "date": "<DATE>", "open": "<OPEN>", "high": "<HIGH>", "low": "<LOW>",
    "close": "<CLOSE>", "volume": "<VOL>", "open_interest": "<OPENINT>",
}  # fmt: skip
_DAILY = "D"


@source("stooq", headers=(",".join(_HISTORY),), recognises=_IS_HISTORY)
def stooq(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file."""
    layout = Layout({**_PRICES, "volume": "Volume"})
    return bars_of(
        data, symbol, layout, recognises=_IS_HISTORY, expected=",".join(_HISTORY)
    )


@source("stooq", headers=(",".join(_HISTORY[:-1]),), recognises=_IS_BARE)
def stooq_bare(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file without volumes."""
    return bars_of(
        data,
        symbol,
        Layout(_PRICES),
        recognises=_IS_BARE,
        expected=",".join(_HISTORY[:-1]),
    )


def _begins_bulk(head: str) -> bool:
    return _IS_BULK(head.split("\n", 1)[0].rstrip("\r"))


# Its first byte is that of XML, so that is the form in which it comes here.
@source("stooq", headers=(",".join(_BULK),), recognises=_begins_bulk, form="xml")
def stooq_bulk(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file of the bulk archive.

    Raises:
        BadInput: it holds several symbols, or bars of minutes.
    """
    header, lines = body_of(data, _IS_BULK, expected=",".join(_BULK))
    names = cells_of(header)
    cut = [cells_of(text) for text in lines["text"]]
    for name, what in (("<TICKER>", "one symbol"), ("<PER>", "bars of days")):
        at = names.index(name)
        found = sorted({cells[at] for cells in cut if len(cells) == len(names)})
        if len(found) > 1 or (name == "<PER>" and found not in ([], [_DAILY])):
            msg = f"expected {what} in the file; found {', '.join(found[:5])} in {name}"
            raise BadInput(msg)
    layout = Layout(_BULK_NAMES, (days.PACKED,))
    return bars_of(data, symbol, layout, recognises=_IS_BULK, expected=",".join(_BULK))
