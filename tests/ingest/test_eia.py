"""EIA figures in each of their forms; one id and one value, whatever the form."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cbi_stream.words.errors import BadInput
from handlers.ingest import eia, eia_bulk
from tests.ingest.conformed import staged
from tests.ingest.weeks import zipped

SOY = "M_EPOOBDSO_YIFBP_NUS_MMLB"


def told(*rows: dict[str, Any], frequency: str = "monthly", **more: Any) -> bytes:
    """Return an answer of the API with these rows."""
    response = {"total": str(len(rows)), "dateFormat": "YYYY-MM", "frequency": frequency,
                "data": list(rows), **more}  # fmt: skip
    return json.dumps({"response": response, "apiVersion": "2.1.13"}).encode()


def row(period: str, value: Any, series: str = SOY) -> dict[str, Any]:
    """Return one row of an answer."""
    return {"period": period, "series": series, "value": value, "units": "MMLB"}


def short(rows: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return series, date and value of each row."""
    return rows.select("series", "date", "value").rows()


def test_an_answer_is_recognised_also_turned_around() -> None:
    """By what it has, not by what comes first."""
    data = told(row("2024-01", "3")).decode()
    assert eia.answer.recognises(data)
    assert eia.answer.recognises(json.dumps(dict(reversed(json.loads(data).items()))))
    assert not eia.answer.recognises('{"response": {"result": "success"}}')
    assert not eia.answer.recognises('[{"period": "2024-01", "value": 1}]')


@pytest.mark.parametrize(
    ("frequency", "period", "series", "name", "day"),
    [
        ("monthly", "2024-02", SOY, SOY, date(2024, 2, 1)),
        ("weekly", "2024-02-02", "WDISTUS1", "WDISTUS1", date(2024, 2, 2)),
        ("daily", "2024-02-02", "RWTC", "RWTC", date(2024, 2, 2)),
        ("monthly", "2024-02", "RWTC", "RWTC.monthly", date(2024, 2, 1)),
        ("annual", "2024", "RWTC", "RWTC.annual", date(2024, 1, 1)),
        ("weekly", "2024-02-05", "EMD_EPD2D_PTE_NUS_DPG", "EMD_EPD2D_PTE_NUS_DPG",
         date(2024, 2, 5)),
    ],
)  # fmt: skip
def test_one_id_in_several_frequencies_is_several_series(
    frequency: str, period: str, series: str, name: str, day: date
) -> None:
    """A monthly mean never stands among daily prices."""
    rows = eia.answer.parse(told(row(period, "1", series), frequency=frequency), None)
    assert short(rows) == [(name, day, "1")]


@pytest.mark.parametrize(
    ("cell", "value"),
    [("3", "3"), (3, "3"), ("3.0", "3"), (2.5, "2.5"), ("-36.98", "-36.98"),
     ("1e-05", "0.00001"), ("1200", "1200"), (None, ""), ("", ""), ("W", ""),
     ("NA", ""), ("--", ""), ("Not Available", "")],
)  # fmt: skip
def test_a_value_is_a_number_or_missing(cell: Any, value: str) -> None:
    """However it is typed; what is withheld is missing, never zero."""
    assert short(eia.answer.parse(told(row("2024-01", cell)), None))[0][2] == value


@pytest.mark.parametrize("cell", ["x", "1,094", "NaN", "Infinity", "1e400"])
def test_another_word_is_a_problem(cell: str) -> None:
    """It is told, and the other rows go on."""
    rows = eia.answer.parse(told(row("2024-01", "1"), row("2024-02", cell)), None)
    assert rows["problem"].to_list()[1].startswith("number: ")


@pytest.mark.parametrize("name", ["series", "period", "value"])
def test_a_renamed_field_is_named(name: str) -> None:
    """Also a whole answer without values, as comes where data[] was not asked for."""
    bad = {("x" if key == name else key): v for key, v in row("2024-01", "1").items()}
    with pytest.raises(BadInput, match=f"under {name}; found"):
        eia.answer.parse(told(bad), None)


def test_what_is_no_answer_is_refused() -> None:
    """An error in the shape of JSON holds no rows."""
    with pytest.raises(BadInput, match=r"expected response\.data"):
        eia.answer.parse(b'{"response": {"error": "x"}}', None)


