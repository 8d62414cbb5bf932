"""The sites of weather and trade, over a real socket: shapes, units, errors, saved files.

No answer here is a host's own; the shapes are.
"""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from pathlib import Path
from urllib.parse import urlencode

import pytest

from cbi_stream.doors.reading import is_simulated
from cbi_stream.replay import switches
from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import KEY, World
from cbi_stream.replay.xlsx import workbook
from handlers.ingest.packed import sheets_of
from tests.replay.asking import ask

NOAA = "www.ncei.noaa.gov"
SERVICE = f"{NOAA}/access/services/data/v1?"
CDO = f"{NOAA}/cdo-web/api/v2/data?"
METEO = "archive-api.open-meteo.com/v1/archive?"
INMET = "apitempo.inmet.gov.br/token/estacao/2024-06-01/2024-06-02/A904"
TRADE = "comtradeapi.un.org/public/v1/preview/C/M/HS?"
SAVED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"


@pytest.fixture
def replay():
    """Return a running server with every site that there is."""
    with Replay(World(today=date(2024, 6, 28))) as running:
        yield running


def told(replay, target, **params):
    """Return the JSON that a host says."""
    headers = {"token": KEY} if "cdo-web" in target else {}
    return json.loads(ask(replay, target + urlencode(params), headers=headers).text)


def test_services_give_raw_tenths_unless_units_are_said(replay):
    """The same day is 289 without units and 28.9 with them, and padded text."""
    when = {
        "stations": "USW00014933",
        "startDate": "2024-06-01",
        "endDate": "2024-06-03",
    }
    about = {**when, "dataTypes": "TMAX,PRCP"}
    raw = told(replay, SERVICE, **about)
    metric = told(replay, SERVICE, **about, units="metric")
    assert [int(row["TMAX"]) for row in raw] == [
        round(float(row["TMAX"]) * 10) for row in metric
    ]
    assert metric[0]["TMAX"].startswith("  ")
    assert "TMIN" not in metric[0]
    assert (
        is_simulated(json.dumps(metric[0]).encode()) or "SIMULATED" in metric[0]["note"]
    )


def test_the_file_and_the_services_agree(replay):
    """One station has one history, whoever is asked."""
    path = f"{NOAA}/data/global-historical-climatology-network-daily/access/USW00014933.csv"
    lines = ask(replay, path).text.splitlines()
    (line,) = [each for each in lines if '"2024-06-01"' in each]
    tenths = int(line.split('","')[8].strip())
    asked = {"datasetid": "GHCND", "stationid": "GHCND:USW00014933", "units": "metric"}
    when = {"startdate": "2024-06-01", "enddate": "2024-06-01", "datatypeid": "TMAX"}
    said = told(replay, CDO, **asked, **when)
    assert said["results"][0]["value"] == tenths / 10
    assert said["results"][0]["attributes"].count(",") == 3


def test_pages_of_results_are_numbered_from_one(replay):
    """25 results unless more are asked for; the count is of all of them."""
    about = {"stationid": "GHCND:USW00014933", "startdate": "2024-01-01"}
    first = told(replay, CDO, **about, enddate="2024-03-31")
    assert len(first["results"]) == 25
    assert first["metadata"]["resultset"]["count"] == 91 * 3
    last = told(replay, CDO, **about, enddate="2024-03-31", limit=1000, offset=273)
    assert len(last["results"]) == 1
    assert told(replay, CDO, **about, enddate="2023-12-31").keys() <= {"note"}
    bad = told(replay, CDO, **about | {"startdate": "2020-01-01"}, enddate="2024-03-31")
    assert bad["developerMessage"] == "The date range is too long"


def test_hosts_turn_a_wrong_key_down_in_their_own_words(replay):
    """Each says it in its own shape, with its own status."""
    wrong = {"headers": {"token": "no"}}
    assert "Token parameter" in ask(replay, CDO, **wrong).text
    assert ask(replay, f"{METEO}apikey=no").status == 400
    assert ask(replay, f"{INMET}/no").status == 403
    header = {"headers": {"Ocp-Apim-Subscription-Key": "no"}}
    said = ask(replay, TRADE, **header)
    assert (said.status, "invalid subscription key" in said.text) == (401, True)


