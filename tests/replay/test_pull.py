"""A full pull keeps its promises: marked, deterministic, in layouts, only what is out.

It never reads a real file and needs nothing but the replay room.
"""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from cbi_stream.replay import releases
from cbi_stream.replay.futures import FUTURES, complex_bars
from cbi_stream.replay.layouts import YAHOO_HEADER, YFINANCE_HEADER, is_simulated
from cbi_stream.replay.market import market
from cbi_stream.replay.pull import complex_market

HOLIDAYS = {date(2003, 1, 1), date(2003, 1, 20), date(2003, 7, 4), date(2003, 10, 13)}
SESSIONS = [
    day
    for i in range(365 * 3)
    if (day := date(2003, 1, 2) + timedelta(days=i)).weekday() < 5
    and day not in HOLIDAYS - {date(2003, 10, 13)}
]
STEPS = {"ZL": 100, "ZS": 4, "ZM": 10, "ZC": 4, "CL": 100, "GC": 10}
SAVED = {"soybean_oil.csv": "ZL", "wti.csv": "CL"}
HEADERS = {
    "T10Y2Y": "observation_date,T10Y2Y",
    "DTWEXBGS": "observation_date,DTWEXBGS",
    "DFF": "DATE,DFF",
    "T5YIE": "Date,Value",
    "NFCI": "Date,Value",
    "CPIAUCSL": "Date,Value",
    "PAYEMS": "Date,Value",
    "UNRATE": "Date,Value",
    "DGS2": "date,value",
    "DGS30": "date,value",
    "DCOILWTICO": "date,value",
}
DAILY = {
    *(f"{symbol}=F.csv" for symbol in STEPS),
    *SAVED,
    "VIXCLS.csv",
    "DGS10.csv",
    *(f"{name}.csv" for name in HEADERS),
}


def pull(sessions=SESSIONS, **more):
    """Return the bytes of one pull's files by name."""
    files = complex_market(sessions, holidays=HOLIDAYS, **more)
    return {file.name: file.data for file in files}


@pytest.fixture(scope="module")
def files():
    """Return the bytes of the whole pull's files by name."""
    return pull()


def rows_of(data):
    """Return the cells after the day, by day, below mark and header."""
    lines = data.decode().removesuffix("\n").split("\n")[2:]
    return {line[:10]: line.split(",")[1:] for line in lines}


def values_of(data):
    """Return the numbers by day; empty cells are left out."""
    return {day: float(c[0]) for day, c in rows_of(data).items() if c[0]}


def closes_of(data):
    """Return the closes by day; rows without prices are left out."""
    rows = rows_of(data).items()
    return {day: float(c[3]) for day, c in rows if c[0] not in {"", "null"}}


def test_same_seed_gives_same_bytes_and_another_seed_others(files):
    """The bytes are a function of the arguments, in every single file."""
    assert pull() == files
    other = pull(seed=8)
    assert other.keys() == files.keys()
    for name, data in files.items():
        assert data.split(b"\n")[2:] != other[name].split(b"\n")[2:], name


def test_the_bytes_are_the_ones_they_always_were(files):
    """A changed digest means every demo's numbers change: it must be on purpose."""
    joined = b"".join(files.values())
    assert hashlib.sha256(joined).hexdigest()[:16] == "c519d78c92e64f49"


def test_there_is_a_file_of_every_source_each_marked_and_of_one_moment():
    """Six downloads, two saved files, thirteen of FRED, a CFTC file per year."""
    files = complex_market(SESSIONS, holidays=HOLIDAYS)
    years = {f"annual_legacy_{year}.txt" for year in (2003, 2004, 2005)}
    assert {file.name for file in files} == DAILY | years
    for file in files:
        assert is_simulated(file.data)
        assert file.data.count(b"# SIMULATED") == 1
        assert file.as_of == market(SESSIONS, holidays=HOLIDAYS)[0].as_of


