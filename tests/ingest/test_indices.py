"""The uncertainty and risk indices in each of their forms. No note is taken for data."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pytest
import xlsxwriter

from cbi_stream import Answer, BadInput, Poll, SourceRefused
from cbi_stream.replay import books
from handlers.ingest.epu import epu, epu_asked, epu_books, epu_months
from handlers.ingest.gpr import gpr, gpr_asked, gpr_lines
from handlers.ingest.tpu import tpu, tpu_asked, tpu_lines

DAILY = "day,month,year,daily_policy_index"
MONTHLY = "Year,Month,Three_Component_Index,News_Based_Policy_Uncert_Index"
RISK = ["DAY", "N10D", "GPRD", "GPRD_ACT", "GPRD_THREAT", "date", "GPRD_MA30"]


def _file(*lines: str) -> bytes:
    return "\n".join([*lines, ""]).encode()


def _book(**sheets: list[list[object]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, cells in enumerate(rows):
                sheet.write_row(number, 0, cells)
    return out.getvalue()


NOON = datetime(2024, 6, 28, 12, tzinfo=UTC)


def _answer(data: bytes) -> Answer:
    return Answer("https://example.org", 200, "text/csv", NOON, data)


def test_a_day_stands_in_three_columns() -> None:
    """Day first, in any order of the columns; a repeated month is no day."""
    rows = epu.parse(_file(DAILY, "2,1,1985,296.43", "3,13,1985,1.00"), None)
    assert rows["series"].to_list() == ["us.daily", "us.daily"]
    assert rows["date"].to_list() == [date(1985, 1, 2)] * 2
    assert rows["value"].to_list() == ["296.43", None]
    assert "a year of four digits" in rows["problem"][1]
    turned = "year,daily_policy_index,month,day"
    assert epu.recognises(turned)
    again = epu.parse(_file(turned, "1985,296.43,1,2"), None)
    assert again["date"].to_list() == [date(1985, 1, 2)]


def test_notes_under_the_data_are_no_lines() -> None:
    """One above the last line of data is a line that cannot be read."""
    note = "\"Source: 'Measuring Economic Policy Uncertainty', 2016\",,,"
    rows = epu_months.parse(_file(MONTHLY, "2024,1,98.1,101.25", note), None)
    assert rows.height == 2
    assert rows["series"].to_list() == ["us.monthly_three_component", "us.monthly_news"]
    assert rows["line"].n_unique() == 2
    between = _file(MONTHLY, "2024,1,98.1,101.25", note, "2024,2,99,100")
    rows = epu_months.parse(between, None)
    assert rows["problem"].is_not_null().sum() == 1
    with pytest.raises(BadInput, match="expected lines that begin with Year"):
        epu_months.parse(_file(MONTHLY, note), None)


def test_the_header_tells_the_daily_indices_apart() -> None:
    """They have three of four columns in common."""
    trade = "day,month,year,daily_tpu_index"
    assert tpu_lines.recognises(trade)
    assert not epu.recognises(trade)
    assert not tpu_lines.recognises(DAILY)
    rows = tpu_lines.parse(_file(trade, "1,1,1985,0.00"), None)
    assert rows.select("series", "value").row(0) == ("daily_tpu_index", "0.00")


@pytest.mark.parametrize(
    ("columns", "series"),
    [
        (["7. Trade policy"], ["us.monthly_trade_policy"]),
        (
            ["Three_Component_Index", "News_Based_Policy_Uncert_Index"],
            ["us.monthly_three_component", "us.monthly_news"],
        ),
    ],
)
def test_a_workbook_is_told_by_its_columns(
    columns: list[str], series: list[str]
) -> None:
    """Numbers of years may be written with a point; a note is none."""
    note = ["Source: the authors"]
    rows = [
        ["Year", "Month", *columns],
        [2024, 1.0, 5.5, 6.5][: 2 + len(columns)],
        note,
    ]
    found = epu_books.parse(_book(Indices=rows), None)
    assert found["series"].to_list() == series
    assert found["date"].unique().to_list() == [date(2024, 1, 1)]
    with pytest.raises(BadInput, match=r"expected policy uncertainty .* found Year"):
        epu_books.parse(_book(Indices=[["Year", "Month", "renamed"]]), None)


def test_a_pasted_dictionary_is_no_data() -> None:
    """It stands to the right, may be longer than the data, and is never a column."""
    rows: list[list[books.Cell]] = [
        [*RISK, "event", "var_name", "var_label"],
        [19850101.0, 216.0, 230.04, 275.2, 153.03, 31048.0, 1.0, "", "DAY", "DAY"],
        [None] * 8 + ["N10D", "Number of articles"],
    ]
    found = gpr.parse(books.workbook({"Sheet1": rows}), None)
    assert found.select("series", "value").rows() == [
        ("n10d", "216"),
        ("gprd", "230.04"),
        ("gprd_act", "275.2"),
        ("gprd_threat", "153.03"),
    ]
    assert found["date"].unique().to_list() == [date(1985, 1, 1)]


def test_a_day_that_contradicts_its_twin_is_unreadable() -> None:
    """The file says each day twice, as a number and as a date."""
    good = [19850101.0, 216.0, 1.0, 1.0, 1.0, 31048.0, 1.0]
    rows: list[list[books.Cell]] = [[*RISK], [*good], [19850109.0, *good[1:]]]
    found = gpr.parse(books.workbook({"Sheet1": rows}), None)
    assert found.height == 5
    (problem,) = found["problem"].drop_nulls()
    assert "found '19850109', '31048'" in problem


def test_the_monthly_file_has_indices_and_countries() -> None:
    """A country without a number in a month says nothing of it."""
    names = ["GPR", "GPRT", "GPRA", "GPRH", "GPRHT", "GPRHA", "SHARE_GPR", "GPRC_CHN"]
    rows: list[list[books.Cell]] = [
        ["month", *names, "var_name"],
        [31048.0, *[float(i) for i in range(7)], None, "month"],
        [31079.0, *[float(i) for i in range(7)], 0.25, ""],
    ]
    found = gpr.parse(books.workbook({"Sheet1": rows}), None)
    assert found.height == 6 + 7
    assert found["series"].to_list()[-1] == "gprc_chn"
    assert found["date"].to_list()[-1] == date(1985, 2, 1)
    renamed = [["month", "GPR_INDEX", *names[1:]], *rows[1:]]
    with pytest.raises(BadInput, match=r"with the columns month, GPR, .* GPR_INDEX"):
        gpr.parse(books.workbook({"Sheet1": renamed}), None)


def test_a_person_may_save_the_risk_index_as_csv() -> None:
    """The same series come from either form."""
    data = _file(
        "date,GPRD,GPRD_ACT,GPRD_THREAT", "2024-01-31,1.5,2,3", "31.1.2024,1,2,3"
    )
    found = gpr_lines.parse(data, None)
    assert found["series"].to_list() == ["gprd", "gprd_act", "gprd_threat", ""]
    assert found["line"].n_unique() == 4
    assert "expected a day like 2024-01-31" in found["problem"][3]


def test_the_workbook_of_trade_policy_has_three_sheets() -> None:
    """Each is a series of its own, none is the daily CSV's; a missing one is named."""
    held: dict[str, list[list[object]]] = {
        "TPU_MONTHLY": [["DATE", "TPU"], ["1960M02", 1.5]],
        "TPU_QUARTERLY": [["DATE", "TPUQ"], ["1960Q2", 2.5]],
        "TPU_DAILY": [["DATE", "TPUD_index"], ["2024-01-31", 3.5], ["soon", 4]],
    }
    found = tpu.parse(_book(**held), None)
    assert found.select("series", "date", "value").rows() == [
        ("tpu", date(1960, 2, 1), "1.5"),
        ("tpuq", date(1960, 4, 1), "2.5"),
        ("tpud_index", date(2024, 1, 31), "3.5"),
        ("tpud_index", date(2024, 1, 31), None),
    ]
    del held["TPU_DAILY"]
    with pytest.raises(
        BadInput, match=r"expected the sheets .* found TPU_MONTHLY, TPU_Q"
    ):
        tpu.parse(_book(**held), None)


