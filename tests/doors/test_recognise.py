"""Which source, and which symbol or series: told by the file or by a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cbi_stream.doors.landing import Hint, Receipt, take_in
from cbi_stream.doors.strangers import about
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.layouts import first_line
from cbi_stream.lake.lake import Lake
from tests.ingest.test_sources import year_file
from tests.quirks import charts

Drop = Callable[..., Receipt]
Put = Callable[..., Path]
YAHOO = b"Date,Open,High,Low,Close,Adj Close,Volume\n2024-05-01,1,1,1,1,1,1\n"
YFINANCE = b"date,open,high,low,close,volume\n2024-05-01,1,1,1,1,1\n"
NAMED = b"observation_date,VIXCLS\n2024-05-01,15.39\n"
BARCHART = b"Time,Open,High,Low,Last,Change,%Change,Volume\n2024-05-01,1,1,1,1,0,0%,1\n"
BULK = (
    b"<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    b"ZL.F,D,20240501,000000,45,45,45,45,1,0\n"
)
UNNAMED = b"Date,Value\n2024-05-01,15.39\n"


@pytest.mark.parametrize(
    ("name", "data", "source", "key", "by"),
    [
        ("ZL=F.csv", YAHOO, "yahoo", "ZL", "file name"),
        ("ZL=F (1).csv", YAHOO, "yahoo", "ZL", "file name"),
        ("ZL=F.csv", YFINANCE, "yfinance", "ZL", "file name"),
        ("SB=F.csv", YAHOO, "yahoo", "SB", "file name"),
        ("soybean_oil.csv", YFINANCE, "yfinance", "ZL", "file name"),
        ("wti (2).csv", YFINANCE, "yfinance", "CL", "file name"),
        ("VIXCLS.csv", NAMED, "fred", "VIXCLS", "header"),
        ("fredgraph (3).csv", NAMED, "fred", "VIXCLS", "header"),
        ("FRED download.csv", NAMED, "fred", "VIXCLS", "header"),
        ("NFCI.csv", UNNAMED, "fred", "NFCI", "file name"),
        ("DGS10-2024.csv", UNNAMED, "fred", "DGS10", "file name"),
        ("x.csv", NAMED.replace(b"VIXCLS", b"XYZ9"), "fred", "XYZ9", "header"),
        (
            "zlz25_price-history-10-03-2025.csv",
            BARCHART,
            "barchart",
            "ZLZ25",
            "file name",
        ),
        ("dxy_daily_historical-data-1.csv", BARCHART, "barchart", "DXY", "file name"),
        ("zl.f.txt", BULK, "stooq", "ZL", "file name"),
        (
            "whatever.json",
            charts.chart((charts.MIDNIGHT, 50.0)),
            "yahoo",
            "ZL",
            "header",
        ),
        ("x.json", charts.chart((1, 5.0), symbol="^GSPC"), "yahoo", "GSPC", "header"),
    ],
)
def test_a_file_says_what_it_is(
    *, drop: Drop, name: str, data: bytes, source: str, key: str, by: str
) -> None:
    """The header says the source; header, alias or name say the symbol or series."""
    told = drop(data, name)
    assert told.end == "archive", told.reason
    assert (told.source, told.key) == (source, key)
    assert (told.recognised_by or "").endswith(by)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("prices.csv", YFINANCE),
        ("soybean oil.csv", YAHOO),
        ("ZL.csv", YAHOO),
        ("zl=f.csv", YAHOO),
        ("foo.csv", UNNAMED),
        ("FOO.csv", UNNAMED),
        ("NFCI2.csv", UNNAMED),
    ],
)
def test_a_file_that_does_not_say_waits_with_a_hint(
    drop: Drop, name: str, data: bytes
) -> None:
    """The registered symbols or series are named, and the ways to say one."""
    told = drop(data, name)
    assert told.end == "waiting"
    assert "says which" in (told.reason or "")
    option, known = (
        ("--symbol", "ZL, ZL_DEFERRED, ZM") if data != UNNAMED else ("--series", "NFCI")
    )
    assert option in (told.mend or "")
    assert known in (told.mend or "")
    assert ".csv" in (told.mend or "")


@pytest.mark.parametrize(
    ("name", "data", "key"),
    [
        ("prices.csv", YFINANCE, "ZM"),
        ("ZS=F.csv", YAHOO, "ZL"),
        ("foo.csv", UNNAMED, "NFCI"),
    ],
)
def test_what_a_person_says_counts(
    drop: Drop, name: str, data: bytes, key: str
) -> None:
    """--symbol and --series tell what the header does not, whatever the name says."""
    told = drop(data, name, Hint(key=key))
    assert (told.end, told.key) == ("archive", key)
    assert (told.recognised_by or "").endswith("--key")


@pytest.mark.parametrize(
    ("name", "data", "hint", "said"),
    [
        ("DGS10.csv", NAMED, Hint(), "header says VIXCLS, the file's name says DGS10"),
        (
            "VIXCLS.csv",
            NAMED,
            Hint(key="DGS10"),
            "header says VIXCLS, --key says DGS10",
        ),
        ("prices.csv", YAHOO, Hint(key="LZ"), "expected a registered symbol"),
        ("ZL=F.csv", YAHOO, Hint(source="fred"), "not a header of fred"),
        ("ZL=F.csv", YAHOO, Hint(source="bloomberg"), "found 'bloomberg'"),
    ],
)
def test_what_contradicts_itself_waits(
    *, drop: Drop, name: str, data: bytes, hint: Hint, said: str
) -> None:
    """Nobody decides for the person which of two is meant."""
    told = drop(data, name, hint)
    assert told.end == "waiting"
    assert said in (told.reason or "")
    assert told.mend


def test_saying_the_source_as_well_does_no_harm(drop: Drop) -> None:
    """A hint helps to recognise a file and never overrules its header."""
    told = drop(YAHOO, hint=Hint(source="yahoo"))
    assert (told.end, told.key) == ("archive", "ZL")
    assert (told.recognised_by or "").startswith("header and --source")


def test_where_two_sources_have_a_header_a_person_says_which(
    lake: Lake, graph: Graph, put: Put
) -> None:
    """The file waits and names both; with --source it is taken."""
    twin = replace(graph.parsers["yahoo"][0], source="yfinance")
    both = replace(graph, parsers={**graph.parsers, "yfinance": (twin,)})
    put("ZL=F.csv", YAHOO)
    (told,) = take_in(lake, both)
    assert told.end == "waiting"
    assert "yahoo, yfinance have the header" in (told.reason or "")
    assert "--source" in (told.mend or "")


@pytest.mark.parametrize(
    ("name", "hint", "end"),
    [
        ("annual.txt", Hint(), "archive"),
        ("annual_legacy_2025.txt", Hint(), "archive"),
        ("deacot2025.txt", Hint(), "archive"),
        ("positions.txt", Hint(), "waiting"),
        ("annualci.txt", Hint(), "waiting"),
        ("deahistfo.txt", Hint(), "archive"),
        ("positions.txt", Hint(source="cftc"), "archive"),
    ],
)
def test_where_other_reports_share_the_header_the_name_must_tell(
    drop: Drop, name: str, hint: Hint, end: str
) -> None:
    """Futures only and futures with options look the same: nobody guesses which."""
    told = drop(year_file({}), name, hint)
    assert told.end == end, told.reason
    assert told.key == ("" if end == "archive" else None)
    if end == "waiting":
        assert "other reports have it too" in (told.reason or "")
        assert "--source cftc" in (told.mend or "")


def test_a_file_of_one_contract_is_named_by_its_name_or_a_person(drop: Drop) -> None:
    """Where the lines do not name the contract; the mend names a flag that there is."""
    data = b"Date,Commercial Long,Commercial Short,Commercial Index\n2019-10-22,1,2,3\n"
    told = drop(data, "ZL_cot.csv")
    assert (told.source, told.key, told.stored) == ("cftc_index", "007601", 1)
    told = drop(data, "mine.csv")
    assert told.end == "waiting"
    assert "--series 002602" in (told.mend or "")
    assert drop(data, "mine.csv", Hint(key="026603")).key == "026603"
    assert drop(data, "mine.csv", Hint(key="000000")).end == "waiting"


def test_the_first_line_that_counts_is_the_header() -> None:
    """Blank lines, remarks and a byte order mark come before it; quotes stay."""
    head = b'\xef\xbb\xbf\r\n# x\r\n  # y\r\n"a","b"\r\n1,2\r\n'
    assert first_line(head) == '"a","b"'
    assert first_line(b"# x\n") == ""


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("date,open,high,low,last,volume", "'close' is called 'last' here"),
        ("date,open,high,low,volume", "the column 'close' is missing"),
        ("date,open,high,low,close,volume,symbol", "'symbol' is one too many"),
        ("date,close,open,high,low,volume", "in another order"),
        ("Date,open,high,low,close,volume", "differ in 'Date'"),
        ("date,open,high,low,close,Vol", "'volume' is called 'Vol' here"),
        ("a,b,c", "Known are "),
    ],
)
def test_an_unknown_header_is_compared_with_the_known_ones(
    graph: Graph, header: str, said: str
) -> None:
    """What is renamed, missing, too many or elsewhere is said by name."""
    reason, mend = about(header, [p for ps in graph.parsers.values() for p in ps])
    assert said in reason
    assert mend


def test_a_single_contract_is_registered_by_its_root(drop: Drop) -> None:
    """ZLH26 may be said, and no receipt calls it unknown; ZLX26 is no month of ZL."""
    told = drop(BARCHART, "prices.csv", Hint(key="ZLH26"))
    assert (told.end, told.key, told.reason) == ("archive", "ZLH26", None)
    waits = drop(BARCHART.replace(b"05-01", b"05-02"), "x.csv", Hint(key="ZLX26"))
    assert waits.end == "waiting"
    assert "expected a registered symbol" in (waits.reason or "")
    unused = drop(BARCHART.replace(b"05-01", b"05-03"), "zlx26_price-history-1.csv")
    assert "not registered" in (unused.reason or "")
