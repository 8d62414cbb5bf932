"""Quoted CSV is cut line by line: no quote swallows a line, no cell slips into another."""

from __future__ import annotations

import time
from datetime import date

import polars as pl
import pytest

from cbi_stream import BadInput
from handlers.ingest.bcb import bcb_csv
from handlers.ingest.bls import bls_table
from handlers.ingest.cells import (
    columns_of,
    cut,
    lines_in,
    number_in,
    records_in,
    told,
    ungrouped,
)
from handlers.ingest.inspections import inspections
from handlers.ingest.observed import Observations
from handlers.ingest.treasury import treasury_table
from handlers.ingest.yahoo import yahoo


def _read(
    text: str | bytes, *names: str, separator: str = ","
) -> list[tuple[object, ...]]:
    data = text if isinstance(text, bytes) else text.encode()
    found = columns_of(
        data, names or ("b", "a"), expected="a table", separator=separator
    )
    return found.select("line", "rule", *(names or ("b", "a"))).rows()


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("1,2,3", ("2", "1")),
        ('"1","2, 3","x ""y"""', ("2, 3", "1")),
        (",,", ("", "")),
        ('"",2,', ("2", "")),
        (" 1 , 2 ,3", ("2", "1")),
    ],
)
def test_a_whole_line_is_cut_at_its_commas(line: str, cells: tuple[str, str]) -> None:
    """Quotes hide commas; an empty cell is empty; blanks around a cell are none of it."""
    assert _read(f"a,b,c\n{line}\n") == [(2, None, *cells)]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("1,2", "cells"),
        ("1,2,3,4", "cells"),
        ('1,"2,3', "cells"),
        ('1,2",3', "cells"),
        ('1,"2"x,3', "cells"),
        ('1, "2",3', "cells"),
        ('1,"2"",3', "cells"),
        ("1,2\x00,3", "text"),
        ("1,2\u200b,3", "text"),
        ("1,2\x01,3", "text"),
    ],
)
def test_a_line_that_cannot_be_cut_is_told_and_its_neighbours_are_read(
    line: str, rule: str
) -> None:
    """It has no cells at all, rather than those of another column."""
    found = _read(f"a,b,c\n7,8,9\n{line}\n4,5,6\n")
    assert found == [(2, None, "8", "7"), (3, rule, "", ""), (4, None, "5", "4")]


def test_two_stray_quotes_swallow_no_line_between_them() -> None:
    """A quote never goes on in the next line."""
    found = _read('a,b,c\n1,"2,3\n4,5,6\n7",8,9\n')
    assert [row[:2] for row in found] == [(2, "cells"), (3, None), (4, "cells")]


def test_lines_are_numbered_as_in_the_file() -> None:
    """Remarks, blank lines and line ends of any kind do not shift them."""
    assert _read("# by hand\n\na,b,c\r\n\r\n1,2,3\r\n") == [(5, None, "2", "1")]
    assert _read("a,b,c\r1,2,3\r") == [(2, None, "2", "1")]
    assert _read("a;b;c\n1;2;3\n", separator=";") == [(2, None, "2", "1")]
    assert _read("a\tb\tc\n1\t2\t3\n", separator="\t") == [(2, None, "2", "1")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b,b\n1,2,3\n", "'b' twice"),
        ("a,b,B\n1,2,3\n", "twice"),
        ("a,c\n1,2\n", "found no b among a, c"),
        ("a,b\n1,2\na,b\n", "line 3: the header stands here again"),
        ("a,b\n1,\xe9\n".encode("latin-1"), "line 2: expected UTF-8"),
    ],
)
def test_a_table_that_is_wrong_as_a_whole_is_refused(
    text: str | bytes, said: str
) -> None:
    """A column twice, a column too few, two files in one, another encoding."""
    with pytest.raises(BadInput, match=said):
        _read(text)


def test_what_is_wrong_with_a_line_is_said_in_words() -> None:
    """The sentence of the caller is asked for its own rules only."""
    say = told(lambda rule, text: f"own {rule} {text}")
    assert say("date", "x") == "own date x"
    assert say("cells", "1,2") == (
        "expected as many cells as the header has; found 2 between commas"
    )
    assert say("cells", '1,"2').endswith("found an open quote")
    assert "U+200B" in say("text", "1\u200b")


def test_commas_are_taken_out_between_thousands_alone() -> None:
    """47,5 is no 475: where a comma stands elsewhere the cell stays as it is."""
    cells = ["1,234.5", "47,5", "1.234,5", "12,34,567", "1,234,567", "-1,000", "5"]
    plain = ["1234.5", "47,5", "1.234,5", "12,34,567", "1234567", "-1000", "5"]
    frame = pl.DataFrame({"n": cells})
    assert frame.select(number_in("n")).to_series().to_list() == plain
    assert [ungrouped(cell) for cell in cells] == plain


