"""FRED-MD: a month's vintage, wide, whose time follows from what it holds."""

from __future__ import annotations

from datetime import date

import pytest

from cbi_stream.words.errors import BadInput
from handlers.ingest.fred_md import fred_md, series_of
from tests.ingest.asking import registry

HEADER = "sasdate,RPI,S&P 500,S&P: indust\n"
SECOND = "Transform:,5,5,5\n"
PADDED = (
    "03/01/2020,  1876.000000000,    22.397000000,\n"
    "04/01/2020,  1887.800000000,    22.650000000,     7.5\n"
)
PLAIN = "3/1/2020,1876,22.397,\r\n4/1/2020,1887.8,22.65,7.5\r\n,,,\r\n"


def whole(body: str, second: str = SECOND) -> bytes:
    """Return a file."""
    return (HEADER + second + body).encode()


@pytest.mark.parametrize("body", [PADDED, PLAIN])
def test_every_cell_is_a_row_in_either_layout(body: str) -> None:
    """Padding and a last line of commas are none; an empty cell is a missing value."""
    rows = fred_md.parse(whole(body), None).sort("date", "line")
    assert rows["problem"].count() == 0
    found = rows.select("series", "date", "line").rows()
    march, april = date(2020, 3, 1), date(2020, 4, 1)
    assert found == [
        ("RPI", march, 3002),
        ("S_P_500", march, 3003),
        ("S_P_indust", march, 3004),
        ("RPI", april, 4002),
        ("S_P_500", april, 4003),
        ("S_P_indust", april, 4004),
    ]
    numbers = [float(cell) if cell else None for cell in rows["value"]]
    assert numbers == [1876, 22.397, None, 1887.8, 22.65, 7.5]


def test_the_vintage_is_that_of_the_month_after_the_newest() -> None:
    """Known at its last second in Chicago, and released perhaps long before."""
    rows = fred_md.parse(whole(PLAIN), None)
    (stamp,) = rows["stamp"].unique()
    assert stamp.isoformat() == "2020-06-01T04:59:59+00:00"
    assert rows["loaded"].all()
    december = fred_md.parse(whole("12/1/2019,1,2,3\n"), None)
    assert december["stamp"][0].isoformat() == "2020-02-01T05:59:59+00:00"


def test_columns_are_named_by_one_rule() -> None:
    """Blanks and signs become one stroke; the names of FRED stay."""
    assert series_of(" S&P div yield") == "S_P_div_yield"
    assert series_of("CES1021000001") == "CES1021000001"
    held = registry().data_sources.sources["fred_md"].series
    assert {"S_P_500", "S_P_PE_ratio", "RPI", "PAYEMS", "VXOCLSx"} < held.keys()


def test_what_cannot_be_read_stays() -> None:
    """A line with too few cells, a day inside a month, a cell that is no number."""
    body = PLAIN + "5/1/2020,1\n6/2/2020,1,2,3\n7/1/2020,x,2,3\n"
    rows = fred_md.parse(whole(body), None)
    problems = rows.filter(rows["problem"].is_not_null()).sort("line")
    assert problems["line"].to_list() == [6000, 7000, 8002]
    told = [p.split(":")[0] for p in problems["problem"]]
    assert told == ["cells", "date", "number"]
    assert problems["series"].to_list() == ["", "", "RPI"]
    assert rows.filter(rows["problem"].is_null()).height == 8


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (whole(PLAIN, second=""), "expected a line 'Transform:'"),
        (whole(PLAIN, second="factors,1,1,1\n"), "found 'factors"),
        (whole(PLAIN).replace(b"S&P: indust", b"RPI"), "each column once"),
        (b"observation_date,RPI\n", "expected the header sasdate"),
        (whole("3/1/2020,1\n4/1/2020,1\n"), "2 of 2 lines cannot be read"),
        (whole("3/1/2020,x,y,1\n"), "2 of 3 cells cannot be read"),
    ],
)
def test_another_file_is_refused(data: bytes, said: str) -> None:
    """FRED-QD, a file without its second line, two columns of one name, noise."""
    with pytest.raises(BadInput, match=said):
        fred_md.parse(data, None)


def test_a_file_without_months_has_no_rows() -> None:
    """It is no fault, and has no vintage."""
    assert fred_md.parse(whole(""), None).height == 0
