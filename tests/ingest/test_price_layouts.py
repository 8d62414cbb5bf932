"""Bars as each vendor writes them: read to the last digit, or told why not."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadInput
from handlers.ingest import days
from handlers.ingest.barchart import barchart
from handlers.ingest.cboe import cboe
from handlers.ingest.investing import investing
from handlers.ingest.numerals import plain, whole
from handlers.ingest.quandl import quandl
from handlers.ingest.stooq import stooq, stooq_bare, stooq_bulk
from handlers.ingest.yahoo import yahoo_page
from handlers.ingest.yfinance import (
    yfinance,
    yfinance_events,
    yfinance_history,
    yfinance_levels,
)

DAY = date(2025, 9, 26)
CELLS = ("date", "open", "high", "low", "close", "volume")
BARCHART = 'Time,Open,High,Low,Last,Change,%Change,Volume,"Open Int"\n'
BULK = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
US = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
LAYOUTS: list[tuple[str, Parser, str]] = [
    (
        "Stooq",
        stooq,
        "Date,Open,High,Low,Close,Volume\n2025-09-26,50.1,51,49,50.5,1200\n",
    ),
    (
        "Stooq bulk",
        stooq_bulk,
        f"{BULK}ZL.F,D,20250926,000000,50.1,51,49,50.5,1200,0\n",
    ),
    (
        "Barchart",
        barchart,
        f"{BARCHART}2025-09-26,50.1,51,49,50.5,-14.,+1.88%,1200,7\n"
        '"Downloaded from Barchart.com as of 10-03-2025 04:21pm CDT"\n',
    ),
    (
        "Barchart with Latest, older dates",
        barchart,
        "Time,Open,High,Low,Latest,Change,%Change,Volume\n09/26/2025,50.1,51,49,50.5,1,1%,1200\n",
    ),
    (
        "investing.com",
        investing,
        f'\ufeff{US}"09/26/2025","50.5","50.1","51","49","1.2K","-0.77%"\n',
    ),
    (
        "investing.com, named months",
        investing,
        f'{US}"Sep 26, 2025","50.5","50.1","51","49","1.20K","-0.77%"\n',
    ),
    (
        "investing.com in Spanish",
        investing,
        '"Fecha","Último","Apertura","Máximo","Mínimo","Vol.","% var."\n'
        '"26.09.2025","50,5","50,1","51","49","1,20K","-0,77%"\n',
    ),
    (
        "yfinance with events",
        yfinance_events,
        "Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n"
        "2025-09-26 00:00:00-04:00,50.1,51,49,50.5,1200,0.0,0.0\n",
    ),
    (
        "yfinance, three headers",
        yfinance_levels,
        "Price,Close,High,Low,Open,Volume\nTicker,ZL=F,ZL=F,ZL=F,ZL=F,ZL=F\nDate,,,,,\n2025-09-26,50.5,51,49,50.1,1200\n",
    ),
    (
        "yfinance, two headers",
        yfinance_levels,
        "Price,Close,High,Low,Open,Volume\nTicker,ZL=F,ZL=F,ZL=F,ZL=F,ZL=F\n2025-09-26,50.5,51,49,50.1,1200\n",
    ),
    (
        "yfinance, older",
        yfinance_history,
        "Date,Open,High,Low,Close,Volume\n2025-09-26,50.1,51,49,50.5,1200\n",
    ),
    (
        "yfinance as saved, counts as floats",
        yfinance,
        "date,open,high,low,close,volume\n2025-09-26,50.1,51,49,50.5,1200.0\n",
    ),
    (
        "Yahoo's page",
        yahoo_page,
        "Date\tOpen\tHigh\tLow\tClose*\tAdj Close**\tVolume\n"
        "Sep 26, 2025\t50.1\t51\t49\t50.5\t50.4\t1,200\n"
        "Sep 12, 2025\t0.52 Dividend\n",
    ),
    (
        "quandl",
        quandl,
        "Date,Open,High,Low,Last,Change,Settle,Volume,Previous Day Open Interest\n"
        "2025-09-26,50.1,51,49,50.4,,50.5,1200.0,910.0\n",
    ),
]


@pytest.mark.parametrize(
    ("parser", "text"), [t[1:] for t in LAYOUTS], ids=[t[0] for t in LAYOUTS]
)
def test_each_layout_gives_the_same_bar(parser: Parser, text: str) -> None:
    """Header, order, notation and footer are the vendor's; the bar is one."""
    header = text.removeprefix("\ufeff").split("\n")[0]
    assert parser.recognises(header)
    found = parser.parse(text.encode(), "ZL")
    assert found["problem"].to_list() == [None]
    assert found.select(CELLS).rows() == [(DAY, "50.1", "51", "49", "50.5", "1200")]
    assert found["symbol"].to_list() == ["ZL"]


