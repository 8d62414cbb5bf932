"""Quirks of weather sources, one test each. No file here is a source's own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from cbi_stream import BadInput, SourceRefused
from cbi_stream.kernels.release import released_at
from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.connector import Answer
from handlers.ingest.cdo import asked as ask_cdo
from handlers.ingest.cdo import cdo
from handlers.ingest.ghcn import fixed, long, wide
from handlers.ingest.ghcn_access import access
from handlers.ingest.ghcn_ask import asked as ask_ghcn
from handlers.ingest.inmet import station
from handlers.ingest.open_meteo import asked as ask_meteo
from handlers.ingest.open_meteo import open_meteo
from tests.ingest.polls import first_of, poll_of

CDO = (
    '{{"date":"2013-09-09T00:00:00","datatype":"{}","station":"GHCND:USC00200230",'
    '"attributes":"{}","value":{}}}'
)


def told(*results: str) -> bytes:
    """Return a CDO answer with these results."""
    return f'{{"metadata":{{}},"results":[{",".join(results)}]}}'.encode()


def answered(said: Any, status: int = 200) -> Answer:
    """Return an answer that says this."""
    now = datetime(2026, 9, 21, 12, tzinfo=UTC)
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Answer("https://example.org", status, "application/json", now, data)


def test_tenths_and_degrees_of_one_station_are_one_value(registry: Registry) -> None:
    """Quirk 16: TMAX 289 without `units` and "28.9" with metric are one 28.9 C.

    The file in tenths and the metric answer agree; an answer of tenths is refused, and
    every question says its units.
    """
    file = long.parse(b"USW00014839,20130909,TMAX,289,,,7,1800\n", None)
    said = access.parse(
        b'[{"DATE":"2013-09-09","STATION":"USW00014839","TMAX":"   28.9"}]', None
    )
    columns = ["series", "date", "value"]
    assert file.select(columns).rows() == said.select(columns).rows()
    assert file["value"].to_list() == ["28.9"]
    with pytest.raises(BadInput, match=r"-60 to 60; found 289 .* units=metric"):
        cdo.parse(told(CDO.format("TMAX", ",,7,1800", 289)), None)
    leak = b'[{"DATE":"2013-09-09","STATION":"USW00014839","TMAX":"289","TMIN":"150"}]'
    with pytest.raises(BadInput, match="units=metric"):
        access.parse(leak, None)
    winter = [CDO.format("TMAX", ",,7,", 20 + n) for n in range(10)]
    with pytest.raises(BadInput, match="raw tenths: ask again with units=metric"):
        cdo.parse(told(*winter), None)
    for connector, name in ((ask_cdo, "cdo"), (ask_ghcn, "ghcn")):
        wants = list(connector.wants(poll_of(registry, name, keyed=True)))
        services = [dict(want.params) for want in wants if want.params]
        assert {each["units"] for each in services} == {"metric"}


@pytest.mark.parametrize(
    ("parser", "data"),
    [
        (
            long,
            b"USW00014839,20130909,PRCP,74,,X,7,1800\nUSW00014839,20130910,PRCP,5,,,7,\n",
        ),
        (
            fixed,
            b"USW00014839201309PRCP   74 X7    5  7" + b"-9999   " * 29 + b"\n",
        ),
        (
            wide,
            b'"STATION","DATE","LATITUDE","LONGITUDE","ELEVATION","NAME","PRCP","PRCP_ATTRIBUTES"\n'
            b'"USW00014839","2013-09-09","1","2","3","X","74",",X,7,1800"\n'
            b'"USW00014839","2013-09-10","1","2","3","X","5",",,7"\n',
        ),
        (
            access,
            b'[{"DATE":"2013-09-09","STATION":"USW00014839","PRCP":"7.4","PRCP_ATTRIBUTES":",X,7"},'
            b'{"DATE":"2013-09-10","STATION":"USW00014839","PRCP":"0.5","PRCP_ATTRIBUTES":",,7"}]',
        ),
    ],
)
def test_a_value_that_failed_quality_control_is_no_value(
    parser: Any, data: bytes
) -> None:
    """Quirk 17: a value with a QFLAG is dropped, and its line says why."""
    rows = parser.parse(data, None).sort("date")
    assert rows["value"].to_list() == [None, "0.5"]
    assert rows["problem"][0].startswith("qflag: expected a value that passed")
    assert "flag X" in rows["problem"][0]


def test_a_page_of_flagged_values_is_no_broken_file() -> None:
    """Quirk 17: flags are the source's word, not a file that cannot be read."""
    data = b"USW00014839,20130909,PRCP,74,,X,7,\nUSW00014839,20130910,PRCP,5,,I,7,\n"
    assert long.parse(data, None)["problem"].null_count() == 0


