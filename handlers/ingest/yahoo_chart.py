"""Yahoo's chart answers (v8): daily bars of one symbol, as arrays beside their stamps.

A day is that of the exchange, by the name of its zone. An entry without a close is a gap
of the feed and no bar; a bar that still trades is marked, and never taken for finished.
The close is what was paid: that of dividends is kept beside it and never staged.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.packed import json_of

_IS_CHART = re.compile(r'"chart"\s*:\s*(?:null|\{\s*"(?:result|error)")')
_SYMBOL = re.compile(r'"symbol"\s*:\s*"([^"]+)"')
_CELLS = ("open", "high", "low", "close", "volume")
_STARTS = (time(0, 0), time(9, 30))
"""When the bars of a day are stamped, in the exchange's zone; 9:30 on shortened days."""
_DAILY = "1d"
_SATURDAY = 5
_SCHEMA = {
    "symbol": pl.String,
    "date": pl.Date,
    **dict.fromkeys((*_CELLS, "adj_close"), pl.String),
    "live": pl.Boolean,
    "line": pl.Int64,
    "problem": pl.String,
    "text": pl.String,
}


def _symbol_in(head: str) -> str | None:
    match = _SYMBOL.search(head)
    return match[1] if match else None


def field_of(content: Any, name: str, *, where: str) -> Any:
    """Return a field of an object of the answer.

    Raises:
        BadInput: it has no such field: it was renamed, or this is no chart.
    """
    if isinstance(content, dict) and name in content:
        return content[name]
    held = ", ".join(content) if isinstance(content, dict) else repr(content)[:40]
    msg = f"expected the field {name!r} in {where}; found {held or 'none'}"
    raise BadInput(msg)


@source(
    "yahoo",
    headers=('{"chart":{"result":[...],"error":null}}',),
    recognises=lambda head: _IS_CHART.search(head) is not None,
    key_of=_symbol_in,
    form="json",
)
def yahoo_chart(data: bytes, symbol: str | None) -> pl.DataFrame:
    """Return the bars of one symbol.

    Raises:
        BadInput: it holds an error, other bars than daily ones, or other fields.
    """
    chart = field_of(json_of(data), "chart", where="the answer")
    results = chart and chart.get("result")
    if not results:
        msg = f"expected a chart; found the error {chart and chart.get('error')}"
        raise BadInput(msg)
    rows = _rows(results[0])
    whole = [{**row, "symbol": symbol, "problem": None, "text": None} for row in rows]
    return pl.DataFrame(whole, schema=_SCHEMA)


def _rows(result: Any) -> list[dict[str, Any]]:
    """Return the rows of a chart, one a day: of two the last."""
    meta = field_of(result, "meta", where="the chart's result")
    zone = field_of(meta, "exchangeTimezoneName", where="meta")
    grain = meta.get("dataGranularity", _DAILY)
    if grain != _DAILY:
        msg = f"expected bars of {_DAILY}; found bars of {grain}: ask with interval=1d"
        raise BadInput(msg)
    quotes = field_of(
        field_of(result, "indicators", where="the result"), "quote", where="indicators"
    )
    if not result.get("timestamp") and not any(quotes):
        return []
    stamps = [int(s) for s in field_of(result, "timestamp", where="the chart's result")]
    arrays = _arrays(result, quotes, len(stamps))
    here = [datetime.fromtimestamp(s, UTC).astimezone(_zone(zone)) for s in stamps]
    last = _is_live(here, str(meta.get("regularMarketTime")) == str(stamps[-1]))
    rows = {}
    for i, moment in enumerate(here):
        cells = {name: _cell(array[i]) for name, array in arrays.items()}
        if cells["close"] is not None:
            live = last and i == len(here) - 1
            day = _trade_date(moment.date(), live=live)
            rows[day] = {"date": day, **cells, "live": live, "line": i + 1}
    return [rows[day] for day in sorted(rows)]


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"exchangeTimezoneName: expected a time zone's name; found {name!r}"
        raise BadInput(msg) from None


def _trade_date(day: date, *, live: bool) -> date:
    """Return the session of a bar: what trades on Sunday evening is Monday's."""
    if live and day.weekday() >= _SATURDAY:
        return day + timedelta(days=7 - day.weekday())
    return day


def _arrays(result: Any, quotes: Any, count: int) -> dict[str, list[Any]]:
    arrays = {name: field_of(quotes[0], name, where="quote") for name in _CELLS}
    adjusted = result["indicators"].get("adjclose")
    if adjusted and "adjclose" in adjusted[0]:
        arrays["adj_close"] = adjusted[0]["adjclose"]
    for name, array in arrays.items():
        if len(array) != count:
            msg = f"expected {count} entries in {name}, as in timestamp; found {len(array)}"
            raise BadInput(msg)
    return arrays


def _is_live(here: list[datetime], at_last_trade: bool) -> bool:
    """Return whether the last bar is stamped at its last trade instead of its start."""
    *before, last = (moment.time() for moment in here)
    return at_last_trade or last not in {*_STARTS, *before}


def _cell(value: Any) -> str | None:
    """Return a number as plain text: JSON may write a small one with an exponent."""
    if value is None:
        return None
    text = str(value)
    if not re.fullmatch(r"-?[0-9.]+[eE][-+]?[0-9]{1,2}", text):
        return text
    return format(Decimal(text), "f")
