"""FRED's JSON: which rows say when they were released, and which only seem to."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cbi_stream.words.errors import BadInput
from handlers.ingest.fred import fred_json, fred_xml
from tests.ingest.asking import registry

WHOLE, NO_END = "1776-07-04", "9999-12-31"


def page(start: str, end: str, *rows: tuple[str, str, str, Any], **more: Any) -> bytes:
    """Return an answer over these days of the database."""
    entries = [
        {"realtime_start": began, "realtime_end": ended, "date": day, "value": value}
        for began, ended, day, value in rows
    ]
    head = {"realtime_start": start, "realtime_end": end, "units": "lin"}
    head |= {"output_type": 1, "count": len(rows), "offset": 0}
    return json.dumps({**head, **more, "observations": entries}).encode()


def read(data: bytes) -> list[tuple[Any, ...]]:
    """Return day, value, day of the stamp and `loaded` of each row."""
    rows = fred_json.parse(data, "GDP").rows(named=True)
    assert {row["series"] for row in rows} <= {"GDP"}
    return [(str(r["date"]), r["value"], _day(r["stamp"]), r["loaded"]) for r in rows]


def _day(stamp: datetime | None) -> str | None:
    if stamp is None:
        return None
    # The end of a day in Chicago is 04:59:59 or 05:59:59 UTC of the next one.
    assert stamp.astimezone(UTC).strftime("%M:%S") == "59:59"
    return str(date.fromordinal(stamp.toordinal() - 1))


def test_every_vintage_of_a_whole_answer_has_its_day() -> None:
    """Also one that takes a value back; those of the first vintage were loaded then."""
    data = page(
        WHOLE,
        NO_END,
        ("1992-12-22", "1996-01-18", "1946-01-01", "199.7"),
        ("1996-01-19", "1997-05-06", "1946-01-01", "."),
        ("1997-05-07", NO_END, "1946-01-01", "210.4"),
    )
    assert read(data) == [
        ("1946-01-01", "199.7", "1992-12-22", True),
        ("1946-01-01", ".", "1996-01-19", None),
        ("1946-01-01", "210.4", "1997-05-07", None),
    ]


def test_a_stamp_is_the_end_of_the_day_in_chicago() -> None:
    """There is no time of day: by then all of its news is out, in summer and winter."""
    data = page(
        WHOLE,
        NO_END,
        ("2024-01-10", "2024-07-09", "2023-12-01", "1"),
        ("2024-07-10", NO_END, "2023-12-01", "2"),
    )
    stamps = fred_json.parse(data, "GDP")["stamp"].to_list()
    assert [s.isoformat() for s in stamps] == [
        "2024-01-11T05:59:59+00:00",
        "2024-07-11T04:59:59+00:00",
    ]


def test_a_row_cut_at_the_window_tells_no_release() -> None:
    """It stood on that day; what still stands was seen when it was asked for."""
    data = page(
        "2020-01-02",
        NO_END,
        ("2020-01-02", "2020-02-05", "2019-10-01", "1"),
        ("2020-02-06", NO_END, "2019-10-01", "2"),
        ("2020-01-02", NO_END, "2019-07-01", "3"),
    )
    assert read(data) == [
        ("2019-10-01", "1", "2020-01-02", True),
        ("2019-10-01", "2", "2020-02-06", None),
        ("2019-07-01", "3", None, None),
    ]


def test_a_row_cut_at_both_ends_is_not_taken_for_the_value_of_now() -> None:
    """A window that ended long ago says nothing of what stands today."""
    data = page(
        "2010-01-04", "2012-01-04", ("2010-01-04", "2012-01-04", "2009-10-01", "1")
    )
    assert read(data) == [("2009-10-01", "1", "2010-01-04", True)]


def test_the_second_page_of_a_whole_answer_knows_no_first_vintage() -> None:
    """Its oldest day is not that of the series: it is taken for a release."""
    row = ("2005-01-03", NO_END, "2004-10-01", "1")
    assert read(page(WHOLE, NO_END, row)) == [("2004-10-01", "1", "2005-01-03", True)]
    paged = page(WHOLE, NO_END, row, count=100_001, offset=100_000)
    assert read(paged) == [("2004-10-01", "1", "2005-01-03", None)]


def test_a_series_without_vintages_has_no_stamps() -> None:
    """Its rows begin with the beginning of time, which is no release."""
    assert read(page(WHOLE, NO_END, (WHOLE, NO_END, "2004-10-01", "1"))) == [
        ("2004-10-01", "1", None, None)
    ]


def test_numbers_and_strings_both_parse_and_order_does_not_matter() -> None:
    """`count` may be a string, a value a number, and fields may stand anywhere."""
    entry = {"value": 1.50, "date": "2024-01-01"}
    entry |= {"realtime_end": "2024-07-01", "realtime_start": "2024-07-01"}  # type: ignore[dict-item]
    head = {"observations": [entry], "count": "1", "output_type": "1"}
    days = {"realtime_end": "2024-07-01", "realtime_start": "2024-07-01"}
    assert read(json.dumps({**head, **days}).encode()) == [
        ("2024-01-01", "1.5", None, None)
    ]


def test_rows_that_cannot_be_read_stay_with_their_problem() -> None:
    """A day that is none, a value that is none: each is told, the others go on."""
    good = [(WHOLE, NO_END, f"2024-0{i}-01", "1") for i in (1, 2, 3)]
    bad = [(WHOLE, NO_END, "2024-13-01", "1"), (WHOLE, NO_END, "2024-04-01", "n/a")]
    rows = fred_json.parse(page(WHOLE, NO_END, *good, *bad), "GDP")
    problems = rows["problem"].drop_nulls().to_list()
    assert [p.split(":")[0] for p in problems] == ["date", "number"]
    assert "found 'n/a'" in problems[1]


ROW = (WHOLE, NO_END, "2024-01-01", "1")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (page(WHOLE, NO_END, ROW).replace(b'"value"', b'"val"'), "under value; found .*val"),
        (page(WHOLE, NO_END, ROW).replace(b'"date"', b'"day"'), "under date; found"),
        (page(WHOLE, NO_END, ROW).replace(b'_end": "9', b'_e": "9'), "realtime_end"),
        (page(WHOLE, NO_END, ROW, units="pch"), "found units pch"),
        (page(WHOLE, NO_END, ROW, output_type=2), "output_type 2"),
        (b"[]", "found a list"),
        (page(WHOLE, NO_END, ROW)[:-9], "expected JSON"),
    ],
)  # fmt: skip
def test_another_shape_is_refused_by_name(data: bytes, said: str) -> None:
    """A renamed field, transformed values, one column per vintage, a cut file."""
    with pytest.raises(BadInput, match=said):
        fred_json.parse(data, "GDP")


def test_what_names_no_series_is_refused() -> None:
    """JSON of FRED does not say which series it is."""
    with pytest.raises(BadInput, match="does not name it"):
        fred_json.parse(page(WHOLE, NO_END, ROW), None)


def test_xml_is_refused_with_the_mend() -> None:
    """It is what FRED gives where nobody asks for JSON."""
    assert fred_xml.recognises('<observations realtime_start="2015-06-28">')
    with pytest.raises(BadInput, match="file_type=json"):
        fred_xml.parse(b'<observations count="0"/>', "GDP")


def test_it_tells_its_own_answers_from_others() -> None:
    """Observations are recognised; days of vintages and errors are none."""
    assert fred_json.recognises(page(WHOLE, NO_END, ROW).decode())
    assert not fred_json.recognises('{"realtime_start":"x","vintage_dates":[]}')
    assert not fred_json.recognises('{"error_code":400,"error_message":"Bad"}')


def test_the_columns_are_those_of_raw() -> None:
    """Contract and parser say the same."""
    contract = registry().contracts["raw.fred"]
    rows = fred_json.parse(page(WHOLE, NO_END, ROW), "GDP")
    assert {"series", "date", "value", "stamp", "loaded"} < contract.columns.keys()
    assert set(rows.columns) <= contract.columns.keys() | {"line", "problem", "text"}
