"""The quirks of the price sources, one test each. None needs a network or a real file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.connector import Answer, Poll
from cbi_stream.words.errors import BadInput, SourceRefused, SourceUnavailable
from handlers.ingest.barchart import barchart
from handlers.ingest.investing import investing
from handlers.ingest.stooq import stooq
from handlers.ingest.yahoo_ask import judge
from handlers.ingest.yahoo_ask import yahoo as asking
from handlers.ingest.yahoo_chart import yahoo_chart
from tests.quirks import charts

Drop = Callable[..., Receipt]
Rows = Callable[[str], pl.DataFrame]
DAY = 86_400
US = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
BARCHART = 'Time,Open,High,Low,Last,Change,%Change,Volume,"Open Int"\n'
FOOTER = '"Downloaded from Barchart.com as of 10-03-2025 04:21pm CDT"\n'
STOOQ = "Date,Open,High,Low,Close,Volume\n"


def bars(data: bytes, symbol: str = "ZL") -> list[tuple[Any, ...]]:
    """Return the date, the close and whether it is live of each bar of a chart."""
    found = yahoo_chart.parse(data, symbol)
    return found.select("date", "close", "live").rows()


def said(data: bytes, status: int = 200) -> Answer:
    """Return an answer with these bytes."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Answer("https://query2/x", status, "application/json", at, data)


def test_a_bar_that_still_trades_is_provisional(
    drop: Drop, lake: Lake, graph: Graph, rows: Rows
) -> None:
    """Quirk 6: a last row stamped at the last trade is never staged; of two the last."""
    midnight = charts.EVENING - 20 * 3600 - 34 * 60 - 10
    data = charts.chart(
        (midnight - 3 * DAY, 48.5),
        (midnight, 49.25),
        (charts.EVENING, 49.5),
        last_trade=charts.EVENING,
    )
    assert bars(data) == [
        (date(2025, 12, 19), "48.5", False),
        (date(2025, 12, 22), "49.5", True),
    ]
    assert drop(data, "ZL=F.json").taken
    run_wave(lake, graph, probing="off")
    assert rows("staging.prices").select("date", "close").rows() == [
        (date(2025, 12, 19), 48.5)
    ]


def test_a_stamp_is_a_day_at_the_exchange() -> None:
    """Quirk 7: 9:30 of a shortened day and midnight are both days of New York."""
    found = bars(charts.chart((charts.MIDNIGHT, 50.0), (charts.SHORT_DAY, 60.0)))
    assert [day for day, *_ in found] == [date(2023, 1, 3), date(2023, 7, 3)]
    assert not any(live for *_, live in found)


def test_an_open_interest_of_0_on_the_newest_day_is_missing() -> None:
    """Quirk 12: it is published next morning; a 0 of an older day is a count."""
    lines = "2025-10-03,50,51,49,50,1,+1%,41426,0\n2025-10-02,50,51,49,50,1,+1%,0,0\n"
    found = barchart.parse((BARCHART + lines + FOOTER).encode(), "ZLZ25")
    assert found.select("date", "open_interest").rows() == [
        (date(2025, 10, 3), ""),
        (date(2025, 10, 2), "0"),
    ]


def test_price_is_the_close_and_thousands_are_counted() -> None:
    """Quirk 13: `Price` is the close, 120.5K is 120500, newest first makes no difference."""
    lines = '"09/26/2025","50.12","49.9","50.5","49.8","120.5K","-0.77%"\n'
    lines += '"09/25/2025","1,050.5","49.9","50.5","49.8","1.2M","0.1%"\n'
    lines += '"09/24/2025","51","51","51","51","-","0%"\n,,,,,,\n'
    found = investing.parse(("\ufeff" + US + lines).encode(), "ZL")
    assert found.select("date", "close", "volume").sort("date").rows() == [
        (date(2025, 9, 24), "51", "-"),
        (date(2025, 9, 25), "1050.5", "1200000"),
        (date(2025, 9, 26), "50.12", "120500"),
    ]
    assert found["problem"].null_count() == 3


@pytest.mark.parametrize(
    ("remark", "day"),
    [
        ("# date_format: DD/MM/YYYY\n", date(2024, 3, 2)),
        ("# date_format: MM/DD/YYYY\n", date(2024, 2, 3)),
    ],
)
def test_ambiguous_dates_are_refused_unless_a_remark_says_more(
    remark: str, day: date
) -> None:
    """Quirk 14: where each day could be a month, the file itself must say which."""
    text = US + '"02/03/2024","45","45","45","45","1K","0%"\n'
    text += '"01/03/2024","45","45","45","45","1K","0%"\n'
    with pytest.raises(BadInput, match=r"ambiguous.*# date_format: MM/DD/YYYY"):
        investing.parse(text.encode(), "ZL")
    assert investing.parse((remark + text).encode(), "ZL")["date"][0] == day
    clear = text + '"03/14/2024","45","45","45","45","1K","0%"\n'
    assert investing.parse(clear.encode(), "ZL")["date"][0] == date(2024, 2, 3)


