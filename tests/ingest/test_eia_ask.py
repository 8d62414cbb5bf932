"""What is asked of the EIA and the EPA, and what their answers are taken for."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from cbi_stream.shapes.connector import SECRET, Answer, Poll, Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from handlers.ingest.eia_ask import eia, outlook
from handlers.ingest.epa_rin_ask import epa_rin
from tests.ingest.conformed import registry
from tests.ingest.polls import first_of, poll_of
from tests.ingest.weeks import zipped

SOY = "M_EPOOBDSO_YIFBP_NUS_MMLB"


def polled(source: str = "eia", **more: Any) -> Poll:
    """Return a poll, as if nothing had landed yet unless said."""
    return poll_of(registry(), source, **more)


def said(content: Any, status: int = 200) -> Answer:
    """Return an answer with this content."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    now = datetime(2026, 9, 21, 12, tzinfo=UTC)
    return Answer("x", status, "application/json", now, data)


def rows(count: int, total: object = None, series: str = SOY) -> Answer:
    """Return an answer of the API."""
    data = [{"period": "2024-01", "series": series, "value": "1"}] * count
    return said({"response": {"total": total or str(count), "data": data}})


def soy(**more: Any) -> Want:
    """Return the question for soybean oil."""
    wants = eia.wants(polled(keyed=True, **more))
    return next(want for want in wants if want.name == f"eia_{SOY}.json")


def test_each_registered_series_is_a_question_of_its_own() -> None:
    """One that the agency has dropped stops no other; its key is a place holder."""
    wants = list(eia.wants(polled(keyed=True)))
    entry = registry().data_sources.sources["eia"]
    assert entry.fetch is not None
    review = {"BFPRBUS", "BFTCBUS"}  # in the table of a review, which is dropped
    assert set(entry.fetch.options) == set(entry.series) - review
    assert len({want.name for want in wants}) == len(wants) == len(entry.fetch.options)
    params = dict(soy().params)
    assert soy().url == "https://api.eia.gov/v2/petroleum/pnp/feedbiofuel/data/"
    assert params["api_key"] == SECRET
    assert params["data[0]"] == "value"
    assert params["facets[series][]"] == SOY
    assert (params["start"], params["length"]) == ("1986-01", "5000")


def test_later_the_look_back_covers_the_year_s_revision() -> None:
    """A year's report mends its months in the autumn of the next year."""
    later = soy(landed={f"eia_{SOY}.json": date(2026, 9, 18)})
    assert dict(later.params)["start"] == "2024-12"


def test_without_a_key_its_workbook_is_asked_for() -> None:
    """The same series, under the same id, from the keyless host."""
    wants = {want.name: want for want in eia.wants(polled())}
    book = wants[f"{SOY}m.xls"]
    assert book.url == f"https://www.eia.gov/dnav/pet/hist_xls/{SOY}m.xls"
    assert book.expect == "xls"
    gas = wants["RNGWHHDd.xls"]
    assert gas.url == "https://www.eia.gov/dnav/ng/hist_xls/RNGWHHDd.xls"


@pytest.mark.parametrize("total", ["12000", 12000])
def test_pages_are_asked_for_until_the_total(total: object) -> None:
    """Total comes as text or as a number."""
    (second,) = soy().follow(rows(5000, total))
    assert dict(second.params)["offset"] == "5000"
    assert second.name == f"eia_{SOY}_from_5000.json"
    (third,) = second.follow(rows(5000, total))
    assert list(third.follow(rows(2000, total))) == []


def test_answers_are_told_apart() -> None:
    """Data, a refusal with its reason, and an answer that was cut."""
    assert soy().judge(rows(3)) == "data"
    invalid = {"error": {"code": "API_KEY_INVALID", "message": "An invalid api_key"}}
    with pytest.raises(SourceRefused, match=r"eia: .*403: API_KEY_INVALID An invalid"):
        soy().judge(said(invalid, 403))
    with pytest.raises(SourceRefused, match="400: Invalid frequency"):
        soy().judge(said({"error": "Invalid frequency", "code": 400}, 400))
    with pytest.raises(SourceUnavailable, match="cut short"):
        soy().judge(said(b'{"response": {"total": "1", "da'))
    no_value = {"response": {"total": "1", "data": [{"period": "x", "series": SOY}]}}
    with pytest.raises(SourceRefused, match="expected the fields value"):
        soy().judge(said(no_value))
    with pytest.raises(SourceRefused, match="alone; found OTHER"):
        soy().judge(rows(1, series="OTHER"))


def test_a_code_that_never_had_a_row_fails_loudly() -> None:
    """An unknown code answers with nothing and status 200; one that is known may."""
    with pytest.raises(SourceRefused, match=r"facet/series lists those it knows"):
        soy().judge(rows(0, "0"))
    known = soy(landed={f"eia_{SOY}.json": date(2026, 9, 18)})
    assert known.judge(rows(0, "0")) == "empty"


def test_an_outlook_is_asked_for_as_a_whole() -> None:
    """An archive without a series is a true nothing, a cut one is not."""
    want = first_of(outlook.wants(polled("eia_steo")))
    assert want.name == "STEO.zip"
    text = zipped("STEO.txt", b'{"series_id": "STEO.X.M"}\n')
    assert want.judge(said(text)) == "data"
    assert want.judge(said(zipped("STEO.txt", b""))) == "empty"
    with pytest.raises(SourceUnavailable, match="whole zip"):
        want.judge(said(text[:-20]))


def link(folder: str, name: str) -> str:
    """Return a link to a monthly file."""
    return f'<a href="/system/files/other-files/{folder}/{name}">x</a>'


def test_the_newest_file_is_told_by_the_month_in_its_name() -> None:
    """The folder is that of the upload: a mended old month lies in a young one."""
    page = "<html>" + "".join(
        [
            link("2026-08", "rindata_sept2015.csv"),
            link("2026-07", "rindata_june2026.csv"),
            link("2026-06", "rindata_may2026.csv"),
            link("2026-08", "generationbreakout_jul2026.csv"),
        ]
    )
    want = first_of(epa_rin.wants(polled("epa_rin")))
    assert not want.lands
    answer = said(page.encode())
    assert want.judge(answer) == "data"
    (file,) = want.follow(answer)
    assert file.name == "rindata_june2026.csv"
    assert file.url == (
        "https://www.epa.gov/system/files/other-files/2026-07/rindata_june2026.csv"
    )
    assert file.judge(said(b"FUEL_CODE,RIN_YEAR\n4,2026\n")) == "data"
    assert file.judge(said(b"FUEL_CODE,RIN_YEAR\n")) == "empty"


def test_a_page_without_a_link_is_refused() -> None:
    """The page was rebuilt, or is another one: nothing is asked on a guess."""
    want = first_of(epa_rin.wants(polled("epa_rin")))
    with pytest.raises(SourceRefused, match="epa_rin: expected a link to rindata_"):
        want.judge(said(b"<html>We have moved</html>"))