EXPORT = "period,duoarea,series,series-description,value,units\n"


def test_a_table_by_hand_has_the_ids_of_the_api() -> None:
    """The page's export, and a table with three columns that a person typed."""
    data = f'{EXPORT}2024-01,NUS,{SOY},"Soybean oil, all",1100,MMLB\n'.encode()
    assert eia.export.recognises(EXPORT.strip())
    assert short(eia.export.parse(data, None)) == [(SOY, date(2024, 1, 1), "1100")]
    typed = b"period,series,value\n2024-01-02,RWTC,70.1\n2024-01,RWTC,73\n"
    assert short(eia.export.parse(typed, None)) == [
        ("RWTC", date(2024, 1, 2), "70.1"),
        ("RWTC.monthly", date(2024, 1, 1), "73"),
    ]
    assert not eia.export.recognises("series,year,period,value")
    assert not eia.export.recognises("period,series,amount")


def test_a_line_of_another_width_stays_a_row() -> None:
    """A comma too many moves all cells: none of them is read."""
    data = b"period,series,value\n2024-01,A,1\n2024-02,A,1,5\n"
    rows = eia.export.parse(data, None)
    assert rows["problem"].to_list() == [None, "cells: expected 3 cells; found 4"]


MER = '"MSN","YYYYMM","Value","Column_Order","Description","Unit"\n'


def test_month_thirteen_is_the_year() -> None:
    """The total of a year never stands among its months."""
    data = f'{MER}"BFPRBUS","202401","10.5","2","x","y"\n"BFPRBUS","202413","130","2","x","y"\n"BFPRBUS","194913","Not Available","2","x","y"\n'.encode()  # fmt: skip # noqa: E501
    assert short(eia.review.parse(data, None)) == [
        ("BFPRBUS", date(2024, 1, 1), "10.5"),
        ("BFPRBUS.annual", date(2024, 1, 1), "130"),
        ("BFPRBUS.annual", date(1949, 1, 1), ""),
    ]


def line(name: str, pairs: list[Any], **more: Any) -> str:
    """Return a line of a bulk file."""
    return json.dumps({"series_id": name, "f": name[-1], "data": pairs, **more})


def test_a_bulk_file_gives_the_same_ids() -> None:
    """Lines of categories hold no series; newest comes first there."""
    text = "\n".join(
        [
            json.dumps({"category_id": "1", "name": "x"}),
            line(
                "PET.W_EPOOXE_YOP_NUS_MBBLD.W", [["20260102", 1094], ["20251226", None]]
            ),
            line("PET.RWTC.M", [["202601", 60.5]]),
        ]
    ).encode()
    expected = [
        ("W_EPOOXE_YOP_NUS_MBBLD", date(2026, 1, 2), "1094"),
        ("W_EPOOXE_YOP_NUS_MBBLD", date(2025, 12, 26), ""),
        ("RWTC.monthly", date(2026, 1, 1), "60.5"),
    ]
    assert short(eia_bulk.bulk.parse(text, None)) == expected
    assert short(eia_bulk.bulk_zip.parse(zipped("PET.txt", text), None)) == expected
    assert eia_bulk.bulk.recognises(text.decode())
    assert not eia_bulk.outlook.recognises(text.decode())


