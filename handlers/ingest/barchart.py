"""Barchart's price history: one symbol, newest day first, a footer under it.

Bars of minutes are refused, and a list of contracts is none of its files. The open
interest of the newest day is not out yet: Barchart writes 0, and no 0 of that day is kept.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest import days
from handlers.ingest.bars import Layout, bars_of, cells_of, is_blank

_FIXED = {"Time", "Open", "High", "Low", "Change", "%Change", "Volume"}
_CLOSE = ("Last", "Latest")
_OPEN_INTEREST = "Open Int"
_HEADERS = (
    'Time,Open,High,Low,Last,Change,%Change,Volume,"Open Int"',
    "Time,Open,High,Low,Latest,Change,%Change,Volume",
)
_FOOTER = "Downloaded from Barchart.com"
_MINUTES = re.compile(r"^\"?[0-9/-]{8,10} [0-9]{2}:[0-9]{2}", re.M)
_NULLS = ("", "N/A")


def _is_header(header: str) -> bool:
    names = set(cells_of(header))
    return (
        names >= _FIXED
        and len(names & set(_CLOSE)) == 1
        and names <= _FIXED | {*_CLOSE, _OPEN_INTEREST}
    )


def _passed(cells: Sequence[str]) -> bool:
    return is_blank(cells) or cells[0].startswith(_FOOTER)


def _layout(header: str) -> Layout:
    names = cells_of(header)
    last = next(name for name in _CLOSE if name in names)
    plain = {"date": "Time", "open": "Open", "high": "High", "low": "Low"}
    plain |= {"close": last, "volume": "Volume"}
    if _OPEN_INTEREST in names:
        plain["open_interest"] = _OPEN_INTEREST
    dates = (days.ISO, days.MONTH_FIRST, days.DAY_FIRST)
    return Layout(plain, dates, _NULLS, passed=_passed)


@source("barchart", headers=_HEADERS, recognises=_is_header)
def barchart(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the lines of one symbol's file.

    Raises:
        BadInput: its bars are those of minutes.
    """
    text = data.decode("utf-8-sig", errors="replace").replace("\r", "\n")
    minutes = _MINUTES.search(text)
    if minutes:
        msg = (
            f"expected a bar a day; found bars of minutes, like {minutes[0]!r}: download "
            "the daily history"
        )
        raise BadInput(msg)
    lines = [line for line in text.split("\n") if line.strip()]
    header = next((line for line in lines if not line.startswith("#")), "")
    layout = _layout(header) if _is_header(header) else Layout({"date": "Time"})
    rows = bars_of(
        data, symbol, layout, recognises=_is_header, expected=" or ".join(_HEADERS)
    )
    if "open_interest" not in rows.columns:
        return rows
    newest = pl.col("date") == pl.col("date").max()
    unpublished = newest & (pl.col("open_interest") == "0")
    return rows.with_columns(
        open_interest=pl.when(unpublished).then(pl.lit("")).otherwise("open_interest")
    )