def test_the_three_files_of_market_are_the_same_bytes(files):
    """What there was before the other sources is untouched by them."""
    for file in market(SESSIONS, holidays=HOLIDAYS):
        assert files[file.name] == file.data


@pytest.mark.parametrize("cut", [1, 2, 24, 260, 505, 600])
def test_daily_files_of_a_shorter_run_start_those_of_the_longer(files, cut):
    """A file either starts the longer run's, or is not there yet."""
    short = pull(SESSIONS[:cut])
    assert "ZS=F.csv" in short
    for name in DAILY & short.keys():
        assert files[name].startswith(short[name]), name


def test_each_series_has_draws_of_its_own(monkeypatch):
    """Take one symbol away, and every other one's bars stay."""
    before = complex_bars(SESSIONS, seed=7)
    monkeypatch.delitem(FUTURES, "ZS")
    after = complex_bars(SESSIONS, seed=7)
    assert after == {symbol: before[symbol] for symbol in before if symbol != "ZS"}


@pytest.mark.parametrize("symbol", STEPS)
def test_downloads_hold_bars_in_order_on_the_tick(files, symbol):
    """Six decimals off the tick by float noise, low <= o, c <= high, some null rows."""
    data, steps = files[f"{symbol}=F.csv"], STEPS[symbol]
    assert data.decode().split("\n")[1] == YAHOO_HEADER
    assert not data.endswith(b"\n")
    rows = rows_of(data)
    assert list(rows) == [day.isoformat() for day in SESSIONS]
    bars = [cells for cells in rows.values() if cells != ["null"] * 6]
    assert 0 < len(rows) - len(bars) < 15
    for start, high, low, close, adjusted, volume in bars:
        assert close == adjusted
        assert float(low) <= min(float(start), float(close))
        assert float(high) >= max(float(start), float(close))
        assert int(volume) > 0
        for price in (start, high, low, close):
            assert len(price.partition(".")[2]) == 6
            ticks = float(price) * steps
            assert abs(ticks - round(ticks)) < 1e-3 * steps


@pytest.mark.parametrize(("name", "symbol"), SAVED.items())
def test_a_saved_file_agrees_with_the_download_on_the_tick(files, name, symbol):
    """It begins later, prints floats in full, and says the same closes and volumes."""
    data = files[name]
    assert data.decode().split("\n")[1] == YFINANCE_HEADER
    assert data.endswith(b"\n")
    saved, download = rows_of(data), rows_of(files[f"{symbol}=F.csv"])
    assert list(saved) == list(download)[504:]
    both = {day for day in saved if saved[day][0] and download[day][0] != "null"}
    assert len(both) > 200
    for day in both:
        for one, other in zip(saved[day][:4], download[day][:4], strict=True):
            assert one == repr(float(np.float32(one)))
            assert round(float(one), 2) == round(float(other), 2)
        assert saved[day][4] == download[day][5]
    assert any(len(cells[3]) > 15 for cells in saved.values())


def test_each_source_forgets_days_that_the_other_has():
    """Without a lead, a row empty in one file holds prices in the other; so backwards."""
    files = pull(lead=0)
    for name, symbol in SAVED.items():
        saved, download = rows_of(files[name]), rows_of(files[f"{symbol}=F.csv"])
        nulls = {day for day, cells in download.items() if cells[0] == "null"}
        empty = {day for day, cells in saved.items() if cells[:4] == [""] * 4}
        assert nulls - empty
        assert empty - nulls
        assert all(int(saved[day][4]) > 0 for day in empty)


