"""Yahoo's chart, over a real socket: its arrays, stamps, windows and errors.

No answer here is Yahoo's own; the shapes are.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from cbi_stream.doors.reading import is_simulated
from cbi_stream.registry import loader
from cbi_stream.replay import switches
from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites.yahoo import SYMBOLS
from cbi_stream.replay.world import World
from tests.replay.asking import ask

HOST = "query2.finance.yahoo.com"
CHART = f"{HOST}/v8/finance/chart"
ROOT = Path(__file__).resolve().parents[2]
SAVED = ROOT.parent / "shared" / "data" / "real"
NEW_YORK, LONDON = ZoneInfo("America/New_York"), ZoneInfo("Europe/London")
FIRST, TODAY = date(2023, 6, 1), date(2023, 12, 22)
CELLS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def world():
    """Return a simulated world with the sessions of the registry."""
    return World(today=TODAY, sessions=loader.load(ROOT / "registry").sessions)


@pytest.fixture
def replay(world):
    """Return a running server with every site that there is."""
    with Replay(world) as running:
        yield running


def seconds(day, clock=time(), zone=NEW_YORK):
    """Return the epoch seconds of a local time."""
    return int(datetime.combine(day, clock, zone).timestamp())


def asked(symbol, first=FIRST, last=TODAY + timedelta(days=1), *, host=CHART):
    """Return the address of a window of whole days."""
    window = f"period1={seconds(first)}&period2={seconds(last)}"
    return f"{host}/{symbol}?{window}&interval=1d&events=div,splits"


def chart(replay, target):
    """Return the one result of a chart."""
    said = ask(replay, target)
    assert said.status == 200, said.text
    content = json.loads(said.data)["chart"]
    assert content["error"] is None
    [result] = content["result"]
    return result


def rows_of(result):
    """Return (stamp, cells) of each row; all arrays are as long as the stamps."""
    [quote], [adjusted] = (result["indicators"][n] for n in ("quote", "adjclose"))
    assert list(quote) == list(CELLS)
    arrays = [result["timestamp"], *quote.values()]
    assert {len(array) for array in arrays} == {len(adjusted["adjclose"])}
    assert adjusted["adjclose"] == quote["close"]
    return [(row[0], row[1:]) for row in zip(*arrays, strict=True)]


@pytest.mark.parametrize(
    ("written", "name"),
    [("ZL%3DF", "ZL"), ("%5EGSPC", "GSPC"), ("DX-Y.NYB", "DXY"), ("ADM", "ADM")],
)
def test_the_arrays_are_the_world_s_bars(replay, world, written, name):
    """Each session of the window in order, as 32-bit floats, nulls where forgotten."""
    rows = rows_of(chart(replay, asked(written)))
    bars = world.bars(name, first=FIRST, last=TODAY).rows()
    assert [datetime.fromtimestamp(s, NEW_YORK).date() for s, _ in rows] == [
        bar[0] for bar in bars
    ]
    for (_, cells), (_, *bar) in zip(rows, bars, strict=True):
        assert cells[4] == bar[4]
        for said, price in zip(cells[:4], bar[:4], strict=True):
            assert said == (None if price is None else float(np.float32(price)))


def test_all_55_symbols_are_known_by_both_hosts(replay):
    """Each has a chart of its own; the names are those of the project."""
    assert len(SYMBOLS) == len({name for name, _ in SYMBOLS.values()}) == 55
    window = {"first": date(2023, 12, 18), "last": date(2023, 12, 23)}
    closes = {}
    for symbol in SYMBOLS:
        result = chart(replay, asked(symbol.replace("^", "%5E"), **window))
        assert result["meta"]["symbol"] == symbol
        closes[tuple(cells[3] for _, cells in rows_of(result))] = symbol
    assert len(closes) == 55
    other = f"{HOST.replace('query2', 'query1')}/v8/finance/chart"
    assert rows_of(chart(replay, asked("ZL=F", host=other, **window)))


def test_null_rows_stand_where_the_source_forgot(replay, world):
    """All five cells are null together, and the stamp is there."""
    result = chart(replay, asked("ZL=F", date(2000, 1, 1)))
    empty = [cells for _, cells in rows_of(result) if None in cells]
    assert len(empty) > 5
    assert all(cells == (None,) * 5 for cells in empty)


def test_stamps_are_midnight_or_half_past_nine(replay):
    """Futures at midnight in New York, short days and stocks 9:30, currencies London."""
    oil = [stamp for stamp, _ in rows_of(chart(replay, asked("ZL=F")))]
    at = {datetime.fromtimestamp(s, NEW_YORK) for s in oil}
    short = {moment.date() for moment in at if moment.time() == time(9, 30)}
    assert {moment.time() for moment in at} == {time(), time(9, 30)}
    assert short == {date(2023, 7, 3), date(2023, 11, 24)}
    assert 1688391000 in oil  # as the source was seen to stamp 2023-07-03
    assert 1700836200 in oil  # and 2023-11-24
    january = chart(replay, asked("ZS=F", date(2023, 1, 1), date(2023, 1, 5)))
    assert january["timestamp"][0] == 1672722000
    for symbol, clock, zone in (
        ("ADM", time(9, 30), NEW_YORK),
        ("EURUSD=X", time(), LONDON),
    ):
        result = chart(replay, asked(symbol))
        assert result["meta"]["exchangeTimezoneName"] == zone.key
        stamps = [datetime.fromtimestamp(s, zone) for s in result["timestamp"]]
        assert {stamp.time() for stamp in stamps} == {clock}
        assert stamps[-1].date() == TODAY


def test_a_window_is_half_open(replay):
    """period1 is in, period2 is not; the close before it is in the meta."""
    day = date(2023, 9, 13)
    whole = dict(rows_of(chart(replay, asked("ZS=F"))))
    one = chart(replay, asked("ZS=F", day, day + timedelta(days=1)))
    assert rows_of(one) == [(seconds(day), whole[seconds(day)])]
    before = whole[seconds(day - timedelta(days=1))]
    assert one["meta"]["chartPreviousClose"] == before[3]
    assert one["meta"]["range"] == ""


@pytest.mark.parametrize(
    ("span", "sessions"), [("1d", 1), ("5d", 5), ("1mo", 22), ("max", 6_022), ("", 1)]
)
def test_a_range_reaches_back_from_today(replay, world, span, sessions):
    """Or to the beginning of all; without one it is a day."""
    result = chart(replay, f"{CHART}/ZL=F?interval=1d" + f"&range={span}" * bool(span))
    first = result["timestamp"][0]
    assert result["meta"]["range"] == span or (span, sessions) == ("", 1)
    if span == "max":
        sessions = len(world.days(world.begins, TODAY))
        assert result["meta"]["firstTradeDate"] == first
        assert "chartPreviousClose" not in result["meta"]
    assert len(rows_of(result)) == sessions


def test_a_window_without_rows_has_no_stamps(replay):
    """A weekend: the key is not there, the result is; the switch says the same."""
    target = asked("ZL=F", date(2023, 9, 16), date(2023, 9, 18))
    natural = chart(replay, target)
    replay.switches.set(HOST, switches.empty())
    for result in (natural, chart(replay, target)):
        assert "timestamp" not in result
        assert result["indicators"]["quote"] == [{}]
        assert result["meta"]["symbol"] == "ZL=F"


@pytest.mark.parametrize("at", [time(16, 0), time(19, 59)])
def test_a_session_that_has_not_settled_is_a_live_row(replay, world, at):
    """It is stamped now, which is the time of the last trade, and is not the bar."""
    replay.world = replace(world, at=at)
    result = chart(replay, asked("ZL=F"))
    stamp, cells = rows_of(result)[-1]
    assert stamp == result["meta"]["regularMarketTime"]
    assert stamp == int(datetime.combine(TODAY, at, UTC).timestamp())
    assert rows_of(result)[-2][0] == seconds(date(2023, 12, 21))
    replay.world = world
    settled = chart(replay, asked("ZL=F"))
    final = rows_of(settled)[-1]
    assert final[0] == seconds(TODAY) < settled["meta"]["regularMarketTime"]
    assert final[1][0] == cells[0]
    assert final[1][3] != cells[3]
    assert final[1][4] > cells[4]


def test_in_the_evening_two_rows_share_a_date(replay, world):
    """The session is final, and the next one trades already: futures only."""
    evening = replace(world, today=date(2023, 12, 20), at=time(1, 34))
    replay.world = evening
    for symbol, count in (("ZL=F", 2), ("ADM", 1)):
        rows = rows_of(chart(replay, asked(symbol)))
        days = [datetime.fromtimestamp(s, NEW_YORK).date() for s, _ in rows]
        assert days.count(date(2023, 12, 19)) == count
    assert rows_of(chart(replay, asked("ZL=F")))[-1][0] == int(evening.now.timestamp())


def test_the_meta_says_what_the_source_says(replay):
    """The keys of a recorded answer, cents for oil and dollars for crude."""
    keys = """
        currency symbol exchangeName fullExchangeName instrumentType
        firstTradeDate regularMarketTime hasPrePostMarketData gmtoffset timezone
        exchangeTimezoneName regularMarketPrice fiftyTwoWeekHigh fiftyTwoWeekLow
        regularMarketDayHigh regularMarketDayLow regularMarketVolume shortName
        chartPreviousClose priceHint currentTradingPeriod dataGranularity range
        validRanges
    """
    meta = chart(replay, asked("ZL=F"))["meta"]
    assert set(meta) == set(keys.split())
    assert (meta["currency"], meta["exchangeName"]) == ("USX", "CBT")
    assert (meta["gmtoffset"], meta["timezone"]) == (-18_000, "EST")
    assert meta["fiftyTwoWeekLow"] <= meta["regularMarketPrice"]
    assert meta["regularMarketPrice"] <= meta["fiftyTwoWeekHigh"]
    crude = chart(replay, asked("CL=F"))["meta"]
    assert (crude["currency"], crude["exchangeName"]) == ("USD", "NYM")


def test_errors_are_the_source_s(replay):
    """Unknown symbol 404, another interval 422, a window that is none 400."""
    told = {
        f"{CHART}/NOSUCH?range=1d": (404, "Not Found"),
        f"{CHART}/ZL=F?range=1d&interval=15m": (422, "Unprocessable Entity"),
        f"{CHART}/ZL=F?range=7w": (400, "Bad Request"),
        f"{CHART}/ZL=F?period1=x": (400, "Bad Request"),
        f"{CHART}/ZL=F?period1=9&period2=8": (400, "Bad Request"),
    }
    for target, (status, code) in told.items():
        said = ask(replay, target)
        content = json.loads(said.data)
        assert said.status == status, target
        assert content["chart"]["result"] is None
        assert content["chart"]["error"]["code"] == code
    unknown = json.loads(ask(replay, f"{CHART}/NOSUCH").data)["chart"]["error"]
    assert unknown["description"] == "No data found, symbol may be delisted"
    assert ask(replay, f"{HOST}/v7/finance/quote").status == 404


def test_too_many_is_plain_text_and_consent_a_page(replay):
    """Neither is JSON; the page has status 200."""
    replay.switches.set(HOST, switches.too_many(), first=1)
    said = ask(replay, asked("ZL=F"))
    assert (said.status, said.text.strip()) == (429, "Too Many Requests")
    assert said.headers["Content-Type"].startswith("text/plain")
    replay.switches.set(HOST, switches.page(), first=1)
    said = ask(replay, asked("ZL=F"))
    assert said.status == 200
    assert "consent.yahoo.com" in said.text
    with pytest.raises(ValueError, match="asks for no key"):
        replay.switches.set(HOST, switches.bad_key())


def test_a_simulated_chart_is_marked_and_keeps_its_shape(replay):
    """The note is beside the chart, not inside."""
    said = ask(replay, asked("ZL=F"))
    assert is_simulated(said.data)
    assert list(json.loads(said.data)) == ["note", "chart"]


def test_drift_reaches_the_chart(replay):
    """The last field of the quote is renamed; numbers become strings."""
    replay.switches.set(HOST, switches.renamed(), first=1)
    [quote] = chart(replay, asked("ZL=F"))["indicators"]["quote"]
    assert list(quote) == [*CELLS[:4], "volume_renamed"]
    replay.switches.set(HOST, switches.retyped("close"), first=1)
    [quote] = chart(replay, asked("ZL=F"))["indicators"]["quote"]
    assert all(isinstance(cell, str | None) for cell in quote["close"])
    assert isinstance(quote["open"][0], float)


@pytest.mark.skipif(not SAVED.is_dir(), reason="no saved data beside the project")
def test_saved_prices_are_served_without_a_mark():
    """A world from a folder gives the file's closes, real and so unmarked."""
    world = World("folder", today=date(2021, 6, 9), folder=SAVED)
    with Replay(world) as replay:
        said = ask(replay, asked("ZL=F", date(2000, 3, 15), date(2000, 3, 18)))
        assert not is_simulated(said.data)
        [quote] = json.loads(said.data)["chart"]["result"][0]["indicators"]["quote"]
    assert [round(close, 2) for close in quote["close"][:2]] == [16.85, 16.94]