def test_a_record_that_does_not_fit_is_kept_with_its_problem() -> None:
    """The others go on; before one short line refused its whole file."""
    found = Observations()
    good = list(records_in(b'a,b\n1,2\n3\n4,"5\n6,7\n', found))
    assert good == [(2, {"a": "1", "b": "2"}), (5, {"a": "6", "b": "7"})]
    assert len(found) == 2
    with pytest.raises(BadInput, match="twice"):
        list(records_in(b"a,a\n1,2\n", Observations()))
    assert [cells for _, _, cells in lines_in(b'x\n"1\n\n2"\n')] == [
        ["x"],
        None,
        ['2"'],
    ]
    assert cut('"a",b') == ["a", "b"]


def _problems(rows: pl.DataFrame) -> list[str]:
    return [text.partition(":")[0] for text in rows["problem"].drop_nulls()]


@pytest.mark.parametrize("wrong", ["03/01/2024;5,2;7", "03/01/2024", '03/01/2024;"5,2'])
def test_a_line_of_the_central_bank_has_two_cells(wrong: str) -> None:
    """A cell more or less is told."""
    text = f'"data";"valor"\n02/01/2024;5,1\n{wrong}\n04/01/2024;5,3\n'
    rows = bcb_csv.parse(text.encode(), "1")
    assert _problems(rows) == ["cells"]
    assert rows["value"].drop_nulls().to_list() == ["5.1", "5.3"]


@pytest.mark.parametrize("wrong", ["A\t2024\tM02", "A\t2024\tM02\t7\t\t9"])
def test_a_line_of_labor_statistics_has_the_cells_of_its_header(wrong: str) -> None:
    """One without its value is no missing value."""
    header = "series_id\tyear\tperiod\tvalue\tfootnote_codes"
    text = f"{header}\nA\t2024\tM01\t1.5\t\n{wrong}\nA\t2024\tM03\t3.5\n"
    rows = bls_table.parse(text.encode(), None)
    assert _problems(rows) == ["cells"]
    assert rows["value"].drop_nulls().to_list() == ["1.5", "3.5"]


def test_a_week_of_inspections_that_is_short_keeps_no_other_out() -> None:
    """Its line is unreadable, the weeks around it are read."""
    header = "week_ending,china_1000_bu,sum_of_countries_1000_bu,reported_total_1000_bu"
    text = f"{header}\n2024-05-02,1,2,3\n2024-05-09,1,2\n2024-05-16,4,5,6\n"
    rows = inspections.parse(text.encode(), None)
    assert _problems(rows) == ["cells"]
    assert rows["value"].drop_nulls().to_list() == ["1", "2", "3", "4", "5", "6"]


def test_a_day_out_of_all_bounds_is_no_day() -> None:
    """The year 9999 of a careless export stands beside no true one."""
    found = Observations()
    for year in (1899, 1900, 2100, 2101):
        found.add("a", date(year, 1, 1), "1")
    assert _problems(found.frame(expected="days")) == ["date", "date"]


def test_a_last_number_without_a_line_end_is_not_believed() -> None:
    """Yahoo ends no last line: cut in its volume it would look whole."""
    head = b"Date,Open,High,Low,Close,Adj Close,Volume\n2024-04-01,1,1,1,1,1,100\n"
    line = b"2024-04-02,1,1,1,1,1,68022"
    assert yahoo.parse(head + line, "ZL")["volume"].to_list() == ["100", ""]
    assert yahoo.parse(head + line + b"\n", "ZL")["volume"].to_list() == [
        "100",
        "68022",
    ]
    none = b"2024-04-02,null,null,null,null,null,null"
    assert yahoo.parse(head + none, "ZL")["volume"].to_list() == ["100", "null"]


def test_three_hundred_thousand_lines_are_cut_within_the_childs_minute() -> None:
    """A bulk file is read by columns, not by cells."""
    line = '"2222000","Oilseed, Soybean","US","x","2019","1.5"\n'
    began = time.process_time()
    found = _read("a,b,c,d,e,f\n" + line * 300_000)
    assert len(found) == 300_000
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    "wrong", ["2026-03-31,Brazil-Real,5,4", "2026-03-31,Brazil-Real"]
)
def test_a_table_of_the_treasury_has_the_cells_of_its_header(wrong: str) -> None:
    """A long row is no row of other columns."""
    header = "record_date,country_currency_desc,exchange_rate"
    good = "2026-06-30,Brazil-Real,5.434\n2025-12-31,Brazil-Real,5.5"
    rows = treasury_table.parse(f"{header}\n{wrong}\n{good}\n".encode(), None)
    assert _problems(rows) == ["cells"]
    assert rows["value"].drop_nulls().to_list() == ["5.434", "5.5"]
