"""Weather stations: one value per station, day and element, whatever the layout.

No file here is NOAA's own; the lines have its shapes.
"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cbi_stream import BadInput
from handlers.ingest.cdo import cdo
from handlers.ingest.ghcn import fixed, long, wide
from handlers.ingest.ghcn_access import access, access_csv
from handlers.ingest.ghcn_us_units import ghcn_us_units

HEADER = (
    '"STATION","DATE","LATITUDE","LONGITUDE","ELEVATION","NAME","PRCP","PRCP_ATTRIBUTES",'
    '"SNOW","SNOW_ATTRIBUTES","TMAX","TMAX_ATTRIBUTES","TMIN","TMIN_ATTRIBUTES",'
    '"WT01","WT01_ATTRIBUTES"'
)
PLACE = '"USW00014839","{day}","42.95","-87.9","204.2","MILWAUKEE AIRPORT, WI US"'
DAY = date(2013, 9, 9)
UNREAD = '"{"'


def wide_file(*cells: str, header: str = HEADER, day: str = "2013-09-09") -> bytes:
    """Return a station's CSV with a line for each text of cells."""
    lines = [f"{PLACE.format(day=day)},{each}" for each in cells]
    return "\n".join([header, *lines, ""]).encode()


def fixed_line(element: str, *groups: str, month: str = "201309") -> bytes:
    """Return a .dly line: groups of value and flags, the rest missing."""
    rest = ["-9999   "] * (31 - len(groups))
    return f"USW00014839{month}{element}{''.join([*groups, *rest])}\n".encode()


def values(rows: pl.DataFrame) -> dict[tuple[str, date], str]:
    """Return what was read, by series and day."""
    read = rows.filter(pl.col("problem").is_null())
    keys = read.select("series", "date").rows()
    return dict(zip(keys, read["value"].to_list(), strict=True))


