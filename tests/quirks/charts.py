"""Yahoo's charts as the site writes them, made by hand. It never asks the site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

NEW_YORK = "America/New_York"
MIDNIGHT = 1672722000  # 2023-01-03 00:00 in New York
SHORT_DAY = 1688391000  # 2023-07-03 09:30 in New York
EVENING = 1766453650  # 2025-12-22 20:34 in New York, the last trade


def chart(
    *rows: tuple[int, float | None],
    symbol: str = "ZL=F",
    zone: str = NEW_YORK,
    last_trade: int | None = None,
    **more: Any,
) -> bytes:
    """Return a chart: stamps and closes; every price of a row is its close."""
    closes = [close for _, close in rows]
    names = ("open", "high", "low", "close")
    quote: dict[str, Sequence[Any]] = dict.fromkeys(names, closes)
    quote["volume"] = [None if close is None else 1000 for close in closes]
    meta: dict[str, Any] = {
        "currency": "USX",
        "symbol": symbol,
        "instrumentType": "FUTURE",
        "regularMarketTime": last_trade or 1,
        "exchangeTimezoneName": zone,
        "dataGranularity": "1d",
    }
    result = {
        "meta": meta,
        "timestamp": [stamp for stamp, _ in rows],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": closes}]},
        **more,
    }
    return answer(result)


def answer(result: dict[str, Any] | None, error: dict[str, str] | None = None) -> bytes:
    """Return an answer that holds this result or error."""
    held = None if result is None else [result]
    return json.dumps({"chart": {"result": held, "error": error}}).encode()


def without_rows(symbol: str = "ZL=F") -> bytes:
    """Return the chart of a window without rows: no stamps at all."""
    meta = {"symbol": symbol, "exchangeTimezoneName": NEW_YORK, "dataGranularity": "1d"}
    return answer({"meta": meta, "indicators": {"quote": [{}], "adjclose": [{}]}})


def unknown() -> bytes:
    """Return what the site says of a symbol that it does not know."""
    said = "No data found, symbol may be delisted"
    return answer(None, {"code": "Not Found", "description": said})