def test_the_complex_moves_together():
    """Twenty years: related symbols correlate, none is the other's copy, none is stuck."""
    days = [date(2000, 1, 3) + timedelta(days=i) for i in range(365 * 20)]
    bars = complex_bars([day for day in days if day.weekday() < 5], seed=7)
    moves = {
        s: [math.log(b.close / a.close) for a, b in pairwise(each)]
        for s, each in bars.items()
    }
    table = np.corrcoef(list(moves.values()))
    together = dict(zip(moves, table[0], strict=True))  # with ZL
    assert 0.45 < together["ZS"] < 0.75
    assert 0.3 < together["CL"] < 0.6
    assert 0.05 < together["ZM"] < 0.3
    assert abs(together["GC"]) < 0.2
    assert float(np.abs(table - np.eye(len(table))).max()) < 0.8
    for symbol, low, high in [("ZS", 800, 1600), ("ZM", 250, 450), ("ZC", 300, 800)]:
        closes = [bar.close for bar in bars[symbol]]
        assert low <= min(closes) < max(closes) <= high
        assert sum(c in (low, high) for c in closes) < len(closes) / 200


@pytest.mark.parametrize("name", HEADERS)
def test_each_of_freds_files_has_its_layout(files, name):
    """The header, a final newline, ascending days, digits as that layout prints them."""
    data = files[f"{name}.csv"]
    assert data.decode().split("\n")[1] == HEADERS[name]
    assert data.endswith(b"\n")
    days = list(rows_of(data))
    assert days == sorted(set(days))
    for cell in (cells[0] for cells in rows_of(data).values() if cells[0]):
        decimals = {"T10Y2Y": 2, "DTWEXBGS": 4, "DFF": 2}.get(name)
        shown = repr(float(cell)) if decimals is None else f"{float(cell):.{decimals}f}"
        assert cell == shown


def test_dates_are_those_of_the_series(files):
    """Seven days, weekdays with or without closed ones, Fridays, firsts of months."""
    every = {
        name: [date.fromisoformat(d) for d in rows_of(files[name])] for name in DAILY
    }
    dff = every["DFF.csv"]
    assert dff == releases.every_day(dff[0], dff[-1])
    for name in ("T10Y2Y", "DGS2", "DGS30", "DTWEXBGS", "DCOILWTICO"):
        rows, days = rows_of(files[f"{name}.csv"]), every[f"{name}.csv"]
        assert days == releases.weekdays(days[0], days[-1])
        assert {d for d, cells in rows.items() if cells == [""]} == {
            str(day) for day in HOLIDAYS if day in days
        }
    assert not HOLIDAYS & set(every["T5YIE.csv"])
    assert "" not in {c[0] for c in rows_of(files["T5YIE.csv"]).values()}
    assert {day.weekday() for day in every["NFCI.csv"]} == {4}
    for name in ("CPIAUCSL", "PAYEMS", "UNRATE"):
        assert {day.day for day in every[f"{name}.csv"]} == {1}
        assert every[f"{name}.csv"][0] == date(2003, 1, 1)


def test_the_yields_agree_with_their_difference(files):
    """Ten years less two years is T10Y2Y, to the last digit, on every day."""
    tens, twos = values_of(files["DGS10.csv"]), values_of(files["DGS2.csv"])
    slopes = values_of(files["T10Y2Y.csv"])
    assert slopes.keys() == tens.keys() == twos.keys()
    assert all(round(tens[d] - twos[d], 2) == slopes[d] for d in slopes)
    assert min(twos.values()) > 0


def test_spot_oil_stays_near_the_future(files):
    """The spot price differs from the close, by less than four dollars."""
    spot, future = values_of(files["DCOILWTICO.csv"]), closes_of(files["CL=F.csv"])
    gaps = [abs(spot[day] - future[day]) for day in spot.keys() & future.keys()]
    assert len(gaps) > 700
    assert 0.02 < max(gaps) < 4


def test_payrolls_are_whole_thousands_and_print_as_floats(files):
    """29923 is 29923.0; unemployment has one decimal, conditions at most three."""
    assert all(c[0].endswith(".0") for c in rows_of(files["PAYEMS.csv"]).values())
    for name, most in (("UNRATE", 1), ("NFCI", 3), ("CPIAUCSL", 3)):
        cells = [c[0] for c in rows_of(files[f"{name}.csv"]).values()]
        assert max(len(cell.partition(".")[2]) for cell in cells) == most


