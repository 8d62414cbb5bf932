"""What is particular to each source: headers, words for nothing, layouts."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.registry import loader
from cbi_stream.words.errors import BadInput
from handlers.ingest.cftc import cftc
from handlers.ingest.fred import fred
from handlers.ingest.yahoo import yahoo
from handlers.ingest.yfinance import yfinance

Read = Callable[..., pl.DataFrame]
PARSERS = (yahoo, yfinance, fred, cftc)
_SIDES = [
    "Noncommercial Positions-Long", "Noncommercial Positions-Short",
    "Noncommercial Positions-Spreading", "Commercial Positions-Long",
    "Commercial Positions-Short", "Total Reportable Positions-Long",
    "Total Reportable Positions-Short", "Nonreportable Positions-Long",
    "Nonreportable Positions-Short", "Traders-Total",
]  # fmt: skip
NAMES = [
    "Market and Exchange Names", "As of Date in Form YYYY-MM-DD",
    "CFTC Contract Market Code", "Open Interest (All)", *(f"{n} (All)" for n in _SIDES),
]  # fmt: skip
WIDTH = 129


def year_file(*changed: dict[str, str], first: str = "") -> bytes:
    """Return a legacy year file with a line for each dictionary of changed cells."""
    rest = [f"Filler {i}" for i in range(WIDTH - len(NAMES) - 1)]
    columns = [*NAMES, *rest, "Contract Units"]
    out = io.StringIO()
    header = ",".join(f'"{name}"' for name in columns).replace(
        '"Total Reportable Positions-Long (All)"',
        '" Total Reportable Positions-Long (All)"',
    )
    out.write(first + header + "\n")
    for cells in changed:
        known = dict.fromkeys(columns, "  1234") | {
            "Market and Exchange Names": "SOYBEAN OIL - CHICAGO BOARD OF TRADE",
            "As of Date in Form YYYY-MM-DD": "2025-03-11",
            "CFTC Contract Market Code": "007601",
            "Contract Units": "(CONTRACTS OF 60,000 POUNDS)",
        }
        csv.writer(out, lineterminator="\n").writerow((known | cells).values())
    return out.getvalue().encode()


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.source)
def test_a_parser_gives_the_columns_of_its_raw_table(
    read: Read, parser: object
) -> None:
    """Contract and parser say the same, and nothing has to be guessed between them."""
    assert isinstance(parser, type(yahoo))
    registry = loader.load(Path(__file__).resolve().parents[2] / "registry")
    entry = registry.data_sources.sources[parser.source]
    lake = {"as_of", "stated", "batch", "sha256", "first_seen_at", "parser"}
    columns = registry.contracts[entry.raw].columns
    own = set(columns) - lake
    needed = {name for name in own if columns[name].required} | {"problem", "text"}
    header = year_file() if parser is cftc else parser.headers[0].encode() + b"\n"
    rows = read(parser.source, header.replace(b"SERIES", b"VIXCLS"))
    assert needed <= set(rows.columns) <= own


@pytest.mark.parametrize("parser", PARSERS, ids=lambda parser: parser.source)
def test_no_two_sources_share_a_header(parser: object) -> None:
    """The header alone says the source."""
    assert isinstance(parser, type(yahoo))
    for header in parser.headers:
        shown = header.replace("SERIES", "VIXCLS")
        assert [p.source for p in PARSERS if p.recognises(shown)] == [parser.source]


@pytest.mark.parametrize("shape", ["observation_date,DFF", "DATE,DFF"])
def test_a_header_may_name_the_series(shape: str) -> None:
    """Then the file says what it is, whatever it is called."""
    assert fred.key_of(shape) == "DFF"
    rows = fred.parse(f"{shape}\n2024-05-01,5.33\n".encode(), None)
    assert rows["series"].to_list() == ["DFF"]


@pytest.mark.parametrize("shape", ["Date,Value", "date,value"])
def test_a_header_without_a_series_needs_one(shape: str) -> None:
    """The key that comes with the file is the series; without one nothing is read."""
    data = f"{shape}\n2024-05-01,5.33\n".encode()
    assert fred.key_of(shape) is None
    assert fred.parse(data, "NFCI")["series"].to_list() == ["NFCI"]
    with pytest.raises(BadInput, match="series None"):
        fred.parse(data, None)


def test_a_header_with_another_series_is_refused() -> None:
    """A parser never stores a series under another one's name."""
    with pytest.raises(BadInput, match="expected a file of the series DGS10"):
        fred.parse(b"DATE,DFF\n2024-05-01,5.33\n", "DGS10")