def test_files_are_asked_for_whole() -> None:
    """Each question is named as the file that a person would download."""
    poll = Poll(None, date(2024, 6, 28))
    asked = [w for ask in (epu_asked, gpr_asked, tpu_asked) for w in ask.wants(poll)]
    assert [want.name for want in asked] == [
        "All_Daily_Policy_Data.csv",
        "US_Policy_Uncertainty_Data.csv",
        "Categorical_EPU_Data.xlsx",
        "data_gpr_daily_recent.xls",
        "data_gpr_export.xls",
        "tpu_web_latest.xlsx",
    ]
    assert all(want.url.endswith(want.name) for want in asked)
    assert [want.expect for want in asked] == [
        "text",
        "text",
        "xlsx",
        "xls",
        "xls",
        "xlsx",
    ]


def test_a_drifted_header_is_refused_before_it_lands() -> None:
    """A mark of simulated data above the header is passed over; a header alone is empty."""
    (daily, *_) = epu_asked.wants(Poll(None, date(2024, 6, 28)))
    assert daily.judge(_answer(_file("# SIMULATED", DAILY, "1,1,1985,5"))) == "data"
    assert daily.judge(_answer(_file(DAILY))) == "empty"
    with pytest.raises(
        SourceRefused, match="expected the header day,month,year,daily_"
    ):
        daily.judge(_answer(_file("day,month,year,index", "1,1,1985,5")))
