"""FRED, BLS, the US Treasury and Brazil's central bank, over a real socket.

No answer here is their own; the shapes are.
"""

from __future__ import annotations

import json
from datetime import date
from itertools import pairwise

import pytest

from cbi_stream.replay.server import Replay
from cbi_stream.replay.sites import bcb, bls, fred
from cbi_stream.replay.world import KEY, World
from tests.ingest.asking import registry
from tests.replay.asking import ask

API = "api.stlouisfed.org/fred/series"
GRAPH = "fred.stlouisfed.org/graph/fredgraph.csv"
SGS = "api.bcb.gov.br/dados/serie/bcdata.sgs.1/dados?formato="
DEBT = "api.fiscaldata.treasury.gov/services/api/fiscal_service/v1/accounting/od/rates_of_exchange"
WHOLE = "realtime_start=1776-07-04&realtime_end=9999-12-31"


@pytest.fixture(scope="module")
def replay():
    """Return a running server in a world of its own."""
    with Replay(World(today=date(2024, 6, 28))) as running:
        yield running


def said(replay, target, **more):
    """Return status and content of an answer."""
    found = ask(replay, target, **more)
    return found.status, json.loads(found.data)


def observed(replay, series, query=""):
    """Return status and content of FRED's observations."""
    return said(
        replay,
        f"{API}/observations?series_id={series}&api_key={KEY}&file_type=json&{query}",
    )


def test_the_sites_know_the_series_of_the_registry():
    """What the project asks for is there; what has ended is not."""
    sources = registry().data_sources.sources
    assert set(sources["fred"].living) <= fred.SERIES.keys()
    assert set(sources["bls"].living) == bls.SERIES.keys()
    assert set(sources["bcb"].living) == bcb.SERIES.keys()


def test_a_plain_answer_of_fred_has_the_days_of_the_question(replay):
    """Values are strings, and what is older than the question is cut."""
    status, page = observed(replay, "UNRATE", "observation_start=2024-01-01")
    assert (status, page["realtime_start"], page["observation_start"]) == (
        200,
        "2024-06-28",
        "2024-01-01",
    )
    first = page["observations"][0]
    assert (first["realtime_start"], first["realtime_end"], first["date"]) == (
        "2024-06-28",
        "2024-06-28",
        "2024-01-01",
    )
    assert isinstance(first["value"], str)


def test_every_vintage_follows_the_one_before(replay):
    """A row ends on the day before the next begins; the first all begin together."""
    status, page = observed(replay, "RSXFS", WHOLE)
    rows = [row for row in page["observations"] if row["date"] == "2024-01-01"]
    assert status == 200
    assert len(rows) == 3
    assert rows[-1]["realtime_end"] == "9999-12-31"
    for before, after in pairwise(rows):
        gap = date.fromisoformat(after["realtime_start"]) - date.fromisoformat(
            before["realtime_end"]
        )
        assert gap.days == 1
    old = {
        row["realtime_start"]
        for row in page["observations"]
        if row["date"] < "2017-01-01"
    }
    assert old == {"2018-01-02"}


def test_too_many_vintages_are_refused_with_their_number(replay):
    """And the same days in two windows are answered."""
    status, told = observed(replay, "DFF", WHOLE)
    assert (status, told["error_code"]) == (400, 400)
    assert (
        "exceeds the maximum number of vintage dates allowed (2000)"
        in told["error_message"]
    )
    _, days = said(
        replay, f"{API}/vintagedates?series_id=DFF&api_key={KEY}&file_type=json&{WHOLE}"
    )
    window = days["vintage_dates"][:2000]
    status, page = observed(
        replay, "DFF", f"realtime_start={window[0]}&realtime_end={window[-1]}&limit=10"
    )
    assert (status, len(page["observations"])) == (200, 10)
    assert page["count"] > 10


def test_fred_says_what_is_wrong_in_the_form_that_is_asked_for(replay):
    """JSON or XML; a key of another length has words of its own."""
    status, told = observed(replay, "NOSUCH")
    assert (status, told["error_message"]) == (
        400,
        "Bad Request.  The series does not exist.",
    )
    xml = ask(replay, f"{API}/observations?series_id=NOSUCH&api_key={KEY}")
    assert xml.text.startswith("<?xml")
    assert '<error code="400"' in xml.text
    short = said(replay, f"{API}/observations?series_id=GDP&api_key=x&file_type=json")
    assert short[0] == 400
    unknown = said(
        replay, f"{API}/observations?series_id=GDP&api_key={'a' * 32}&file_type=json"
    )
    assert "not registered" in unknown[1]["error_message"]


def test_the_graph_has_empty_cells_and_no_unknown_series(replay):
    """A weekday without a value stays; another id is a page with 404."""
    lines = ask(replay, f"{GRAPH}?id=DGS10&cosd=2024-05-20").text.split("\n")
    lines = [line for line in lines if not line.startswith("#")]
    assert lines[0] == "observation_date,DGS10"
    assert lines[1].startswith("2024-05-20,")
    page = ask(replay, f"{GRAPH}?id=NOSUCH")
    assert (page.status, page.text[:6]) == (404, "<html>")


def test_bls_says_in_its_answer_what_is_wrong(replay):
    """An unknown series is a success without rows; too many years are cut."""
    body = {"seriesid": ["WPU027", "NOSUCH"], "startyear": "2010", "endyear": "2024"}
    data = json.dumps(body).encode()
    status, told = said(
        replay, "api.bls.gov/publicAPI/v2/timeseries/data/", method="POST", body=data
    )
    assert (status, told["status"]) == (200, "REQUEST_SUCCEEDED")
    assert any("reduced" in each for each in told["message"])
    assert "Series does not exist for Series NOSUCH" in told["message"]
    known, unknown = told["Results"]["series"]
    assert unknown["data"] == []
    years = [row["year"] for row in known["data"]]
    assert (years[0], years[-1]) == ("2019", "2010")


def test_sgs_refuses_long_windows_and_has_two_forms(replay):
    """More than ten years are a 406; CSV has a comma, JSON a point."""
    days = "&dataInicial=01/01/2024&dataFinal=31/01/2024"
    _, rows = said(replay, f"{SGS}json{days}")
    text = ask(replay, f"{SGS}csv{days}").text.split("\r\n")
    held = [row for row in rows if "data" in row]
    assert text[-2] == f'"{held[-1]["data"]}";"{held[-1]["valor"].replace(".", ",")}"'
    status, _ = said(replay, f"{SGS}json&dataInicial=01/01/2010&dataFinal=31/01/2024")
    assert status == 406
    status, _ = said(replay, f"{SGS}json")
    assert status == 406


def test_pages_of_fiscal_data_lead_to_each_other(replay):
    """By the end of an address; the last has no next one, another parameter is refused."""
    size = "page[size]=100".replace("[", "%5B").replace("]", "%5D")
    status, page = said(replay, f"{DEBT}?{size}")
    assert status == 200
    assert page["links"]["prev"] is None
    assert page["links"]["next"].startswith("&page%5Bnumber%5D=2")
    pages = page["meta"]["total-pages"]
    _, last = said(replay, f"{DEBT}?{size}&page%5Bnumber%5D={pages}")
    assert last["links"]["next"] is None
    assert said(replay, f"{DEBT}?sorts=x")[0] == 400
