"""Yahoo's chart answers (v8): daily bars of 55 symbols, as arrays beside their stamps.

It never asks for a key, and never shows a session's bar as final before it is.

What is odd about the source, and kept: any cell may be null; a window without rows has
no `timestamp` at all; a futures bar is stamped at midnight in New York, on shortened
days at 9:30; a session that has not settled is a last row stamped at the last trade,
and in the evening there are two rows of one date. Stocks, indices and funds are stamped
at 9:30, currencies at midnight in London. Prices are 32-bit floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from cbi_stream.replay.sites import (
    Question,
    Reply,
    Site,
    json_reply,
    no_such_page,
    text_reply,
)
from cbi_stream.replay.world import World

_CHART: Final = "/v8/finance/chart/"
_NEW_YORK: Final = ZoneInfo("America/New_York")
_LONDON: Final = ZoneInfo("Europe/London")
_EPOCH: Final = date(1970, 1, 2)
_OPENING: Final = time(9, 30)
_SETTLEMENT, _CLOSE = time(14, 20), time(16)
_EVENING: Final = time(20, 0)  # New York: grains trade again, for the next session
_PRICES: Final = ("open", "high", "low", "close")
_RANGES: Final = {
    "1d": 0,
    "5d": 6,
    "1mo": 30,
    "3mo": 92,
    "6mo": 183,
    "1y": 366,
    "2y": 731,
    "5y": 1827,
    "10y": 3653,
    "ytd": None,
    "max": None,
}
_EXCHANGES: Final = {
    "CBT": "ZL ZS ZM ZC ZW",
    "NYM": "CL BZ HO RB NG PL",
    "CMX": "GC SI HG",
    "NYB": "CC CT KC SB DX-Y.NYB",
}
_IN_CENTS: Final = frozenset({"ZL", "ZS", "ZC", "ZW", "CT", "KC", "SB"})
# What an instrument is: how the site writes its name, and the names without that.
_KINDS: Final = {
    "FUTURE": ("{}=F", "ZL ZS ZM ZC ZW CL BZ HO RB NG CC CT KC SB GC SI HG PL"),
    "INDEX": ("^{}", "GSPC DJI IXIC VIX TNX TYX FVX IRX"),
    "CURRENCY": (
        "{}=X",
        "EURUSD GBPUSD JPYUSD AUDUSD CADUSD CNYUSD BRLUSD MXNUSD",
    ),
    "EQUITY": ("{}", "ADM BG CF DE AGCO MOS NTR DAR TSN GPRE REX"),
    "ETF": ("{}", "CORN SOYB WEAT VEGI ICLN TAN TLT HYG LQD"),
}
SYMBOLS: Final = {
    written.format(name): (name, kind)
    for kind, (written, names) in _KINDS.items()
    for name in names.split()
} | {"DX-Y.NYB": ("DXY", "INDEX")}
"""What the site calls a symbol: what this project calls it, and what it is."""

Cells = dict[str, float | int | None]


@dataclass(frozen=True, slots=True)
class _Row:
    """One row: its stamp and its cells."""

    stamp: int
    cells: Cells


def answer(question: Question, world: World) -> Reply:
    """Return the chart of one symbol, or what the site says instead."""
    symbol = question.path.removeprefix(_CHART)
    if symbol == question.path:
        return no_such_page(question)
    if symbol not in SYMBOLS:
        return _error(404, "Not Found", "No data found, symbol may be delisted")
    interval = question.param("interval", "1d")
    if interval != "1d":
        said = f"{interval} data not available: The requested range must be within"
        return _error(422, "Unprocessable Entity", f"{said} the last 60 days.")
    try:
        first, last = _window(question, world)
    except (ValueError, OverflowError):
        return _error(400, "Bad Request", "Invalid input - period1, period2 or range")
    if first > last:
        said = f"Data doesn't exist for startDate = {first}, endDate = {last}"
        return _error(400, "Bad Request", said)
    return json_reply({"chart": {"result": [_result(question, world)], "error": None}})


def empty(question: Question) -> Reply:
    """Return a chart without rows: `timestamp` is not there at all."""
    symbol = question.path.removeprefix(_CHART)
    meta = _meta_of(symbol if symbol in SYMBOLS else "ZL=F")
    result = {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    return json_reply({"chart": {"result": [result], "error": None}})


def consent(_: Question) -> Reply:
    """Return the page that Europeans see instead of data, with status 200."""
    page = (
        '<!DOCTYPE html><html lang="en"><head><title>Yahoo is part of the Yahoo family '
        'of brands</title></head><body><form action="https://consent.yahoo.com/v2/'
        'collectConsent" method="post"><button name="agree">Accept all</button></form>'
        "</body></html>\n"
    )
    return text_reply(page, content_type="text/html")


SITE: Final = Site(
    hosts=("query1.finance.yahoo.com", "query2.finance.yahoo.com"),
    answer=answer,
    empty=empty,
    too_many=lambda _: text_reply("Too Many Requests\r\n", status=429),
    page=consent,
)


def _error(status: int, code: str, said: str) -> Reply:
    error = {"code": code, "description": said}
    return json_reply({"chart": {"result": None, "error": error}}, status=status)


def _window(question: Question, world: World) -> tuple[int, int]:
    """Return the first second and the one after the last.

    Raises:
        ValueError: the question does not say a window.
    """
    if question.param("period1") or question.param("period2"):
        end = question.param("period2") or str(int(world.now.timestamp()) + 1)
        return int(question.param("period1") or 0), int(end)
    span = question.param("range", "1d")
    if span not in _RANGES:
        raise ValueError(span)
    days = _RANGES[span]
    start = date(world.today.year, 1, 1) if span == "ytd" else _EPOCH
    if days is not None:
        start = world.today - timedelta(days=days)
    midnight = datetime.combine(start, time(), _NEW_YORK)
    return int(midnight.timestamp()), int(world.now.timestamp()) + 1


def _result(question: Question, world: World) -> dict[str, Any]:
    symbol = question.path.removeprefix(_CHART)
    first, last = _window(question, world)
    rows = _rows(symbol, world)
    shown = [row for row in rows if first <= row.stamp < last]
    meta = _meta_of(symbol) | _meta_now(rows, world, kind=SYMBOLS[symbol][1])
    before = [row for row in rows if row.stamp < first and row.cells["close"]]
    if before:
        meta["chartPreviousClose"] = before[-1].cells["close"]
    meta["range"] = "" if question.param("period1") else question.param("range", "1d")
    if not shown:
        return {"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}}
    quote = {name: [row.cells[name] for row in shown] for name in (*_PRICES, "volume")}
    return {
        "meta": meta,
        "timestamp": [row.stamp for row in shown],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }


def _rows(symbol: str, world: World) -> list[_Row]:
    """Return all rows up to the world's moment, the unfinished one last."""
    name, kind = SYMBOLS[symbol]
    frame = world.bars(name, first=date.min, last=world.today)
    rows = [
        _Row(_stamp(cells["date"], kind), _cells(cells))
        for cells in frame.iter_rows(named=True)
    ]
    here = world.now.astimezone(_NEW_YORK)
    session = None
    if not world.has_settled(here.date()):
        session = here.date()
    elif here.time() >= _EVENING and kind == "FUTURE":
        session = here.date() + timedelta(days=1)
    if session is not None and (bar := world.unfinished(name, session)):
        live = {cell: getattr(bar, cell) for cell in (*_PRICES, "volume")}
        rows.append(_Row(int(world.now.timestamp()), _cells(live)))
    return rows


