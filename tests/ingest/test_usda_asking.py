"""What USDA's connectors ask, page by page and year by year. Nobody is asked here."""

from __future__ import annotations

from datetime import date

import pytest

from cbi_stream.shapes.connector import SECRET, Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from handlers.ingest.esr_ask import esr
from handlers.ingest.gats_ask import gats
from handlers.ingest.gats_ask import judge as judge_gats
from handlers.ingest.mars_ask import judge as judge_mars
from handlers.ingest.mars_ask import mars
from handlers.ingest.nass_ask import judge as judge_nass
from handlers.ingest.nass_ask import nass
from handlers.ingest.psd_ask import judge_bulk, psd
from handlers.ingest.wasde_ask import wasde
from tests.quirks.test_usda import RELEASE, answer, catalogue, poll_of, reports

YESTERDAY = date(2026, 6, 11)


def names(wants: list[Want]) -> list[str]:
    """Return the names of questions."""
    return [want.name for want in wants]


def test_the_catalogue_is_walked_to_its_end() -> None:
    """Also where all of a page has landed: an interrupted history is finished."""
    landed = {"2026-06-11_wasde0626.xml": YESTERDAY}
    (first,) = wasde.wants(poll_of("wasde", landed=landed))
    assert first.params == (("latest", "false"), ("page", "0"))
    assert not first.lands
    assert first.judge(catalogue(RELEASE, pages=2)) == "data"
    assert names(list(first.follow(catalogue(RELEASE, pages=2)))) == [
        "wasde_catalogue_1.json"
    ]
    assert list(first.follow(catalogue(RELEASE, pages=1))) == []


def test_the_walk_ends_where_history_begins() -> None:
    """What is older than the first day that is kept is not asked for."""
    old = RELEASE | {"release_datetime": "2009-06-10T12:00:00+0000"}
    (first,) = wasde.wants(poll_of("wasde"))
    assert list(first.follow(catalogue(RELEASE, old, pages=9)))[1:] == []


def test_of_a_report_the_best_form_is_asked_for() -> None:
    """The XML, else the CSV; of pictures and spreadsheets nothing."""
    stem = RELEASE["files"][1].removesuffix(".xml")
    assert names(reports(RELEASE | {"files": [f"{stem}.csv", f"{stem}.xls"]})) == [
        "2026-06-11_wasde0626.csv"
    ]
    assert reports(RELEASE | {"files": [f"{stem}.pdf", f"{stem}.txt"]}) == []


def test_a_catalogue_that_points_elsewhere_is_not_followed() -> None:
    """Only the hosts of the registry are asked."""
    away = RELEASE | {"files": ["https://example.org/wasde0626.xml"]}
    with pytest.raises(SourceUnavailable, match="a file of its own"):
        reports(away)
    with pytest.raises(SourceUnavailable, match="expected release_datetime"):
        reports({"id": "1"})


def test_a_season_that_ended_long_ago_is_asked_once() -> None:
    """The newest and the one before are asked again, older ones when they are missing."""
    every = names(list(esr.wants(poll_of("esr"))))
    assert len(every) == len(set(every)) == 3 * 27
    landed = dict.fromkeys(every, YESTERDAY) | {"esr_801_2019.json": date(2019, 8, 1)}
    again = names(list(esr.wants(poll_of("esr", landed=landed))))
    assert again == [
        "esr_902_2026.json",
        "esr_901_2026.json",
        "esr_801_2026.json",
        "esr_801_2019.json",
    ]
    assert all(w.headers == {"X-Api-Key": SECRET} for w in esr.wants(poll_of("esr")))


