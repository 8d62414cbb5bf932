"""USDA's sites, over a real socket: what is not out, what is empty, what is refused.

No answer here is USDA's own; the shapes are.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date
from pathlib import Path

import pytest

from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import KEY, World
from tests.replay.asking import ask

SAVED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "real"
CATALOGUE = "esmis.nal.usda.gov/api/v1/release/findByIdentifier/wasde?latest=false"
SALES = "api.fas.usda.gov/api/esr/exports/commodityCode/902/allCountries/marketYear"
STATS = f"quickstats.nass.usda.gov/api/api_GET/?key={KEY}&format=JSON"
KEYED = {"X-Api-Key": KEY}


@pytest.fixture
def replay():
    """Return a running server with every site that there is."""
    with Replay(World(today=date(2024, 6, 28))) as running:
        yield running


def told(replay, target, **how):
    """Return what an answer says, as JSON."""
    said = ask(replay, target, **how)
    assert said.status == 200, said.text
    return json.loads(said.data)


def test_the_catalogue_has_25_a_page_newest_first(replay):
    """It calls noon in New York noon in London, and knows no report of January 2019."""
    first = told(replay, f"{CATALOGUE}&page=0")
    pages = first["pager"]["total_pages"]
    every = [
        release["release_datetime"]
        for page in range(pages)
        for release in told(replay, f"{CATALOGUE}&page={page}")["results"]
    ]
    assert len(first["results"]) == 25
    assert len(every) == first["pager"]["total_results"] == 166
    assert every == sorted(every, reverse=True)
    assert {at[10:] for at in every} == {"T12:00:00+0000"}
    assert not [at for at in every if at[:7] in ("2013-10", "2019-01")]


def test_real_reports_are_served_from_a_folder():
    """Of April 2025, which was posted twice, the second; byte for byte."""
    folder = SAVED / "usda_wasde"
    if not folder.is_dir():
        pytest.skip("no real files: this needs the folder shared/data/real")
    world = World(kind="folder", folder=folder, today=date(2026, 6, 1))
    with Replay(world) as replay:
        results = told(replay, f"{CATALOGUE}&page=0")["results"]
        assert len(results) == 10
        url = next(r for r in results if r["release_datetime"][:7] == "2025-04")
        target = url["files"][1].removeprefix("https://")
        assert target.endswith("wasde0425v2.xml")
        said = ask(replay, target)
    assert said.data.startswith(b"\xef\xbb\xbf<?xml")
    assert b"SIMULATED" not in said.data


def test_a_season_without_sales_is_an_empty_list(replay):
    """With status 200; one that is under way ends with the newest week that is out."""
    assert told(replay, f"{SALES}/2025", headers=KEYED) == []
    rows = told(replay, f"{SALES}/2024", headers=KEYED)
    weeks = {row["weekEndingDate"] for row in rows}
    assert min(weeks) == "2023-10-05T00:00:00"
    assert max(weeks) == "2024-06-20T00:00:00"
    china = [row for row in rows if row["countryCode"] == 5700]
    assert china[-1]["accumulatedExports"] == sum(r["weeklyExports"] for r in china)


def test_the_key_is_asked_for_in_the_service_s_words(replay):
    """A missing and a wrong one are told apart."""
    for headers, code in (
        ({}, "API_KEY_MISSING"),
        ({"X-Api-Key": "x"}, "API_KEY_INVALID"),
    ):
        said = ask(replay, f"{SALES}/2024", headers=headers)
        assert said.status == 403
        assert json.loads(said.data)["error"]["code"] == code


def test_the_bulk_file_holds_no_world(replay):
    """Its codes have their noughts, its names their quotes."""
    host = "apps.fas.usda.gov/psdonline/downloads/psd_oilseeds_csv.zip"
    with zipfile.ZipFile(io.BytesIO(ask(replay, host).data)) as archive:
        text = archive.read("psd_oilseeds.csv").decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert "00" not in {row["Country_Code"] for row in rows}
    assert "0813100" in {row["Commodity_Code"] for row in rows}
    assert "Oil, Soybean" in {row["Commodity_Description"] for row in rows}


def test_no_rows_and_no_sense_are_the_same_refusal(replay):
    """QuickStats says `invalid query` to both, and `unauthorized` to a wrong key."""
    for query in ("&commodity_desc=SOYBEANS&year__GE=2090", "&nonsense=1"):
        said = ask(replay, f"{STATS}{query}")
        assert said.status == 400
        assert json.loads(said.data) == {"error": ["bad request - invalid query"]}
    assert ask(replay, STATS.replace(KEY, "x")).status == 401


def test_every_number_of_quickstats_is_text_with_commas(replay):
    """The newest week is the one that was out on the Monday before."""
    weekly = told(replay, f"{STATS}&statisticcat_desc=CONDITION&commodity_desc=CORN")
    assert weekly["data"][-1]["week_ending"] == "2024-06-23"
    assert weekly["data"][-1]["load_time"] == "2024-06-24 16:00:00"
    crushed = told(replay, f"{STATS}&statisticcat_desc=CRUSHED&year__GE=2024")["data"]
    assert [row["begin_code"] for row in crushed] == ["01", "02", "03", "04"]
    assert all(row["Value"].count(",") == 2 for row in crushed)


def test_a_month_that_is_not_out_has_no_content(replay):
    """The Census says it with a status; a month that is out stands in a list of lists."""
    table = "api.census.gov/data/timeseries/intltrade/exports/hs?get=CTY_CODE,QTY_1_MO"
    asked = f"{table}&E_COMMODITY=1507100000&key={KEY}&time=from%20"
    assert ask(replay, f"{asked}2024-05").status == 204
    header, *rows = told(replay, f"{asked}2024-03")
    assert header == ["CTY_CODE", "QTY_1_MO", "time", "COMM_LVL", "E_COMMODITY"]
    assert {row[2] for row in rows if isinstance(row, list)} == {"2024-03", "2024-04"}