@pytest.mark.parametrize(
    ("source", "line", "column", "kept"),
    [
        ("fred", b"observation_date,VIXCLS\n2024-05-01,", "value", ""),
        ("fred", b"observation_date,VIXCLS\n2024-05-01,.", "value", "."),
        (
            "yfinance",
            b"date,open,high,low,close,volume\n2026-06-16,,,,,1106",
            "open",
            "",
        ),
        (
            "yahoo",
            yahoo.headers[0].encode() + b"\n2024-05-01,null,null,null,null,null,null",
            "close",
            "null",
        ),
        ("cftc", year_file({"Traders-Total (All)": "      ."}), "traders", "."),
    ],
)
def test_a_word_for_nothing_is_kept_as_written(
    read: Read, source: str, line: bytes, column: str, kept: str
) -> None:
    """What is missing is a fact of the source, and no problem of the line."""
    rows = read(source, line)
    assert rows[column].to_list() == [kept]
    assert rows["problem"].to_list() == [None]


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("yfinance", b"date,open,high,low,close,volume\n2026-06-16,null,1,1,1,1\n"),
        ("fred", b"observation_date,VIXCLS\n2024-05-01,null\n"),
        ("yahoo", yahoo.headers[0].encode() + b"\n2024-05-01,.,1,1,1,1,1\n"),
    ],
)
def test_another_source_s_word_for_nothing_is_no_number(
    read: Read, source: str, line: bytes
) -> None:
    """Each source has its own words; others are told, and never taken for a gap."""
    good = line.rpartition(b"\n2")[0] + b"\n"
    fill = {"yfinance": b"2026-06-15,1,1,1,1,1\n", "fred": b"2024-04-30,1\n"}
    more = fill.get(source, b"2024-04-30,1,1,1,1,1,1\n")
    rows = read(source, good + more + line.partition(b"\n")[2])
    assert rows["problem"].to_list()[0] is None
    assert rows["problem"].to_list()[1].startswith("number: ")


def test_all_seventeen_digits_stay(read: Read) -> None:
    """A 32-bit float printed in full is a number, and no digit of it is lost."""
    row = b"2026-06-15,73.5,74.43000030517578,72.37000274658203,3.492300033569336,1\n"
    rows = read("yfinance", b"date,open,high,low,close,volume\n" + row)
    assert rows["close"].to_list() == ["3.492300033569336"]


def test_a_negative_price_is_a_number(read: Read) -> None:
    """WTI closed at -37.63 on 2020-04-20, and that is true."""
    rows = read("fred", b"observation_date,VIXCLS\n2020-04-20,-36.98\n")
    assert rows["value"].to_list() == ["-36.98"]


def test_positions_are_read_by_the_names_of_their_columns(read: Read) -> None:
    """Padding goes, commas inside quotes stay, each line names its contract."""
    wheat = {"CFTC Contract Market Code": "001602", "Open Interest (All)": "  471935"}
    market = {"Market and Exchange Names": "WHEAT, SOFT - CHICAGO"}
    rows = read("cftc", year_file({}, wheat | market))
    assert rows["contract"].to_list() == ["007601", "001602"]
    assert rows["open_interest"].to_list() == ["1234", "471935"]
    assert rows["market"].to_list()[1] == "WHEAT, SOFT - CHICAGO"
    assert rows["date"].to_list() == [date(2025, 3, 11)] * 2
    assert rows["problem"].null_count() == 2


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"As of Date in Form YYYY-MM-DD": "11.03.2025"}, "date: "),
        ({"Open Interest (All)": "1,234"}, "number: open_interest: "),
        ({"Open Interest (All)": "-1"}, "number: open_interest: "),
        ({"Commercial Positions-Long (All)": "NaN"}, "non_finite: commercial_long: "),
        ({"CFTC Contract Market Code": "00 76"}, "text: expected a code like 007601"),
        ({"CFTC Contract Market Code": ""}, "text: expected a code like 007601"),
        ({"Market and Exchange Names": "SOY\x07"}, "text: expected plain characters"),
    ],
)
def test_an_unreadable_position_keeps_its_contract_where_it_has_one(
    read: Read, cells: dict[str, str], problem: str
) -> None:
    """A line without a code is about nothing that is known: its contract is empty."""
    rows = read("cftc", year_file({}, cells))
    assert rows["problem"].to_list()[1].startswith(problem)
    told = "code like" in problem
    assert rows["contract"].to_list()[1] == ("" if told else "007601")
    assert rows["open_interest"].to_list()[1] is None


def test_a_quote_that_stays_open_spoils_one_line_and_no_other(read: Read) -> None:
    """The next line is read for itself: two lines never become one."""
    good = year_file({}, {}, {}).decode().split("\n")
    good[2] = good[2].replace('"(CONTRACTS OF 60,000 POUNDS)"', '"(CONTRACTS OF 60,000')
    rows = read("cftc", "\n".join(good).encode())
    assert rows["line"].to_list() == [2, 3, 4]
    assert rows["problem"].null_count() == 2
    assert "closed quotes" in rows["problem"].to_list()[1]
    assert len(rows["text"].to_list()[1]) == 500


@pytest.mark.parametrize("more", [",", ",7", ""])
def test_a_line_of_another_width_is_no_line_of_positions(read: Read, more: str) -> None:
    """One cell too many or too few moves all that follow: none of them is read."""
    lines = year_file({}, {}, {}).decode().split("\n")
    lines[1] = lines[1] + more if more else lines[1].partition(",")[2]
    rows = read("cftc", "\n".join(lines).encode())
    assert rows["problem"].to_list()[0].startswith("cells: expected 129 cells; found 1")
    assert rows["contract"].to_list()[0] == ""


def test_a_header_that_lacks_a_count_is_none(read: Read) -> None:
    """A disaggregated report, or one without traders, is not read as a legacy one."""
    data = year_file({}).replace(b'"Traders-Total (All)"', b'"Traders (All)"')
    with pytest.raises(BadInput, match="legacy report"):
        read("cftc", data)
    assert not cftc.recognises('"Market_and_Exchange_Names","Open_Interest_All"')