@pytest.mark.parametrize(
    ("parser", "text"), [t[1:] for t in LAYOUTS], ids=[t[0] for t in LAYOUTS]
)
def test_a_renamed_column_is_no_layout_of_it(parser: Parser, text: str) -> None:
    """A file whose open is called otherwise is refused whole, never read with a hole."""
    head, _, rest = text.removeprefix("\ufeff").partition("\n")
    for name in ("Open", "OPEN", "Apertura", "open"):
        changed = head.replace(name, "Xyz")
        if changed != head:
            break
    assert not parser.recognises(changed)
    with pytest.raises(BadInput, match="expected the header"):
        parser.parse(f"{changed}\n{rest}".encode(), "ZL")


def test_a_file_without_volume_or_of_an_index_has_none() -> None:
    """Stooq's currencies and Cboe's index have no such column, and none is made up."""
    rate = stooq_bare.parse(
        b"Date,Open,High,Low,Close\n2025-09-26,1,2,1,1.5\n", "EURUSD"
    )
    fear = cboe.parse(b"DATE,OPEN,HIGH,LOW,CLOSE\n09/26/2025,15.1,16,15,15.5\n", "VIX")
    assert rate["close"].to_list() == ["1.5"]
    assert fear.select("date", "close").rows() == [(DAY, "15.5")]
    assert "volume" not in {*rate.columns, *fear.columns}


def test_columns_may_stand_in_another_order() -> None:
    """The name of a column says what it is, not its place."""
    text = "Volume,Close,Date,Open,Low,High\n7,50.5,2025-09-26,50.1,49,51\n"
    found = stooq.parse(text.encode(), "ZL")
    assert found.select(CELLS).rows() == [(DAY, "50.1", "51", "49", "50.5", "7")]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("2025-09-25,50,51,49,50,1,1%,12.5,7", "number: volume: expected a whole"),
        ("2025-09-25,50,51,49,5o,1,1%,12,7", "number: close: expected a number"),
        ("2025-13-25,50,51,49,50,1,1%,12,7", "date: expected a day like YYYY-MM-DD"),
        ("2025-09-25,50,51,49,50", "cells: expected 9 cells; found 5"),
        ("2025-09-25,50,51,49,50,1,1%,12,\x01", "text: expected plain characters"),
        ("2025-09-25,50,51,49,1e5,1,1%,12,7", "number: close: expected a number"),
        ("2025-09-25,50,51,49,nan,1,1%,12,7", "number: close: expected a number"),
    ],
)
def test_a_line_that_cannot_be_read_stays_with_its_problem(
    line: str, rule: str
) -> None:
    """It is told what is wrong with it, in its words; the line above is taken."""
    text = f"{BARCHART}2025-09-26,50.1,51,49,50.5,1,1%,1200,7\n{line}\n"
    found = barchart.parse(text.encode(), "ZLZ25")
    assert found["problem"][0] is None
    assert (found["problem"][1] or "").startswith(rule)
    assert found["close"].to_list() == ["50.5", None]
    assert found["text"][1] == line


REFUSED: list[tuple[str, Parser, str, str]] = [
    (
        "minutes",
        barchart,
        f"{BARCHART}2025-09-26 09:30,50,51,49,50,1,1%,1,1\n",
        "found bars of minutes",
    ),
    (
        "two tickers in bulk",
        stooq_bulk,
        f"{BULK}ZL.F,D,20250926,0,1,1,1,1,1,0\nZS.F,D,20250926,0,1,1,1,1,1,0\n",
        "expected one symbol",
    ),
    (
        "bulk of minutes",
        stooq_bulk,
        f"{BULK}ZL.F,5,20250926,0,1,1,1,1,1,0\n",
        "expected bars of days",
    ),
    (
        "two tickers of yfinance",
        yfinance_levels,
        "Price,Close,High,Low,Open,Volume\nTicker,ZL=F,ZS=F,ZL=F,ZS=F,ZL=F\n2025-09-26,1,1,1,1,1\n",
        "expected one ticker in the file; found ZL=F, ZS=F",
    ),
    (
        "another ticker",
        yfinance_levels,
        "Price,Close,High,Low,Open,Volume\nTicker,ZS=F,ZS=F,ZS=F,ZS=F,ZS=F\n2025-09-26,1,1,1,1,1\n",
        "about ZS=F; it was handed in as ZL",
    ),
    (
        "dates of two kinds",
        investing,
        f'{US}"09/26/2025","1","1","1","1","",""\n"26/09/2025","1","1","1","1","",""\n',
        "more than one way",
    ),
    (
        "a remark that says what the site never writes",
        investing,
        f'# date_format: YYYY/DD/MM\n{US}"09/06/2025","1","1","1","1","",""\n',
        "expected the date_format of the remark to be one of",
    ),
]


