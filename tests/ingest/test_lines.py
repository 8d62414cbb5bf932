"""Each line of a file is a row, whatever is wrong with it; wrong files are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from time import perf_counter

import polars as pl
import pytest

from cbi_stream.words.errors import BadInput

Read = Callable[..., pl.DataFrame]
HEADERS = {
    "yahoo": b"Date,Open,High,Low,Close,Adj Close,Volume\n",
    "yfinance": b"date,open,high,low,close,volume\n",
    "fred": b"observation_date,VIXCLS\n",
}
GOOD = {
    "yahoo": b"2024-05-%02d,45.1,45.3,43.0,43.1,43.1,68022\n",
    "yfinance": b"2024-05-%02d,45.099998474121094,45.3,43.0,43.1,68022\n",
    "fred": b"2024-05-%02d,15.39\n",
}
DAYS = (1, 2, 3, 6)


def whole(source: str, *more: bytes) -> bytes:
    """Return a file with four readable lines, and more under them."""
    return HEADERS[source] + b"".join(GOOD[source] % d for d in DAYS) + b"\n".join(more)


@pytest.mark.parametrize("source", ["yahoo", "yfinance", "fred"])
def test_readable_lines_have_no_problem(read: Read, source: str) -> None:
    """Numbers of the lines are those of an editor; the cells are text."""
    rows = read(source, whole(source))
    assert rows["line"].to_list() == [2, 3, 4, 5]
    assert rows["date"].to_list() == [date(2024, 5, d) for d in DAYS]
    assert rows["problem"].null_count() == rows["text"].null_count() == 4
    cells = [n for n in rows.columns if n not in {"line", "date", "problem", "text"}]
    assert all(rows.schema[name] == pl.String for name in cells)


PRICE_LINES = [
    (b"2024-05-07,43,43,43,43,43", "cells: expected 7 cells; found 6"),
    (b"2024-05-07,43,43,43,43,43,1,9", "cells: expected 7 cells; found 8"),
    (b"2024-05-07,43,43,43,43,43,1,", "cells: expected 7 cells; found 8"),
    (b"2024-05-07,1,234.50,43,43,43,43,1", "cells: expected 7 cells; found 8"),
    (b"2024-05-07;43;43;43;43;43;1", "cells: expected 7 cells; found 1"),
    (b"07.05.2024,43,43,43,43,43,1", "date: expected a day like 2024-01-31"),
    (b"03/04/2024,43,43,43,43,43,1", "date: "),
    (b"24-05-07,43,43,43,43,43,1", "date: "),
    (b"2024-02-30,43,43,43,43,43,1", "date: "),
    (b"20240507,43,43,43,43,43,1", "date: "),
    (b"2024-5-7,43,43,43,43,43,1", "date: "),
    (b"+2024-05-07,43,43,43,43,43,1", "date: "),
    (b"0224-05-07,43,43,43,43,43,1", "date: "),
    (b"9999-05-07,43,43,43,43,43,1", "date: "),
    (b"45419,43,43,43,43,43,1", "date: "),
    (b"2024-05-07T00:00,43,43,43,43,43,1", "date: "),
    (b"Total,43,43,43,43,43,1", "date: "),
    (b",,,,,,", "date: "),
    (b"2024-05-07,43,43,NaN,43,43,1", "non_finite: low: "),
    (b"2024-05-07,43,43,inf,43,43,1", "non_finite: low: "),
    (b"2024-05-07,43,43,-Infinity,43,43,1", "non_finite: low: "),
    (b"2024-05-07,43,43,1e400,43,43,1", "non_finite: low: "),
    (b'2024-05-07,"43",43,43,43,43,1', "number: open: "),
    (b"2024-05-07,4e1,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,0x1F,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,1_000,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,$43,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,(43),43,43,43,43,1", "number: open: "),
    (b"2024-05-07,43-,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,+43,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,=1+1,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,N/A,43,43,43,43,1", "number: open: "),
    (b"2024-05-07,.,43,43,43,43,1", "number: open: "),
    ("2024-05-07,٤٣,43,43,43,43,1".encode(), "number: open: "),
    ("2024-05-07,\uff14\uff13,43,43,43,43,1".encode(), "number: open: "),
    ("2024-05-07,\u22124.5,43,43,43,43,1".encode(), "number: open: "),
    ("2024-05-07,43\u00a0,43,43,43,43,1".encode(), "number: open: "),
    (b"2024-05-07,43,43,43,43,43,12.5", "number: volume: expected a whole number"),
    (b"2024-05-07,43,43,43,43,43," + b"9" * 20, "number: volume: "),
    (b"2024-05-07," + b"9" * 400 + b",43,43,43,43,1", "number: open: "),
    (
        b"2024-05-07,4\x003,43,43,43,43,1",
        "text: expected plain characters; found U+0000",
    ),
    (b"2024-05-07,\x1b[31m43,43,43,43,43,1", "text: expected plain .* U\\+001B"),
    ("2024-05-07,43\u200b,43,43,43,43,1".encode(), "text: .* U\\+200B"),
    ("2024-05-07,43\u202e,43,43,43,43,1".encode(), "text: .* U\\+202E"),
    ("\ufeff2024-05-07,43,43,43,43,43,1".encode(), "text: .* U\\+FEFF"),
]


@pytest.mark.parametrize(("bad", "problem"), PRICE_LINES)
def test_an_unreadable_line_is_a_row_with_its_problem(
    read: Read, bad: bytes, problem: str
) -> None:
    """Rule and sentence are told, the line stands as it is, no cell of it counts."""
    rows = read("yahoo", whole("yahoo", bad, b""))
    assert rows.height == 5
    assert rows["problem"].drop_nulls().len() == 1
    found = rows.row(-1, named=True)
    assert pl.Series([found["problem"]]).str.contains(f"^{_literal(problem)}").all()
    assert found["line"] == 6
    assert found["text"] == bad.decode()[:500]
    prices = ("open", "high", "low", "close", "adj_close", "volume")
    assert [found[name] for name in prices] == [None] * 6


def _literal(problem: str) -> str:
    return problem if "\\" in problem else problem.replace("+", r"\+")


def test_an_unreadable_line_has_its_own_date_or_a_neighbour_s(read: Read) -> None:
    """Its own where it can be read; else of the readable line above, else below."""
    bad = [b"x,1\n", b"2024-04-30,NaN\n", b"2024-05-01,15.39\n", b"y,1\n"]
    rest = [b"2024-04-02,inf\n", b"z,1\n", b"2024-05-02,14\n", b"2024-05-03,1\n"]
    rest += [b"2024-05-06,1\n", b"2024-05-07,1\n"]
    rows = read("fred", HEADERS["fred"] + b"".join(bad + rest))
    days = [(day.month, day.day) for day in rows["date"]]
    assert days[:6] == [(5, 1), (4, 30), (5, 1), (5, 1), (4, 2), (5, 1)]
    assert rows["problem"].count() == 5


def test_the_same_bytes_give_the_same_rows(read: Read) -> None:
    """Nothing depends on anything but the bytes."""
    data = whole("yahoo", b"x,1,1,1,1,1,1", b"2024-05-07,NaN,1,1,1,1,1")
    assert read("yahoo", data).equals(read("yahoo", data))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_mark_make_no_difference(
    read: Read, end: bytes, mark: bytes
) -> None:
    """LF, CRLF and CR are line ends alike: no file is read as one long line."""
    plain = whole("yahoo")
    rows = read("yahoo", mark + plain.replace(b"\n", end))
    assert rows.equals(read("yahoo", plain))


def test_blank_lines_and_remarks_are_passed_over(read: Read) -> None:
    """Line numbers still are those of the file."""
    data = b"# a remark\n\n" + whole("fred").replace(
        b"\n2024-05-02", b"\n \n2024-05-02"
    )
    assert read("fred", data + b"\n\n")["line"].to_list() == [4, 6, 7, 8]


def test_blanks_around_a_cell_do_not_count(read: Read) -> None:
    """Padding is no part of a cell; the rest is kept as it was written."""
    rows = read("fred", whole("fred", b"2024-05-07, 15.390 \t"))
    assert rows["value"].to_list()[-1] == "15.390"


def test_a_file_with_a_header_alone_has_no_rows(read: Read) -> None:
    """It has the columns all the same."""
    rows = read("yahoo", HEADERS["yahoo"])
    assert rows.height == 0
    assert rows.columns == read("yahoo", whole("yahoo")).columns


WRONG_FILES = [
    (b"", "line 1: expected the header Date,Open"),
    (b"# only a remark\n", "expected the header"),
    (b"Date,Open,High,Low,Last,Adj Close,Volume\n", "expected the header"),
    (b"<!DOCTYPE html><html>\n", "found a web page or JSON"),
    (b'{"chart": null}\n', "found a web page or JSON"),
    (whole("yahoo", b"\xe9t\xe9"), "line 6: expected UTF-8 text; found the byte 0xe9"),
    (whole("yahoo").decode().encode("utf-16"), "line 1: expected UTF-8.*UTF-16"),
    (whole("yahoo").decode().encode("utf-16-le"), "line 1: expected UTF-8.*UTF-16"),
    (b"\x00" * 2000, "line 1: expected UTF-8.*binary"),
    (whole("yahoo") + whole("yahoo"), "line 6: the header stands here again"),
    (whole("yahoo", *[b"x,1"] * 5), "5 of 9 lines cannot be read"),
]


@pytest.mark.parametrize(("data", "message"), WRONG_FILES)
def test_a_file_that_is_wrong_as_a_whole_is_refused(
    read: Read, data: bytes, message: str
) -> None:
    """Another format, another header, two files in one, mostly noise."""
    with pytest.raises(BadInput, match=message):
        read("yahoo", data)


def test_half_of_the_lines_may_be_unreadable_and_no_more(read: Read) -> None:
    """Four of eight are kept; the fifth is one too many, and the first five are told."""
    half = whole("yahoo", *[b"x,1"] * 4)
    assert read("yahoo", half)["problem"].count() == 4
    with pytest.raises(BadInput) as refused:
        read("yahoo", whole("yahoo", *[b"x,1"] * 9))
    told = str(refused.value)
    assert told.count("cells: expected 7 cells; found 2; the line is 'x,1'") == 5
    assert "(and 4 more)" in told


def test_a_long_line_is_kept_short(read: Read) -> None:
    """A line of a million characters is a problem, and no load for the lake."""
    rows = read("yahoo", whole("yahoo", b"9" * 2_000_000))
    assert "one of 2000000 characters" in rows["problem"].to_list()[-1]
    assert len(rows["text"].to_list()[-1]) == 500


def test_a_file_of_seventy_years_of_days_is_parsed_at_once(read: Read) -> None:
    """25,000 lines take a few hundredths of a second (bound: 0.5, for busy machines)."""
    data = HEADERS["fred"] + GOOD["fred"] % 1 * 25_000
    read("fred", data)
    start = perf_counter()
    assert read("fred", data).height == 25_000
    assert perf_counter() - start < 0.5