def _cells(cells: dict[str, Any]) -> Cells:
    # The source stores 32-bit floats: 16.94 comes as 16.940000534057617.
    found: Cells = {
        name: None if cells[name] is None else float(np.float32(cells[name]))
        for name in _PRICES
    }
    return found | {"volume": cells["volume"]}


def _stamp(session: date, kind: str) -> int:
    clock = time()
    if kind not in {"FUTURE", "CURRENCY"} or (kind == "FUTURE" and _is_short(session)):
        clock = _OPENING
    return int(datetime.combine(session, clock, _zone(kind)).timestamp())


def _is_short(session: date) -> bool:
    """Whether trade ends at noon: around Independence Day, Thanksgiving, Christmas."""
    if (session.month, session.day) in {(7, 3), (12, 24)}:
        return True
    thanksgiving = session - timedelta(days=1)
    is_fourth = 22 <= thanksgiving.day <= 28 and thanksgiving.weekday() == 3
    return thanksgiving.month == 11 and is_fourth


def _meta_of(symbol: str) -> dict[str, Any]:
    """Return what is known of a symbol at any time."""
    name, kind = SYMBOLS[symbol]
    listed = name if kind == "FUTURE" else symbol
    exchange = next((e for e, held in _EXCHANGES.items() if listed in held.split()), "")
    exchange = exchange or {"CURRENCY": "CCY", "ETF": "PCX"}.get(kind, "NYQ")
    return {
        "currency": "USX" if kind == "FUTURE" and name in _IN_CENTS else "USD",
        "symbol": symbol,
        "exchangeName": exchange,
        "fullExchangeName": exchange,
        "instrumentType": kind,
        "hasPrePostMarketData": kind in {"EQUITY", "ETF"},
        "exchangeTimezoneName": _zone(kind).key,
        "shortName": name,
        "priceHint": 4 if kind == "CURRENCY" else 2,
        "dataGranularity": "1d",
        "range": "",
        "validRanges": list(_RANGES),
    }