@pytest.mark.parametrize("factor", [0.01, 100])
def test_another_unit_is_turned_away_and_never_rescaled(
    *, drop: Drop, lake: Lake, graph: Graph, rows: Rows, factor: float
) -> None:
    """Quirk 15: soybean oil in dollars or in cents times 100 is staged in no line."""
    prices = [round(p * factor, 6) for p in (45.1, 46.2, 47.3)]
    lines = [f"2024-05-0{i},{p},{p},{p},{p},1\n" for i, p in enumerate(prices, 1)]
    hint = Hint(source="stooq", key="ZL")
    assert drop((STOOQ + "".join(lines)).encode(), "zl_f_d.csv", hint).taken
    run_wave(lake, graph, probing="off")
    assert rows("staging.prices").height == 0
    found = rows("quarantine.prices")
    assert found.height == 3
    assert set(found["rules"]) <= {
        "implausible",
        "implausible,off_tick",
        "off_tick,implausible",
    }
    assert all(
        "expected a close of 10 to 150 US cents" in each for each in found["found"]
    )


def test_a_roll_adjusts_nothing(
    drop: Drop, lake: Lake, graph: Graph, rows: Rows
) -> None:
    """Quirk 25: raw contracts and the front month stay as traded; no adjusted close."""
    header = "Date,Open,High,Low,Close,Adj Close,Volume\n"
    front = header + "2024-05-13,45,45,45,45,44,1\n2024-05-14,47,47,47,47,46,1\n"
    single = (
        BARCHART
        + "2024-05-14,46.9,47,46.9,47,0,0%,1,5\n2024-05-13,46,46.5,46,46.5,0,0%,1,5\n"
    )
    assert drop(front.encode(), "ZL=F.csv").taken
    assert drop(single.encode(), "zln24_price-history-05-20-2024.csv").taken
    run_wave(lake, graph, probing="off")
    assert rows("staging.prices").select("symbol", "close").rows() == [
        ("ZL", 45.0),
        ("ZL", 47.0),
        ("ZLN24", 46.5),
        ("ZLN24", 47.0),
    ]


def test_what_trades_on_sunday_evening_is_monday_s() -> None:
    """Quirk 26: 19:30 in Chicago on Sunday 2025-12-21 belongs to Monday's session."""
    sunday = int(datetime(2025, 12, 22, 1, 30, tzinfo=UTC).timestamp())
    friday = int(datetime(2025, 12, 19, 5, tzinfo=UTC).timestamp())
    data = charts.chart((friday, 48.5), (sunday, 49.0), last_trade=sunday)
    assert bars(data) == [
        (date(2025, 12, 19), "48.5", False),
        (date(2025, 12, 22), "49.0", True),
    ]


def test_what_is_no_chart_is_empty_missing_or_asked_again(graph: Graph) -> None:
    """Quirk 39: plain-text 429, no `timestamp`, null prices and `{"chart":null}`."""
    source = graph.registry.data_sources.sources["yahoo"]
    want = next(asking.wants(Poll(source, date(2026, 1, 2))))
    assert 429 not in want.accept, "the fetcher waits and asks again"
    assert judge(said(charts.without_rows())) == "empty"
    assert yahoo_chart.parse(charts.without_rows(), "ZL").height == 0
    found = bars(charts.chart((charts.MIDNIGHT, None), (charts.MIDNIGHT + DAY, 50.0)))
    assert [day for day, *_ in found] == [date(2023, 1, 4)]
    for data in (b'{"chart":null}', b"Edge: Too Many Requests"):
        with pytest.raises(SourceUnavailable):
            judge(said(data))
    with pytest.raises(SourceRefused, match="delisted"):
        judge(replace(said(charts.unknown()), status=404))


@pytest.mark.parametrize(
    ("name", "data", "end", "reason"),
    [
        (
            "zl_f_d.csv",
            b"Exceeded the daily hits limit",
            "waiting",
            "a refusal instead",
        ),
        ("zl_f_d.csv", b"No data", "waiting", "a refusal instead"),
        ("x.csv", b"Contract,Latest,Change,Open\n", "waiting", "a list of contracts"),
        (
            "x.csv",
            b'Symbol,Name,Last,IV/HV,"Imp Vol"\n',
            "waiting",
            "a list of contracts",
        ),
        (
            "zl_f_d.csv",
            b"<br />\n<b>Warning</b>: mysql_connect()",
            "quarantine",
            "found",
        ),
        ("zl_f_d.csv", b"<!DOCTYPE html><html><body>proof", "quarantine", "a web page"),
        (
            "ZL=F.json",
            b"<html><head><title>consent</title></head></html>",
            "quarantine",
            "a web page",
        ),
    ],
)
def test_a_page_instead_of_data_is_refused(
    *, drop: Drop, lake: Lake, name: str, data: bytes, end: str, reason: str
) -> None:
    """Quirk 40: status 200 says nothing; the first bytes do, and nothing is written."""
    told = drop(data, name)
    assert (told.end, reason in (told.reason or "")) == (end, True), told
    bars_of = lake.registry.data_sources.of_shape("bars")
    assert all(lake.table(f"raw.{source}").head()[0] == -1 for source in bars_of)
    with pytest.raises(BadInput):
        stooq.parse(data, "ZL")
