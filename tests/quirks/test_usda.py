"""The quirks of USDA's sources, each one test. No answer here is USDA's own; shapes are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cbi_stream.doors.content import not_expected
from cbi_stream.registry import loader
from cbi_stream.shapes.connector import Answer, Poll, Want
from cbi_stream.words.errors import BadInput, SourceRefused
from handlers.conform.psd_world import SUMMED, world_of
from handlers.ingest.esr import esr, season_of
from handlers.ingest.esr_ask import esr as ask_esr
from handlers.ingest.esr_ask import judge as judge_esr
from handlers.ingest.nass import nass
from handlers.ingest.nass_ask import judge as judge_nass
from handlers.ingest.psd_ask import psd as ask_psd
from handlers.ingest.wasde_ask import wasde as ask_wasde
from handlers.ingest.wasde_words import released, released_of

SOURCES = loader.load(Path(__file__).resolve().parents[2] / "registry").data_sources
NEW_YORK = ZoneInfo("America/New_York")
SALE = {
    "commodityCode": 902,
    "countryCode": 5700,
    "weeklyExports": 13506,
    "accumulatedExports": 13506,
    "outstandingSales": 352846,
    "grossNewSales": 224335,
    "currentMYNetSales": -25376,
    "currentMYTotalCommitment": 366352,
    "nextMYOutstandingSales": 0,
    "nextMYNetSales": 0,
    "unitId": 1,
    "weekEndingDate": "2025-10-02T00:00:00",
}
CROP = {
    "short_desc": "SOYBEANS - CONDITION, MEASURED IN PCT GOOD",
    "agg_level_desc": "NATIONAL",
    "state_alpha": "US",
    "location_desc": "US TOTAL",
    "domain_desc": "TOTAL",
    "domaincat_desc": "NOT SPECIFIED",
    "freq_desc": "WEEKLY",
    "begin_code": "24",
    "reference_period_desc": "WEEK #24",
    "week_ending": "2026-06-14",
    "year": "2026",
    "load_time": "2026-06-15 16:00:00",
    "Value": "57",
}
RELEASE = {
    "id": "795937",
    "files": [
        "https://esmis.nal.usda.gov/sites/default/release-files/795937/wasde0626.pdf",
        "https://esmis.nal.usda.gov/sites/default/release-files/795937/wasde0626.xml",
    ],
    "release_datetime": "2026-06-11T12:00:00+0000",
}


def poll_of(source: str, **more: object) -> Poll:
    """Return what a connector is told, on 2026-06-12."""
    return Poll(source=SOURCES.sources[source], today=date(2026, 6, 12), **more)


def answer(content: object, *, status: int = 200) -> Answer:
    """Return an answer of a source."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    at = datetime(2026, 6, 12, tzinfo=UTC)
    return Answer("https://example.org/", status, "application/json", at, data)


def catalogue(*releases: dict[str, object], pages: int = 1, page: int = 0) -> Answer:
    """Return a page of the WASDE catalogue."""
    pager = {"current_page": page, "items_per_page": 25, "total_pages": pages}
    return answer({"pager": pager, "results": list(releases)})


def reports(*releases: dict[str, object], **more: object) -> list[Want]:
    """Return what is asked for after a page of the catalogue."""
    (first,) = ask_wasde.wants(poll_of("wasde", **more))
    return list(first.follow(catalogue(*releases)))


def test_quirk_5_a_season_is_called_by_the_year_in_which_it_ends() -> None:
    """Quirk 5: `marketYear/2026` is the season 2025/26."""
    assert season_of(date(2025, 9, 30), "902") == 2025
    assert season_of(date(2025, 10, 1), "902") == 2026
    assert season_of(date(2025, 9, 1), "801") == 2026
    wants = list(ask_esr.wants(poll_of("esr")))
    newest = next(w for w in wants if w.name == "esr_902_2026.json")
    assert newest.url.endswith("commodityCode/902/allCountries/marketYear/2026")
    # 2026-06-12 lies in 2025/26: 2026/27 has not begun.
    assert "esr_902_2027.json" not in [w.name for w in wants]


def test_quirk_5_an_archive_of_the_old_service_is_refused() -> None:
    """Quirk 5: an archive of v1 calls 2025/26 `2025`; it is no answer of that season."""
    data = json.dumps([SALE]).encode()
    assert esr.parse(data, "esr_902_2026").height == 8
    with pytest.raises(BadInput, match="year in which a season begins"):
        esr.parse(data, "esr_902_2025")