def test_snow_is_no_tenth_and_minus_9999_is_missing() -> None:
    """Quirk 17: SNOW and SNWD are whole mm; -9999 is no number; a trace is 0."""
    data = (
        b"USC00200230,20130909,SNOW,51,,,7,\nUSC00200230,20130909,SNWD,102,,,7,\n"
        b"USC00200230,20130909,TMAX,-9999,,,7,\nUSC00200230,20130909,PRCP,0,T,,7,1800\n"
        b"USC00200230,20130910,TMIN,-7,,,7,\n"
    )
    rows = long.parse(data, None)
    assert rows["value"].to_list() == ["51", "102", "", "0.0", "-0.7"]
    assert (
        fixed.parse(b"USW00014839201309PRCP    5  7" + b"-9999   " * 30, None).height
        == 1
    )


ARCHIVE = {
    "latitude": -12.58,
    "longitude": -56.1,
    "utc_offset_seconds": -10800,
    "daily_units": {
        "time": "iso8601",
        "temperature_2m_max": "°C",
        "temperature_2m_min": "°C",
        "precipitation_sum": "mm",
    },
    "daily": {
        "time": ["2025-01-01", "2025-01-02", "2025-01-03", "2025-01-04"],
        "temperature_2m_max": [28.4, None, 30.1, None],
        "temperature_2m_min": [20.0, 20.1, 20.2, None],
        "precipitation_sum": [4.2, 0.0, None, None],
    },
}


def test_the_archive_is_six_days_late_and_its_tail_is_missing(
    registry: Registry,
) -> None:
    """Quirk 18: day D is knowable D+6, nulls stay missing, the model is pinned."""
    rows = open_meteo.parse(json.dumps(ARCHIVE).encode(), "br_sorriso")
    warm = rows.filter(pl.col("series") == "br_sorriso.tmax")
    assert warm["value"].to_list() == ["28.4", "", "30.1"], "no row for what is to come"
    rain = rows.filter(pl.col("series") == "br_sorriso.prcp")
    assert rain["value"].to_list() == ["4.2", "0.0"]
    entry = registry.data_sources.sources["open_meteo"]
    rule = entry.release_of("br_sorriso.tmax")
    assert rule is not None
    day = pl.DataFrame({"date": [date(2025, 1, 1)]})
    terms = rule.terms(registry.closures)
    known = day.select(released_at(pl.col("date"), **terms))[0, 0]
    assert known.astimezone(UTC).date() >= date(2025, 1, 7)
    want = first_of(ask_meteo.wants(poll_of(registry, "open_meteo")))
    asked = dict(want.params)
    assert asked["models"] == "era5"
    assert asked["timezone"].startswith("America/")


def test_an_error_may_come_with_status_200(registry: Registry) -> None:
    """Quirk 18: `{"error":true}` is an error whatever the status says."""
    want = first_of(ask_meteo.wants(poll_of(registry, "open_meteo")))
    error = {"error": True, "reason": "Parameter 'end_date' is out of allowed range"}
    with pytest.raises(SourceRefused, match="out of allowed range"):
        want.judge(answered(error))
    with pytest.raises(BadInput, match="out of allowed range"):
        open_meteo.parse(json.dumps(error).encode(), "br_sorriso")