@pytest.mark.parametrize(
    ("parser", "text", "said"), [t[1:] for t in REFUSED], ids=[t[0] for t in REFUSED]
)
def test_a_file_that_is_something_else_is_refused(
    parser: Parser, text: str, said: str
) -> None:
    """Nothing of it is taken, and the reason says what was found."""
    with pytest.raises(BadInput, match=said):
        parser.parse(text.encode(), "ZL")


@pytest.mark.parametrize(
    ("cell", "point", "number"),
    [
        ("1,234.5", ".", "1234.5"),
        ("1.234,5", ",", "1234.5"),
        ("50,12", ",", "50.12"),
        ("50,12", ".", None),
        ("1,23", ".", None),
        ("12,345,678", ".", "12345678"),
        ("1.234", ",", "1234"),
        ("-14.", ".", "-14"),
        ("+0.5", ".", "0.5"),
        ("1234.5.6", ".", None),
        ("", ".", None),
        ("0,1234", ".", None),
    ],
)
def test_a_number_is_rewritten_only_where_nothing_is_lost(
    cell: str, point: Any, number: str | None
) -> None:
    """Groups of thousands go, a decimal comma becomes a point; else it is no number."""
    assert plain(cell, point) == number


@pytest.mark.parametrize(
    ("cell", "count"),
    [
        ("120.5K", "120500"),
        ("1.2M", "1200000"),
        ("0.001B", "1000000"),
        ("41,426", "41426"),
        ("1600.0", "1600"),
        ("1.2345K", None),
        ("-5", None),
        ("K", None),
        ("2029.9999999999998", None),
    ],
)
def test_a_count_is_whole_or_none(cell: str, count: str | None) -> None:
    """K, M and B are thousands, millions and thousands of millions, exactly."""
    assert whole(cell) == count


def test_a_day_is_read_in_one_way_only() -> None:
    """Each way fits whole cells, knows its own months and no day that is none."""
    assert days.reader(days.NAMED)("Sep 26, 2025") == DAY
    assert days.reader(days.NAMED)("Sept 26, 2025") is None
    assert days.reader(days.PACKED)("20250926") == DAY
    assert days.reader(days.ISO)("2025-09-26 ") is None
    assert days.reader(days.DAY_FIRST)("31/02/2025") is None
    assert days.reader(days.DOTTED)("26.09.25") is None
    assert days.reader(days.ISO)("1825-09-26") is None


def test_no_header_of_prices_is_that_of_another_source() -> None:
    """The header alone says the source; only Stooq and yfinance share one."""
    modules = (stooq, stooq_bare, stooq_bulk, barchart, investing, cboe, quandl)
    known = (
        *modules,
        yfinance,
        yfinance_history,
        yfinance_events,
        yfinance_levels,
        yahoo_page,
    )
    shared = {}
    for parser in known:
        for header in parser.headers:
            sources = {p.source for p in known if p.recognises(header)}
            if len(sources) > 1:
                shared[header] = sources
    assert shared == {"Date,Open,High,Low,Close,Volume": {"stooq", "yfinance"}}


def test_an_empty_file_under_a_header_has_no_lines() -> None:
    """A header alone is a true answer that there is nothing."""
    found = barchart.parse(BARCHART.encode(), "ZLZ25")
    assert isinstance(found, pl.DataFrame)
    assert found.height == 0


def test_words_for_nothing_are_kept_and_are_no_numbers() -> None:
    """Barchart writes N/A; raw keeps the word, and it is no problem of the line."""
    text = f"{BARCHART}2025-09-26,N/A,51,49,50.5,N/A,N/A,N/A,N/A\n"
    found = barchart.parse(text.encode(), "ZLZ25")
    assert found["problem"].to_list() == [None]
    assert found.select("open", "volume", "open_interest").rows() == [("N/A",) * 3]