def test_quirk_9_a_report_comes_out_at_noon_in_new_york() -> None:
    """Quirk 9: `2026-06-11T12:00:00+0000` is 12:00 in New York, which is 16:00 UTC."""
    (want,) = reports(RELEASE)
    assert want.name == "2026-06-11_wasde0626.xml"
    assert want.url.endswith("/795937/wasde0626.xml")
    stamp = released_of(want.key, date(2026, 6, 1))
    assert stamp == datetime(2026, 6, 11, 16, tzinfo=UTC)
    assert stamp == datetime(2026, 6, 11, 12, tzinfo=NEW_YORK)
    assert released(date(2012, 12, 11)) == datetime(
        2012, 12, 11, 8, 30, tzinfo=NEW_YORK
    )


def test_quirk_10_a_report_posted_again_is_a_later_vintage() -> None:
    """Quirk 10: `wasde0526v2.xml` with the day of the first is knowable a day later."""
    again = RELEASE | {
        "files": [RELEASE["files"][1].replace("0626", "0526v2")],
        "release_datetime": "2026-05-12T12:00:00+0000",
    }
    landed = {"2026-05-12_wasde0526.xml": date(2026, 5, 12)}
    (want,) = reports(again, landed=landed)
    assert want.name == "2026-05-12_wasde0526v2.xml"
    first = released_of("2026-05-12_wasde0526", date(2026, 5, 1))
    second = released_of(want.key, date(2026, 5, 1))
    assert first.astimezone(NEW_YORK) == datetime(2026, 5, 12, 12, tzinfo=NEW_YORK)
    assert second.astimezone(NEW_YORK).date() == date(2026, 5, 13)


def test_quirk_20_the_world_is_a_sum_of_quantities_only() -> None:
    """Quirk 20: the world is the sum over countries; a yield is never summed."""
    at = datetime(2024, 6, 12, 16, tzinfo=UTC)
    rows = pl.DataFrame(
        {
            "series": ["4232000.br.exports", "4232000.mx.exports"],
            "date": [date(2023, 10, 1)] * 2,
            "vintage": [0, 0],
            "value": [2000.5, 10.0],
            "batch": [1, 1],
            "unit": ["thousand tonnes"] * 2,
            "knowable_at": [at, at],
            "first_seen_at": [at, at],
            "basis": ["stamp"] * 2,
            "pit_grade": ["C"] * 2,
        }
    )
    summed = world_of(rows)
    assert summed.select("series", "value").rows() == [
        ("4232000.world.exports", 2010.5)
    ]
    assert not {"yield", "extr_rate", "stocks_to_use"} & set(SUMMED)


def test_quirk_24_the_time_of_a_bulk_load_is_no_release() -> None:
    """Quirk 24: `load_time` 2012-12-31 on a row of 2010 says nothing of its release."""
    old = CROP | {"week_ending": "2010-06-13", "load_time": "2012-12-31 00:00:00"}
    rows = nass.parse(json.dumps({"data": [CROP, old]}).encode(), None)
    assert rows.select("date", "loaded").rows() == [
        (date(2026, 6, 14), False),
        (date(2010, 6, 13), True),
    ]
    assert rows["stamp"][0] == datetime(2026, 6, 15, 16, tzinfo=NEW_YORK)


def test_quirk_32_an_invalid_query_may_mean_no_rows() -> None:
    """Quirk 32: the 400 of a question that worked before means no rows; else it is one."""
    said = answer({"error": ["bad request - invalid query"]}, status=400)
    assert judge_nass(said, asked_before=True) == "empty"
    with pytest.raises(SourceRefused, match="spelled"):
        judge_nass(said, asked_before=False)


@pytest.mark.parametrize(
    ("cell", "read"),
    [("4,500,000,000", "4500000000"), (" (D)", "."), ("(Z)", "."), ("(NA)", ".")],
)
def test_quirk_32_numbers_have_commas_and_gaps_have_codes(cell: str, read: str) -> None:
    """Quirk 32: `4,500,000,000` is a number; ` (D)` is a gap that was published."""
    rows = nass.parse(json.dumps({"data": [CROP | {"Value": cell}]}).encode(), None)
    assert rows["value"].to_list() == [read]


def test_quirk_38_an_empty_list_is_a_success() -> None:
    """Quirk 38: `[]` with status 200 is a season without sales, and no failure."""
    assert judge_esr(answer([])) == "empty"
    assert judge_esr(answer([SALE])) == "data"
    error = {"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key"}}
    with pytest.raises(SourceRefused, match="API_KEY_INVALID"):
        judge_esr(answer(error, status=403))


def test_quirk_40_a_page_is_never_a_file() -> None:
    """Quirk 40: a web page with status 200 is refused by its first bytes."""
    page = b"<!DOCTYPE html><html><head><title>Maintenance</title></head></html>"
    asked = [*reports(RELEASE), *ask_psd.wants(poll_of("psd"))]
    asked += list(ask_esr.wants(poll_of("esr")))[:1]
    assert {want.expect for want in asked} == {"xml", "zip", "json"}
    assert [want.name for want in asked if not_expected(page, want) is None] == []
