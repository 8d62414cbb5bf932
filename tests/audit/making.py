"""Makes small clean tables of prices and weather, and has them judged.

Nothing here is a true price, and no file is written.
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from cbi_stream.audit.sheet import laid_out
from cbi_stream.audit.verdict import Judged, judged
from cbi_stream.registry import loader

SESSIONS = loader.load(Path(__file__).resolve().parents[2] / "registry").sessions
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sessions(n: int, *, first: date = date(2015, 1, 2)) -> list[date]:
    """Return so many sessions of the trading calendar from a day on."""
    start = SESSIONS.days.index(SESSIONS.on_or_after(first))
    return list(SESSIONS.days[start : start + n])


def wave(n: int, *, level: float = 30.0, seed: int = 0) -> list[float]:
    """Return values that move on every row, by a percent or so, and never jump."""
    return [
        round(level * (1 + 0.1 * math.sin(i / 17 + seed) + 0.01 * math.sin(i * 2.3)), 4)
        for i in range(n)
    ]


def bars(n: int = 300, *, level: float = 30.0) -> pl.DataFrame:
    """Return clean daily bars."""
    close = wave(n, level=level)
    opened = [close[0], *close[:-1]]
    return pl.DataFrame(
        {
            "date": sessions(n),
            "open": opened,
            "high": [
                round(max(a, b) * 1.004, 4) for a, b in zip(opened, close, strict=True)
            ],
            "low": [
                round(min(a, b) * 0.996, 4) for a, b in zip(opened, close, strict=True)
            ],
            "close": close,
            "volume": [1000.0 + 37 * (i * i % 91) for i in range(n)],
        }
    )


def weather(
    station: str, n: int = 400, *, scale: float = 1.0, shift: float = 0.0
) -> pl.DataFrame:
    """Return clean weather of one station, in Celsius where the scale is 1."""
    days = [date(2023, 1, 1) + timedelta(days=i) for i in range(n)]
    warm = [12 - 14 * math.cos(i / 58) + 3 * math.sin(i * 1.7) for i in range(n)]
    rain = [max(0.0, 40 * math.sin(i * 2.9) - 15) for i in range(n)]
    return pl.DataFrame(
        {
            "date": days,
            "station_id": [station] * n,
            "temp_max": [round(t * scale + shift, 2) for t in warm],
            "rain_mm": [round(r, 1) for r in rain],
        }
    )


def told(frame: pl.DataFrame, *, name: str = "table.csv") -> Judged:
    """Return what is said of a table."""
    return judged(
        laid_out(name, frame),
        form="csv",
        noticed=(),
        sessions=SESSIONS,
        now=NOW,
        held=None,
    )


def said(one: Judged, what: str) -> str:
    """Return what is said of one kind of finding; nothing where there is none."""
    return "; ".join(each.said for each in one.findings if each.what == what)


def grave(one: Judged) -> set[str]:
    """Return the kinds of findings that ask for something."""
    return {each.what for each in one.findings if each.weight != "note"}