def test_a_whole_bulk_file_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Hundreds of thousands of series would drown the few that are used."""
    monkeypatch.setattr(eia_bulk, "_MOST_BYTES", 10)
    with pytest.raises(BadInput, match="keep the lines of those that are registered"):
        eia_bulk.bulk.parse(line("PET.RWTC.D", []).encode(), None)


def test_a_cut_or_renamed_bulk_line_is_refused() -> None:
    """With its number."""
    whole = line("PET.RWTC.D", [["20240102", 70.1]])
    with pytest.raises(BadInput, match="line 2: expected a series as JSON"):
        eia_bulk.bulk.parse(f"{whole}\n{whole[:-9]}".encode(), None)
    with pytest.raises(BadInput, match="line 1: expected a series with `data`"):
        eia_bulk.bulk.parse(whole.replace('"data"', '"values"').encode(), None)


ISSUE = "2026-07-07T12:00:00-04:00"


def test_an_outlook_is_dated_by_its_issue() -> None:
    """What it says of the months before is no forecast; years are not read."""
    text = "\n".join(
        [
            line("STEO.WTIPUUS.M", [["202610", 61.0], ["202607", 65.0], ["202606", 66.0]],
                 last_updated=ISSUE),
            line("STEO.WTIPUUS.A", [["2026", 64.0]], last_updated=ISSUE),
        ]
    ).encode()  # fmt: skip
    rows = eia_bulk.outlook_zip.parse(zipped("STEO.txt", text), None)
    assert short(rows) == [
        ("WTIPUUS.ahead_03", date(2026, 7, 7), "61"),
        ("WTIPUUS.ahead_00", date(2026, 7, 7), "65"),
    ]
    assert rows["stamp"].unique().to_list() == [datetime(2026, 7, 7, 16, tzinfo=UTC)]


def test_each_issue_is_a_row_of_its_own() -> None:
    """A later issue restates no earlier one."""
    first = line("STEO.WTIPUUS.M", [["202610", 61.0]], last_updated=ISSUE)
    second = line("STEO.WTIPUUS.M", [["202611", 62.0]], last_updated="2026-08-11T12:00:00-04:00")  # fmt: skip # noqa: E501
    rows = staged(eia_bulk.outlook, f"{first}\n{second}".encode())
    assert rows.select("series", "date", "value", "vintage", "basis").rows() == [
        ("WTIPUUS.ahead_03", date(2026, 7, 7), 61.0, 0, "stamp"),
        ("WTIPUUS.ahead_03", date(2026, 8, 11), 62.0, 0, "stamp"),
    ]


@pytest.mark.parametrize("stamp", [None, "July 2026", "2026-07-07T12:00:00"])
def test_an_outlook_without_its_date_is_refused(stamp: str | None) -> None:
    """A forecast that nobody can date is no forecast."""
    text = line("STEO.WTIPUUS.M", [["202610", 61.0]], last_updated=stamp)
    with pytest.raises(BadInput, match="last_updated with its zone"):
        eia_bulk.outlook.parse(text.encode(), None)


def test_a_workbook_is_told_by_its_name() -> None:
    """As the agency names it; others have other names."""
    for name in ("RWTCd.xls", "M_EPOOBDSO_YIFBP_NUS_MMLBm.xls", "PET_PRI_SPT_S1_D.xls"):
        assert eia.workbook.recognises(name)
    for name in ("wasde0726.xls", "RWTC.xls", "prices.xls", "RWTCd.xlsx"):
        assert not eia.workbook.recognises(name)


@pytest.mark.parametrize(
    ("days", "frequency"),
    [([1, 2, 3, 6], "daily"), ([1, 8, 15], "weekly"), ([15], None), ([], None)],
)
def test_a_sheet_without_contents_tells_its_frequency_by_its_gaps(
    days: list[int], frequency: str | None
) -> None:
    """Two days are enough to tell; one is not."""
    assert eia._frequency_of([date(2024, 1, day) for day in days]) == frequency
    months = [date(2024, month, 15) for month in (1, 2, 3)]
    assert eia._frequency_of(months) == "monthly"


def test_a_sheet_s_middle_of_a_month_is_the_month() -> None:
    """The API dates it by its first day, and so does this."""
    rows: list[tuple[str | None, ...]] = [
        ("Back to Contents", None, None),
        ("Sourcekey", SOY, "B"),
        ("Date", "Soybean oil (Million Pounds)", "B (x)"),
        ("2024-01-15 00:00:00", "1100", None),
        ("2024-02-15 00:00:00", None, "7"),
        ("2024-03-15 00:00:00", "1200", "8"),
    ]
    found = eia.Observations()
    eia._one_sheet(found, rows, 1, frequency=None)
    assert short(found.frame(expected="x")) == [
        (SOY, date(2024, 1, 1), "1100"),
        (SOY, date(2024, 2, 1), ""),
        (SOY, date(2024, 3, 1), "1200"),
        ("B", date(2024, 2, 1), "7"),
        ("B", date(2024, 3, 1), "8"),
    ]
