"""BLS: many series in one answer, and failures that stay those of one series."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cbi_stream import SECRET, SourceRefused, SourceUnavailable
from cbi_stream.words.errors import BadInput
from handlers.ingest.bls import bls, bls_table
from handlers.ingest.bls_ask import bls as asked
from tests.ingest.asking import answer, named, poll_of

ENTRY = {"year": "2020", "period": "M03", "periodName": "March", "latest": "true"}
FIRST = {
    **ENTRY,
    "value": "258.115",
    "footnotes": [{"code": "P", "text": "Preliminary."}],
}
SECOND = {"year": "2020", "period": "M02", "value": "258.678", "footnotes": [{}]}


def told(*series: tuple[str, list[Any]], **more: Any) -> dict[str, Any]:
    """Return an answer."""
    held = [{"seriesID": name, "data": data} for name, data in series]
    done = {"status": "REQUEST_SUCCEEDED", "responseTime": 183, "message": []}
    return {**done, "Results": {"series": held}, **more}


def read(*entries: Any) -> list[tuple[Any, ...]]:
    """Return series, day, value of each row, and the rule that it breaks."""
    data = json.dumps(told(("CUUR0000SA0", list(entries)))).encode()
    rows = bls.parse(data, None).rows(named=True)
    return [
        (r["series"], r["date"], r["value"], (r["problem"] or "").split(":")[0])
        for r in rows
    ]


def test_months_become_their_first_day() -> None:
    """The newest comes first; a note that is none, and one that is, change nothing."""
    assert read(FIRST, SECOND) == [
        ("CUUR0000SA0", date(2020, 3, 1), "258.115", ""),
        ("CUUR0000SA0", date(2020, 2, 1), "258.678", ""),
    ]


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("M12", date(2020, 12, 1)),
        ("Q01", date(2020, 1, 1)),
        ("Q04", date(2020, 10, 1)),
        ("S01", date(2020, 1, 1)),
        ("S02", date(2020, 7, 1)),
    ],
)
def test_periods_begin_where_they_begin(period: str, day: date) -> None:
    """Months, quarters and half years are dated by their first day."""
    assert read({**SECOND, "period": period}) == [("CUUR0000SA0", day, "258.678", "")]


@pytest.mark.parametrize("period", ["M00", "M14", "X01", "M1", "", "W05", "Q06"])
def test_a_period_that_is_none_is_told(period: str) -> None:
    """The line stays with its problem; the others go on."""
    assert read(FIRST, SECOND, {**SECOND, "period": period})[2][3] == "date"
    assert read(FIRST, SECOND, {**SECOND, "year": "20"})[2][3] == "date"
    assert read(FIRST, SECOND, {**SECOND, "value": "n/a"})[2][3] == "number"


def test_numbers_may_be_numbers() -> None:
    """A year and a value that are no strings say the same."""
    assert read({"value": 1.50, "period": "M01", "year": 2024}) == [
        ("CUUR0000SA0", date(2024, 1, 1), "1.5", "")
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            told(("A", [{"year": "2020", "period": "M01", "val": "1"}])),
            "under value; found",
        ),
        (
            told(("A", [{"yr": "2020", "period": "M01", "value": "1"}])),
            "under year; found",
        ),
        (
            {"status": "REQUEST_NOT_PROCESSED", "message": ["used up"], "Results": {}},
            "used up",
        ),
        ({"Results": {"series": [{"id": "A", "data": []}]}}, "under seriesID"),
        ([], "expected"),
    ],
)
def test_another_shape_is_refused(content: Any, said: str) -> None:
    """A renamed field, or an answer of a question that was not processed."""
    with pytest.raises(BadInput, match=said):
        bls.parse(json.dumps(content).encode(), None)


@pytest.mark.parametrize(
    "text",
    [
        "Series ID,Year,Period,Label,Value\nWPU027,2020,M03,2020 Mar,1.5\nWPU027,2020,M13,x,-\n",
        "series_id\tyear\tperiod\tvalue\tfootnote_codes\n"
        "WPU027 \t2020\tM03\t 1.5\t\nWPU027\t2020\tM13\t-\t\n",
    ],
)
def test_a_table_reads_like_an_answer(text: str) -> None:
    """With commas as the site exports it, with tabs as it stands on its server."""
    assert bls_table.recognises(text.split("\n", maxsplit=1)[0])
    rows = bls_table.parse(text.encode(), None)
    assert rows.select("series", "date", "value", "line").rows() == [
        ("WPU027", date(2020, 3, 1), "1.5", 2),
        ("WPU027.annual", date(2020, 1, 1), "", 3),
    ]


def test_a_table_without_a_column_is_refused() -> None:
    """It names what is missing."""
    with pytest.raises(BadInput, match="year or Year; found"):
        bls_table.parse(b"series_id,period,value\nA,M01,1\n", None)


def test_with_a_key_twenty_years_go_in_a_question() -> None:
    """As a POST with all series; the windows lie on a fixed grid."""
    wants = list(asked.wants(poll_of("bls", keyed=True)))
    assert named(wants) == ["bls_1_1995_2014.json", "bls_1_2015_2034.json"]
    body = wants[1].body or {}
    assert (body["startyear"], body["endyear"], body["registrationkey"]) == (
        "2015",
        "2026",
        SECRET,
    )
    assert len(body["seriesid"]) == 6


def test_without_a_key_ten_years_go_in_a_question() -> None:
    """No key is named, and no more years than are answered."""
    wants = list(asked.wants(poll_of("bls")))
    years = [((w.body or {})["startyear"], (w.body or {})["endyear"]) for w in wants]
    assert years == [
        ("1995", "2004"),
        ("2005", "2014"),
        ("2015", "2024"),
        ("2025", "2026"),
    ]
    assert all("registrationkey" not in (want.body or {}) for want in wants)


def test_what_is_over_is_asked_once() -> None:
    """Later polls ask for the newest window, from the look-back on."""
    landed = {f"bls_1_{a}_{a + 19}.json": date(2026, 7, 1) for a in (1995, 2015)}
    (want,) = asked.wants(poll_of("bls", keyed=True, landed=landed))
    assert (want.body or {})["startyear"] == "2025"
    del landed["bls_1_1995_2014.json"]
    assert len(list(asked.wants(poll_of("bls", keyed=True, landed=landed)))) == 2


def test_many_series_go_in_groups() -> None:
    """At most 25 without a key, 50 with one."""
    poll = poll_of("bls")
    many = {f"X{i}": poll.source.series["WPU027"] for i in range(60)}
    source = poll.source.model_copy(update={"series": many})
    for keyed, sizes in ((True, [50, 50, 10, 10]), (False, [25] * 8 + [10] * 4)):
        wants = asked.wants(
            poll_of("bls", keyed=keyed).__class__(source, poll.today, keyed=keyed)
        )
        assert [len((w.body or {})["seriesid"]) for w in wants] == sizes


def test_one_unknown_series_fails_alone() -> None:
    """The others land; it is asked for again by itself, and that question fails."""
    (want, *_) = asked.wants(poll_of("bls", "WPU027", "CUUR0000SA0"))
    said = told(
        ("WPU027", []),
        ("CUUR0000SA0", [FIRST]),
        message=["Series does not exist for Series WPU027"],
    )
    assert want.judge(answer(said)) == "data"
    (alone,) = want.follow(answer(said))
    assert (alone.name, (alone.body or {})["seriesid"]) == (
        "bls_WPU027_1_1995_2004.json",
        ["WPU027"],
    )
    missing = told(("WPU027", []), message=said["message"])
    with pytest.raises(SourceRefused, match="bls: WPU027"):
        alone.judge(answer(missing))
    assert list(alone.follow(answer(missing))) == []


def test_no_rows_and_no_message_are_an_empty_answer() -> None:
    """There is nothing in these years: that is no failure."""
    (want, *_) = asked.wants(poll_of("bls", "WPU027"))
    assert want.judge(answer(told(("WPU027", [])))) == "empty"


def test_what_is_not_processed_is_told_apart() -> None:
    """A used-up day may pass; a bad key and a cut window never do."""
    (want, *_) = asked.wants(poll_of("bls", "WPU027"))
    refused = {"status": "REQUEST_NOT_PROCESSED", "Results": {}}
    used_up = {
        **refused,
        "message": ["the daily threshold for total number of requests"],
    }
    with pytest.raises(SourceUnavailable, match="bls: "):
        want.judge(answer(used_up))
    bad_key = {**refused, "message": ["The key:x provided by the User is invalid."]}
    with pytest.raises(SourceRefused, match="BLS_API_KEY"):
        want.judge(answer(bad_key))
    cut = told(
        ("WPU027", [FIRST]), message=["Year range has been reduced to 10 years."]
    )
    with pytest.raises(SourceRefused, match="expected 1995 to 2004"):
        want.judge(answer(cut))
    with pytest.raises(SourceUnavailable, match="expected JSON"):
        want.judge(answer(b"<html>"))