WIDE = wide_file(
    '"   74",",,7,1800","  51",",,7","  289",",,7,1800","  -12",",,7","1",",,7"'
)
LONG = (
    b"USW00014839,20130909,TMAX,289,,,7,1800\n"
    b"USW00014839,20130909,TMIN,-12,,,7,1800\n"
    b"USW00014839,20130909,PRCP,74,,,7,1800\n"
    b"USW00014839,20130909,SNOW,51,,,7,\n"
)
DLY = (
    fixed_line("TMAX", *["-9999   "] * 8, "  289  7")
    + fixed_line("TMIN", *["-9999   "] * 8, "  -12  7")
    + fixed_line("PRCP", *["-9999   "] * 8, "   74  7")
    + fixed_line("SNOW", *["-9999   "] * 8, "   51  7")
)
ACCESS = (
    b'[{"DATE":"2013-09-09","STATION":"USW00014839","TMAX":"   28.9","TMIN":"-1.2",'
    b'"PRCP":"7.4","SNOW":"51"}]'
)
ACCESS_CSV = (
    b'"STATION","DATE","PRCP","SNOW","TMAX","TMIN"\n'
    b'"USW00014839","2013-09-09","  7.4","51","  28.9"," -1.2"\n'
)
CDO = (
    '{"metadata":{"resultset":{"offset":1,"count":4,"limit":1000}},"results":['
    + ",".join(
        f'{{"date":"2013-09-09T00:00:00","datatype":"{name}","station":'
        f'"GHCND:USW00014839","attributes":",,7,1800","value":{value}}}'
        for name, value in (("TMAX", 28.9), ("TMIN", -1.2), ("PRCP", 7.4), ("SNOW", 51))
    )
    + "]}"
).encode()
LAYOUTS = {
    "wide": (wide, WIDE),
    "long": (long, LONG),
    "dly": (fixed, DLY),
    "access": (access, ACCESS),
    "access csv": (access_csv, ACCESS_CSV),
    "cdo": (cdo, CDO),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_gives_the_same_numbers(name: str) -> None:
    """Tenths of files and degrees of services are one value under one id."""
    parser, data = LAYOUTS[name]
    found = {
        series: value
        for (series, day), value in values(parser.parse(data, None)).items()
    }
    assert found == {
        "USW00014839.tmax": "28.9",
        "USW00014839.tmin": "-1.2",
        "USW00014839.prcp": "7.4",
        "USW00014839.snow": "51",
    }


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_two_rows_have_one_line(name: str) -> None:
    """Each row can be pointed at, and has one fate."""
    parser, data = LAYOUTS[name]
    rows = parser.parse(data, None)
    assert rows["line"].n_unique() == rows.height > 0


def test_a_year_s_file_may_have_a_header() -> None:
    """Newer copies name their columns; the lines below are the same."""
    header = b"ID,DATE,ELEMENT,DATA_VALUE,M_FLAG,Q_FLAG,S_FLAG,OBS_TIME\n"
    assert long.recognises(header.decode().strip())
    assert values(long.parse(header + LONG, None)) == values(long.parse(LONG, None))


def test_reordered_columns_are_read_by_name() -> None:
    """The place of a column says nothing."""
    turned = '"DATE","STATION","NAME","ELEVATION","LONGITUDE","LATITUDE","TMAX_ATTRIBUTES","TMAX"'
    line = '"2013-09-09","USW00014839","X","1","2","3",",,7","289"'
    assert wide.recognises(turned)
    rows = wide.parse(f"{turned}\n{line}\n".encode(), None)
    assert values(rows) == {("USW00014839.tmax", DAY): "28.9"}


def test_an_element_without_its_flags_is_refused() -> None:
    """A renamed column of flags would let failed values through."""
    data = WIDE.replace(b"TMAX_ATTRIBUTES", b"TMAX_FLAGS")
    with pytest.raises(BadInput, match=r"TMAX and TMAX_ATTRIBUTES; found STATION"):
        wide.parse(data, None)


def test_a_line_that_cannot_be_read_stays() -> None:
    """One short line spoils itself and no other."""
    rows = wide.parse(WIDE + WIDE.split(b"\n")[1] + b"\nUSW00014839,2013\n", None)
    bad = rows.filter(pl.col("problem").is_not_null())
    assert bad["line"].to_list() == [4000]
    assert bad["text"].to_list() == ["USW00014839,2013"]
    assert rows["problem"].null_count() == 8


def test_days_that_a_month_does_not_have_are_no_days() -> None:
    """Missing places at the end of a short month give no rows, a value there is told."""
    rows = fixed.parse(fixed_line("PRCP", *["    1  7"] * 30, month="201306"), None)
    assert rows.height == 30
    assert rows["problem"].null_count() == 30
    more = fixed.parse(fixed_line("PRCP", *["    1  7"] * 31, month="201306"), None)
    assert more["problem"].drop_nulls().to_list() == [
        "date: expected a day from 1900 to 2100"
    ]


def test_a_whole_file_of_nonsense_is_refused() -> None:
    """Where most cannot be read, none is taken."""
    with pytest.raises(BadInput, match="2 of 2 values cannot be read"):
        long.parse(b"USW00014839,20130909,TMAX,28.9,,,7,\nUSW1,1,TMAX,2,,,7,\n", None)


def test_an_answer_of_errors_is_no_data() -> None:
    """What the data services say instead of days is refused with their words."""
    with pytest.raises(BadInput, match="list `results`; found"):
        cdo.parse(b'{"status":"400","message":"Token parameter is required."}', None)


def test_fahrenheit_and_inches_are_turned_back_exactly() -> None:
    """A converted value says its tenth again, or it is unreadable."""
    header = "year,month,day,date,day_of_year,PRCP,SNOW,SNWD,TMAX,TMIN"
    good = "1939,06,07,1939-06-07,158,0.6811027300000001,0.19685050000000003,0,91.03999999999999,NA"
    odd = "1939,06,08,1939-06-08,159,0,0,0,91.5,50"
    assert ghcn_us_units.recognises(header)
    rows = ghcn_us_units.parse(f"{header}\n{good}\n{odd}\n".encode(), "USW00014839")
    first = date(1939, 6, 7)
    found = values(rows)
    assert found["USW00014839.prcp", first] == "17.3"
    assert found["USW00014839.tmax", first] == "32.8"
    assert found["USW00014839.tmin", first] == ""
    assert found["USW00014839.snow", first] == "50", "such scripts take mm for tenths"
    (problem,) = rows["problem"].drop_nulls().to_list()
    assert problem.startswith("number: ")
    with pytest.raises(BadInput, match="station in the file's name"):
        ghcn_us_units.parse(header.encode(), None)
