"""Yahoo price files as the site wrote them until 2024, and copies of its web page.

It never drops a null row: old files hold the word null for a day without a price, and
that the site named the day is a fact. Dividends in a copied page are no bars.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cbi_stream import source
from handlers.ingest import days
from handlers.ingest.bars import Layout, bars_of, cells_of, is_blank
from handlers.ingest.lines import NUMBER, WHOLE, body_of, has_columns
from handlers.ingest.table import table_of

_HEADER = ("Date", "Open", "High", "Low", "Close", "Adj Close", "Volume")
_PRICES = ("open", "high", "low", "close", "adj_close")
_COLUMNS = {**dict.fromkeys(_PRICES, NUMBER), "volume": WHOLE}
_IS_HEADER = has_columns(*_HEADER)
_TAB = "\t"
_EVENTS = ("Dividend", "Stock Split", "Stock Splits", "Capital Gain")


@source("yahoo", headers=(",".join(_HEADER),), recognises=_IS_HEADER)
def yahoo(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file, cells as written.

    The site writes no line end behind its last line, so a file that was cut in the last
    number looks whole: that one cell, a volume, is not believed and left empty.
    """
    _, lines = body_of(data, _IS_HEADER, expected=",".join(_HEADER))
    rows = table_of(lines, columns=_COLUMNS, nulls=("null", ""))
    if data[-1:] not in (b"\n", b"\r"):
        last = pl.int_range(pl.len()) == pl.len() - 1
        doubted = last & pl.col("problem").is_null() & (pl.col("volume") != "null")
        rows = rows.with_columns(
            volume=pl.when(doubted).then(pl.lit("")).otherwise("volume")
        )
    return rows.select(pl.lit(symbol, pl.String).alias("symbol"), pl.all())


def _is_page(header: str) -> bool:
    """Return whether a line is the head of the page's table, footnotes and all."""
    names = [name.rstrip("*") for name in cells_of(header, _TAB)]
    return _TAB in header and sorted(names) == sorted(_HEADER)


def _is_event(cells: Sequence[str]) -> bool:
    return is_blank(cells) or (len(cells) > 1 and cells[1].endswith(_EVENTS))


@source("yahoo", headers=(_TAB.join(_HEADER),), recognises=_is_page)
def yahoo_page(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of a table that was copied from the web page."""
    expected = _TAB.join(_HEADER)
    header, _ = body_of(data, _is_page, expected=expected)
    names = {
        name.rstrip("*").lower().replace(" ", "_"): name
        for name in cells_of(header, _TAB)
    }
    layout = Layout(
        names,
        (days.NAMED, days.ISO),
        ("", "-", "null"),
        separator=_TAB,
        passed=_is_event,
    )
    return bars_of(data, symbol, layout, recognises=_is_page, expected=expected)