HOURS = (
    "Data;Hora UTC;PRECIPITAÇÃO TOTAL, HORÁRIO (mm);TEMPERATURA MÁXIMA NA HORA ANT. "
    "(AUT) (°C);TEMPERATURA MÍNIMA NA HORA ANT. (AUT) (°C);"
)
ABOUT = (
    "REGIAO:;NE\nUF:;PE\nESTACAO:;ARCO VERDE\nCODIGO (WMO):;A309\nLATITUDE:;-8,43\n"
    "LONGITUDE:;-37,05\nALTITUDE:;683,95\nDATA DE FUNDACAO:;20/11/04\n"
)


def hours_of(rain: dict[int, str], hours: int = 72, first: str = "2020/01/0") -> bytes:
    """Return three days of hours, UTC, with rain in some of them."""
    lines = [
        f"{first}{1 + n // 24};{n % 24:02d}00 UTC;{rain.get(n, '0')};2{n % 10},5;-,{n % 10};"
        for n in range(hours)
    ]
    return "\n".join([f"{ABOUT}{HOURS}", *lines, ""]).encode("latin-1")


def test_hours_of_brazil_become_local_days() -> None:
    """Quirk 37: latin-1, `;`, `,2` is 0.2 mm, and a local day is that of UTC-3.

    0300 UTC begins the local day: rain of 0200 UTC belongs to the day before.
    """
    data = hours_of({26: ",2", 27: "1,5", 50: "2,25", 51: "9"})
    rows = station.parse(data, None)
    rain = rows.filter(pl.col("series") == "A309.prcp").select("date", "value")
    assert rain.rows() == [(date(2020, 1, 1), "0.20"), (date(2020, 1, 2), "3.75")]
    cold = rows.filter(pl.col("series") == "A309.tmin")["value"].to_list()
    assert cold == ["-0.90", "-0.90"]


@pytest.mark.parametrize("cell", ["", "-9999"])
def test_a_day_that_lacks_an_hour_is_missing(cell: str) -> None:
    """Quirk 37: -9999 and empty are missing, and no day is summed without its hours."""
    rows = station.parse(hours_of({30: cell, 5: "1"}), None)
    rain = rows.filter(pl.col("series") == "A309.prcp").select("date", "value")
    assert rain.rows() == [(date(2020, 1, 1), "1.00"), (date(2020, 1, 2), "")]
    warm = rows.filter(pl.col("series") == "A309.tmax")["value"].to_list()
    assert "" not in warm, "another element of that day is whole"


def test_older_years_write_their_days_otherwise() -> None:
    """Quirk 37: before 2019 days have hyphens and hours colons."""
    data = hours_of({4: ",2"}).decode("latin-1").replace("/", "-")
    old = data.replace("Data;Hora UTC", "DATA (YYYY-MM-DD);HORA (UTC)")
    old = old.replace("00 UTC;", ":00;")
    rows = station.parse(old.encode("latin-1"), None)
    assert rows.rows() == station.parse(hours_of({4: ",2"}), None).rows()


def test_nothing_there_is_an_empty_success(registry: Registry) -> None:
    """Quirk 38: `{}` of CDO with status 200 says that there is nothing."""
    want = first_of(ask_cdo.wants(poll_of(registry, "cdo", keyed=True)))
    assert want.judge(answered({})) == "empty"
    assert want.judge(answered(told(CDO.format("TMAX", ",,7,", 28.9)))) == "data"
    with pytest.raises(SourceRefused, match="Token parameter is required"):
        want.judge(
            answered({"status": "400", "message": "Token parameter is required."}, 400)
        )


def test_a_page_is_no_data() -> None:
    """Quirk 40: HTML with status 200 is refused, whoever sent it."""
    page = b"<!DOCTYPE html><html><body>maintenance</body></html>"
    for parser in (access, cdo, open_meteo):
        with pytest.raises(BadInput, match="expected JSON"):
            parser.parse(page, "br_sorriso")
    assert not any(
        parser.recognises(page.decode()) for parser in (wide, long, fixed, station)
    )