def test_it_is_asked_how_many_rows_there_are_before_the_rows() -> None:
    """Of all of history first the count; then as many spans of years as it needs."""
    counts = list(nass.wants(poll_of("nass")))
    assert len(counts) == 7
    first = counts[0]
    assert first.name == "nass_soybeans_condition_count.json"
    assert first.url.endswith("/get_counts/")
    assert not first.lands
    (rows,) = first.follow(answer({"count": 4000}))
    assert rows.name == "nass_soybeans_condition.json"
    assert ("year__GE", "2000") in rows.params
    spans = list(first.follow(answer({"count": "120,000"})))
    assert len(spans) > 120_000 / 50_000
    asked = [dict(span.params) for span in spans]
    begins = [int(span["year__GE"]) for span in asked]
    ends = [int(span.get("year__LE", 2026)) for span in asked]
    assert begins[0] == 2000
    assert ends[-1] == 2026
    assert begins[1:] == [end + 1 for end in ends[:-1]]
    assert spans[-1].name == "nass_soybeans_condition.json"


def test_the_daily_question_is_asked_at_once() -> None:
    """A year or two are few rows."""
    landed = {"nass_soybeans_condition.json": YESTERDAY}
    first = next(iter(nass.wants(poll_of("nass", landed=landed))))
    assert first.name == "nass_soybeans_condition.json"
    assert dict(first.params)["year__GE"] == "2025"


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (401, "unauthorized", "NASS_API_KEY"),
        (413, "exceeds limit=50000", "fewer years"),
    ],
)
def test_a_refusal_says_the_mend(status: int, said: str, told: str) -> None:
    """Too many rows, or a bad key: what to look at stands in the message."""
    with pytest.raises(SourceRefused, match=told):
        judge_nass(answer({"error": [said]}, status=status), asked_before=True)
    with pytest.raises(SourceRefused, match="NASS_API_KEY"):
        judge_nass(answer(b"unauthorized", status=401), asked_before=False)


def test_the_world_s_balances_need_a_key() -> None:
    """Without one the zip is asked alone, which needs none."""
    assert names(list(psd.wants(poll_of("psd")))) == ["psd_oilseeds_csv.zip"]
    keyed = list(psd.wants(poll_of("psd", keyed=True)))
    assert len(keyed) == 7 * 17 + 1
    assert keyed[0].url.endswith("/psd/commodity/4232000/world/year/2026")
    landed = dict.fromkeys(names(keyed), YESTERDAY)
    again = names(list(psd.wants(poll_of("psd", keyed=True, landed=landed))))
    assert [n for n in again if "4232000" in n] == [
        f"psd_4232000_world_{year}.json" for year in (2026, 2025, 2024)
    ]
    with pytest.raises(SourceUnavailable, match="zip archive"):
        judge_bulk(answer(b"PK\x03\x04 and no more"))


def test_market_news_is_asked_by_year() -> None:
    """A year that has passed is asked once; the key is a user name."""
    every = list(mars.wants(poll_of("mars")))
    assert every[0].name == "mars_3147_2026.json"
    assert every[-1].name == "mars_3147_2019.json"
    assert every[1].params == (("q", "report_begin_date=01/01/2025:12/31/2025"),)
    assert all(want.basic for want in every)
    landed = dict.fromkeys(names(every), YESTERDAY)
    (again,) = mars.wants(poll_of("mars", landed=landed))
    assert again.params == (("q", "report_begin_date=06/01/2026:06/12/2026"),)


def test_a_part_of_market_news_is_not_taken_for_the_whole() -> None:
    """The service cuts what is longer than it allows, and says so in its counts."""
    section = {"stats": {"returnedRows": 1, "totalRows": 2}, "results": [{}]}
    with pytest.raises(SourceRefused, match="all of 2 rows; found 1"):
        judge_mars(answer(section))
    assert judge_mars(answer({"results": []})) == "empty"
    with pytest.raises(SourceRefused, match="MARS_API_KEY"):
        judge_mars(answer(b"Unauthorized", status=401))


def test_a_month_that_is_not_out_is_no_failure() -> None:
    """The Census answers it with no content."""
    first = next(iter(gats.wants(poll_of("gats"))))
    assert dict(first.params)["time"] == "from 2013-01"
    assert 204 in first.accept
    assert judge_gats(answer(b"", status=204)) == "empty"
    assert judge_gats(answer([["time"], ["2026-03"]])) == "data"
    with pytest.raises(SourceRefused, match="invalid key"):
        judge_gats(answer(b"error: invalid key", status=400))