def _meta_now(rows: list[_Row], world: World, *, kind: str) -> dict[str, Any]:
    """Return what changes from moment to moment."""
    here = world.now.astimezone(_zone(kind))
    offset = int((here.utcoffset() or timedelta()).total_seconds())
    traded = [row for row in rows if row.cells["close"] is not None]
    meta: dict[str, Any] = {
        "gmtoffset": offset,
        "timezone": here.tzname(),
        "currentTradingPeriod": _periods(here, offset),
    }
    if not traded:
        return meta
    last, year = traded[-1], int((world.now - timedelta(days=365)).timestamp())
    lately = [row.cells for row in traded if row.stamp >= year] or [last.cells]
    return meta | {
        "firstTradeDate": traded[0].stamp,
        "regularMarketTime": _last_trade(last, world, kind),
        "regularMarketPrice": last.cells["close"],
        "fiftyTwoWeekHigh": max(cells["high"] or 0.0 for cells in lately),
        "fiftyTwoWeekLow": min(cells["low"] or 0.0 for cells in lately),
        "regularMarketDayHigh": last.cells["high"],
        "regularMarketDayLow": last.cells["low"],
        "regularMarketVolume": last.cells["volume"],
    }


def _last_trade(last: _Row, world: World, kind: str) -> int:
    """Return when the last row last traded: now, or at the close of its session."""
    if last.stamp == int(world.now.timestamp()):
        return last.stamp
    session = datetime.fromtimestamp(last.stamp, _zone(kind)).date()
    close = _SETTLEMENT if kind == "FUTURE" else _CLOSE
    return int(datetime.combine(session, close, _NEW_YORK).timestamp())


def _zone(kind: str) -> ZoneInfo:
    return _LONDON if kind == "CURRENCY" else _NEW_YORK


def _periods(here: datetime, offset: int) -> dict[str, Any]:
    midnight = datetime.combine(here.date(), time(), here.tzinfo)
    start, zone = int(midnight.timestamp()), here.tzname()
    end = start + 86_340
    spans = {"pre": (start, start), "regular": (start, end), "post": (end, end)}
    return {
        name: {"timezone": zone, "start": a, "end": b, "gmtoffset": offset}
        for name, (a, b) in spans.items()
    }
