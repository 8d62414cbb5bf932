"""The four parsers, and files as their sources write them."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from cbi_stream.shapes.source import Parser
from handlers.ingest.cftc import cftc
from handlers.ingest.fred import fred
from handlers.ingest.yahoo import yahoo
from handlers.ingest.yfinance import yfinance

Read = Callable[..., pl.DataFrame]
PARSERS: dict[str, Parser] = {p.source: p for p in (yahoo, yfinance, fred, cftc)}
_KEYS = {"yahoo": "ZL", "yfinance": "ZL", "fred": "VIXCLS", "cftc": None}


@pytest.fixture
def read() -> Read:
    """Return a function that parses bytes as those of one source."""

    def parsed(source: str, data: bytes) -> pl.DataFrame:
        return PARSERS[source].parse(data, _KEYS[source])

    return parsed
