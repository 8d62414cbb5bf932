"""What is asked of the CFTC, and what its answers are taken for. Nobody is asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from cbi_stream.shapes.connector import SECRET, Answer, Poll, Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from handlers.ingest.cot_ask import cftc, disaggregated
from tests.ingest.conformed import registry
from tests.ingest.weeks import LEGACY_JSON

TODAY = date(2026, 9, 21)
Polled = Callable[..., Poll]


def polled(source: str = "cftc", *, way: str = "socrata", **more: object) -> Poll:
    """Return a poll, as if nothing had landed yet unless said."""
    entry = registry().data_sources.sources[source]
    assert entry.fetch is not None
    options = {**entry.fetch.options, "way": way}
    fetch = entry.fetch.model_copy(update={"options": options})
    entry = entry.model_copy(update={"fetch": fetch})
    return Poll(entry, TODAY, **more)  # type: ignore[arg-type]


def said(content: object, status: int = 200) -> Answer:
    """Return an answer with this content."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    now = datetime(2026, 9, 21, 12, tzinfo=UTC)
    return Answer("x", status, "application/json", now, data)


def test_the_first_time_each_year_is_a_question() -> None:
    """One year that fails stops no other; together they are all of history."""
    wants = list(disaggregated.wants(polled("cftc_disaggregated")))
    names = [want.name for want in wants]
    assert names[0] == "cftc_disaggregated_2006.json"
    assert names[-1] == "cftc_disaggregated_2026.json"
    assert len(set(names)) == 21
    params = dict(wants[0].params)
    assert "'2006-06-13T00:00:00'" in params["$where"]
    assert "'2006-12-31T00:00:00'" in params["$where"]
    assert "'067651'" in params["$where"]
    assert params["$limit"] == "50000"
    assert "72hh-3qpy.json" in wants[0].url


def test_later_only_the_look_back_is_asked_for() -> None:
    """A week that came out late, or again, is asked for once more; years are not."""
    landed = {f"cftc_{year}.json": date(2026, 9, 18) for year in range(1986, 2027)}
    (want,) = cftc.wants(polled(landed=landed))
    assert want.name == "cftc_2026.json"
    assert "'2026-08-21T00:00:00'" in dict(want.params)["$where"]


def test_in_january_the_year_before_is_asked_for_too() -> None:
    """Its last report is released in the new year."""
    landed = {f"cftc_{year}.json": date(2025, 12, 26) for year in range(1986, 2026)}
    poll = replace(polled(landed=landed), today=date(2026, 1, 5))
    names = [want.name for want in cftc.wants(poll)]
    assert names == ["cftc_2025.json", "cftc_2026.json"]


def test_a_token_goes_into_a_header_and_none_is_needed() -> None:
    """Without one the same is asked."""
    keyed = next(iter(cftc.wants(polled(keyed=True))))
    plain = next(iter(cftc.wants(polled())))
    assert keyed.headers == {"X-App-Token": SECRET}
    assert plain.headers == {}
    assert keyed.params == plain.params


def test_a_full_page_is_followed_by_the_next() -> None:
    """Fifty thousand entries are a page; fewer are the last one."""
    want = next(iter(cftc.wants(polled())))
    full = said(b"[" + b",".join([b"{}"] * 50_000) + b"]")
    (more,) = want.follow(full)
    assert dict(more.params)["$offset"] == "50000"
    assert more.name == "cftc_1986_from_50000.json"
    assert list(want.follow(said([LEGACY_JSON]))) == []


def judged(answer: Answer) -> str:
    """Return what the first question takes an answer for."""
    want: Want = next(iter(cftc.wants(polled())))
    return want.judge(answer)


def test_answers_are_told_apart() -> None:
    """Data, a true nothing, a refusal, and an answer that was cut."""
    assert judged(said([LEGACY_JSON])) == "data"
    assert judged(said([])) == "empty"
    no_column = {
        "message": "No such column: x",
        "errorCode": "query.soql.no-such-column",
    }
    with pytest.raises(SourceRefused, match=r"cftc_1986\.json.*400: No such column: x"):
        judged(said(no_column, 400))
    missing = {"code": "dataset.missing", "error": True, "message": "Not found"}
    with pytest.raises(SourceRefused, match="404: Not found"):
        judged(said(missing, 404))
    with pytest.raises(SourceRefused, match="the portal has renamed them"):
        judged(said([{"report_date": "2024-01-02"}]))
    with pytest.raises(SourceUnavailable, match="cut short"):
        judged(said(b'[{"id": "24'))


def test_archives_are_a_second_way() -> None:
    """History once, a year as long as it is still rewritten."""
    wants = list(cftc.wants(polled(way="zips")))
    assert wants[0].url.endswith("/files/dea/history/deacot1986_2016.zip")
    assert [w.name for w in wants[1:3]] == ["deacot2017.zip", "deacot2018.zip"]
    assert {want.expect for want in wants} == {"zip"}
    landed = {want.name: date(2026, 2, 6) for want in wants}
    assert [w.name for w in cftc.wants(polled(way="zips", landed=landed))] == [
        "deacot2026.zip"
    ]