def last_day(name, as_of):
    """Return the last date in a file of a pull at `as_of`, New York."""
    instant = datetime.fromisoformat(f"{as_of}-05:00")
    return list(rows_of(pull(SESSIONS[:600], as_of=instant)[name]))[-1]


@pytest.mark.parametrize(
    ("name", "instant", "before", "after"),
    [
        ("CPIAUCSL.csv", "2005-01-12T08:30", "2004-11-01", "2004-12-01"),
        ("CPIAUCSL.csv", "2004-12-13T08:30", "2004-10-01", "2004-11-01"),  # a Sunday
        ("PAYEMS.csv", "2005-02-04T08:30", "2004-12-01", "2005-01-01"),
        ("UNRATE.csv", "2005-02-04T08:30", "2004-12-01", "2005-01-01"),
        ("NFCI.csv", "2005-02-09T08:30", "2005-01-28", "2005-02-04"),
        ("DFF.csv", "2005-02-07T09:00", "2005-02-03", "2005-02-06"),
        ("DCOILWTICO.csv", "2005-02-09T13:00", "2005-01-31", "2005-02-07"),
        ("DTWEXBGS.csv", "2005-02-14T16:15", "2005-02-04", "2005-02-11"),
        ("T10Y2Y.csv", "2005-02-15T17:30", "2005-02-11", "2005-02-14"),
    ],
)
def test_an_observation_appears_at_its_release(name, instant, before, after):
    """A minute before its release it is not in the file, at the release it is."""
    early = datetime.fromisoformat(instant) - timedelta(minutes=1)
    assert last_day(name, early.isoformat()) == before
    assert last_day(name, instant) == after


def test_a_holiday_moves_a_release():
    """A Wednesday's index comes on Thursday where Wednesday is closed."""
    wednesday = date(2005, 2, 9)
    moved = releases.conditions(date(2005, 2, 4), {wednesday})
    assert moved == datetime(2005, 2, 10, 13, 30, tzinfo=UTC)
    assert releases.conditions(date(2005, 2, 4), set()) == moved - timedelta(days=1)


def test_a_release_follows_the_clock_of_its_city():
    """8:30 in New York is 12:30 UTC in summer and 13:30 in winter."""
    assert releases.prices(date(2005, 6, 1), ()).time() == time(12, 30)
    assert releases.prices(date(2005, 1, 1), ()).time() == time(13, 30)


def test_a_file_without_a_row_is_left_out():
    """On the first day there is no CFTC week, no index, no saved price yet."""
    names = pull(SESSIONS[:1]).keys()
    assert not names & {"NFCI.csv", "soybean_oil.csv", "annual_legacy_2003.txt"}
    assert not names & {"CPIAUCSL.csv", "PAYEMS.csv", "DCOILWTICO.csv"}
    assert {"ZS=F.csv", "DFF.csv", "T10Y2Y.csv"} <= names


def test_a_pull_refuses_bad_arguments():
    """No sessions, a naive instant, a bad seed, a negative lead: ValueError."""
    with pytest.raises(ValueError, match="strictly ascending"):
        complex_market([])
    with pytest.raises(ValueError, match="time zone"):
        complex_market(SESSIONS[:2], as_of=datetime(2020, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="seed"):
        complex_market(SESSIONS[:2], seed=-1)
    with pytest.raises(ValueError, match="0 or more"):
        complex_market(SESSIONS[:2], lead=-1)


def test_twenty_two_years_are_made_in_a_moment():
    """All files of 22 years take under three seconds of work, at the best of two tries."""
    days = [date(2002, 1, 2) + timedelta(days=i) for i in range(365 * 22)]
    sessions = [day for day in days if day.weekday() < 5]
    seconds = []
    for _ in range(2):
        start = process_time()
        complex_market(sessions)
        seconds.append(process_time() - start)
    assert min(seconds) < 3