def test_the_newest_days_of_the_archive_are_null(replay):
    """Six days are not computed yet; the answer names its cell, not the place."""
    about = {"latitude": -12.54, "longitude": -55.71, "daily": "precipitation_sum"}
    when = {"start_date": "2024-06-15", "end_date": "2024-06-28"}
    said = told(replay, METEO, **about, **when)
    assert said["daily"]["precipitation_sum"].count(None) == 6
    assert said["daily"]["precipitation_sum"][-6:] == [None] * 6
    assert (said["latitude"], said["longitude"]) == (-12.5, -55.75)
    error = told(replay, METEO, **about, **when | {"start_date": "1900-01-01"})
    assert error["error"] is True
    assert "out of allowed range" in error["reason"]
    replay.switches.set("archive-api.open-meteo.com", switches.too_many())
    assert "Minutely API request limit" in ask(replay, METEO).text


def test_power_fills_what_is_not_there(replay):
    """A day without a value holds the fill value that the header names."""
    target = "power.larc.nasa.gov/api/temporal/daily/point?"
    about = {
        "latitude": -12.6,
        "longitude": -56.1,
        "start": "20240620",
        "end": "20240628",
    }
    said = told(replay, target, **about, parameters="T2M_MAX")
    days = said["properties"]["parameter"]["T2M_MAX"]
    assert said["header"]["fill_value"] == -999.0
    assert list(days.values()).count(-999.0) == 5


def test_brazil_s_year_is_a_zip_of_latin_1(replay):
    """Numbers have a comma and no zero before it; the hours of a year are all there."""
    said = ask(replay, "portal.inmet.gov.br/uploads/dadoshistoricos/2023.zip")
    with zipfile.ZipFile(io.BytesIO(said.data)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("latin-1")
        assert b"SIMULATED" in archive.comment
    assert name.startswith("2023/INMET_")
    assert len(text.splitlines()) == 9 + 365 * 24
    assert ";,9;" in text
    hours = json.loads(ask(replay, f"{INMET}/{KEY}").text)
    assert len(hours) == 48
    assert ask(replay, f"{INMET.replace('2024', '2025')}/{KEY}").status == 204


def test_an_old_address_of_the_workbook_is_frozen(replay):
    """The landing page names this year's; last year's still answers with status 200."""
    page = ask(replay, "www.worldbank.org/en/research/commodity-markets").text
    link = page.partition('href="https://')[2].partition('"')[0]
    fresh = sheets_of(ask(replay, link).data)["Monthly Prices"]
    frozen = sheets_of(ask(replay, link.replace("0350012021", "0050012020")).data)
    assert fresh[-1][0] == "2024M05"
    assert frozen["Monthly Prices"][-1][0] == "2021M01"


def test_trade_that_is_not_asked_as_a_total_is_broken_down(replay):
    """Without motCode=0 each total comes with its parts; the preview gives 500 rows."""
    about = {"reporterCode": 76, "flowCode": "X", "cmdCode": "1201", "period": "202301"}
    total = told(replay, TRADE, **about, partnerCode=156, motCode=0)
    assert total["count"] == len(total["data"]) == 1
    parts = told(replay, TRADE, **about, partnerCode=156)
    assert [row["motCode"] for row in parts["data"]] == [0, 2100, 3200]
    many = ",".join(map(str, range(600)))
    assert told(replay, TRADE, **about, partnerCode=many, motCode=0)["count"] == 500


def test_a_saved_workbook_is_served_as_it_is(tmp_path):
    """A world from a folder has the file's own bytes, and nothing that is made up."""
    data = workbook({"Monthly Prices": [["saved"], [1.5, None, "…"]]})
    (tmp_path / "CMO-Historical-Data-Monthly_2025.xlsx").write_bytes(data)
    link = "thedocs.worldbank.org/en/doc/x/related/CMO-Historical-Data-Monthly.xlsx"
    with Replay(
        World(kind="folder", folder=tmp_path, today=date(2025, 11, 20))
    ) as replay:
        assert ask(replay, link).data == data
        exports = "balanca.economia.gov.br/balanca/bd/comexstat-bd/ncm/EXP_2024.csv"
        assert ask(replay, exports).status == 404
    assert sheets_of(data) == {
        "Monthly Prices": [("saved", None, None), ("1.5", None, "…")]
    }
    assert SAVED.name == "real"
