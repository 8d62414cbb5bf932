"""Documents of the Federal Register: what is read of them, and how they are asked for.

No answer here is the service's own; the shapes are.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from cbi_stream import Answer, BadInput, Poll, SourceRefused, SourceUnavailable, Want
from cbi_stream.registry import loader
from handlers.ingest.federal_register import FIELDS, federal_register
from handlers.ingest.federal_register_ask import asked_of, federal_register_asked

NOON = datetime(2024, 9, 20, 16, tzinfo=UTC)
TODAY = date(2024, 9, 20)
SITE = "https://www.federalregister.gov"
DOCUMENT = {
    "document_number": "2024-21217",
    "publication_date": "2024-09-18",
    "title": "Notice of Modification",
    "type": "Notice",
    "html_url": f"{SITE}/documents/2024/09/18/2024-21217/notice",
    "action": "Notice.",
    "effective_on": "2024-09-27",
    "correction_of": None,
}


def _said(*documents: dict[str, Any], **more: Any) -> bytes:
    whole = {"count": len(documents), "description": "x", "results": documents, **more}
    return json.dumps(whole).encode()


def _answer(content: object, status: int = 200) -> Answer:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(SITE, status, "application/json", NOON, data)


@pytest.fixture(scope="module")
def entry() -> Any:
    """Return the source's entry in the registry."""
    registry = loader.load(Path(__file__).resolve().parents[2] / "registry")
    return registry.data_sources.sources["federal_register"]


def _wants(entry: Any, **more: Any) -> list[Want]:
    return list(federal_register_asked.wants(Poll(entry, TODAY, **more)))


def _conditions(want: Want) -> tuple[str, str]:
    said = dict(want.params)
    day = "conditions[publication_date]"
    return said[f"{day}[gte]"], said[f"{day}[lte]"]


def test_a_document_is_an_event_of_the_day_of_its_edition() -> None:
    """It is stamped 8:45 in New York; the topic is the question's."""
    (row,) = federal_register.parse(_said(DOCUMENT), "section_301").rows(named=True)
    assert (row["event"], row["topic"], row["kind"]) == (
        "2024-21217",
        "section_301",
        "document",
    )
    assert row["date"] == date(2024, 9, 18)
    assert row["stamp"] == datetime(2024, 9, 18, 12, 45, tzinfo=UTC)
    assert row["effective_on"] == "2024-09-27"
    assert row["form"] == "Notice: Notice."
    assert row["citation"] == DOCUMENT["html_url"]
    winter = DOCUMENT | {"publication_date": "2024-01-18"}
    (row,) = federal_register.parse(_said(winter), "x").rows(named=True)
    assert row["stamp"] == datetime(2024, 1, 18, 13, 45, tzinfo=UTC)


def test_a_correction_is_a_document_of_its_own() -> None:
    """It names the one that it corrects, and changes nothing of it."""
    corrects = {
        "document_number": "C1-2024-21217",
        "correction_of": f"{SITE}/api/v1/documents/2024-21217",
    }
    rows = federal_register.parse(_said(DOCUMENT, DOCUMENT | corrects), "x")
    assert rows.select("event", "corrects").rows() == [
        ("2024-21217", None),
        ("C1-2024-21217", "2024-21217"),
    ]


def test_an_answer_of_the_default_fields_is_read() -> None:
    """What was not asked for is not told; what was renamed refuses the answer."""
    fewer = {k: v for k, v in DOCUMENT.items() if k not in FIELDS[5:]}
    default = fewer | {
        "abstract": None,
        "agencies": [{"raw_name": "X"}],
        "excerpts": "",
    }
    (row,) = federal_register.parse(_said(default), "x").rows(named=True)
    assert row["effective_on"] is None
    assert row["form"] == "Notice"
    for old in FIELDS:
        drifted = {f"{k}_2" if k == old else k: v for k, v in DOCUMENT.items()}
        with pytest.raises(BadInput, match=f"expected .*{old}.* found .*{old}_2"):
            federal_register.parse(_said(drifted), "x")


def test_one_bad_document_does_not_stop_the_others() -> None:
    """A document without a day stays, with its problem."""
    bad = DOCUMENT | {"publication_date": "soon"}
    rows = federal_register.parse(_said(DOCUMENT, bad), "x")
    assert rows["problem"].is_null().to_list() == [True, False]
    with pytest.raises(BadInput, match="expected a list of documents under results"):
        federal_register.parse(b'{"count": 0}', "x")


def test_only_its_answers_are_recognised() -> None:
    """Both names stand in every answer that has documents."""
    assert federal_register.recognises(_said(DOCUMENT).decode())
    assert not federal_register.recognises('{"publication_date": "2024-01-01"}')
    assert not federal_register.recognises('{"count":0,"description":"x"}')


def test_each_topic_is_asked_since_it_was_last_answered(entry: Any) -> None:
    """The first time for all of history; the last day changes each day."""
    first = _wants(entry)
    assert len(first) == len(entry.series) == len(entry.fetch.options)
    assert {_conditions(want) for want in first} == {("2000-01-01", "2024-09-20")}
    assert not any(want.lands for want in first)
    landed = {"federal_register_section_301.json": date(2024, 9, 19)}
    later = _wants(entry, landed=landed)[0]
    assert _conditions(later) == ("2024-09-05", "2024-09-20")
    terms = dict(later.params)["conditions[term]"]
    assert terms == '"section 301"'
    assert [v for k, v in later.params if k == "fields[]"] == list(FIELDS)


def test_pages_are_asked_from_the_last_to_the_first(entry: Any) -> None:
    """The page with the topic's own name lands last: till then nothing counts as done."""
    want, names = _wants(entry)[0], []
    counted = _answer({"count": 2300, "results": [DOCUMENT], "description": "x"})
    (want,) = want.follow(counted)
    while True:
        names.append((want.name, dict(want.params)["page"]))
        found = list(want.follow(counted))
        if not found:
            break
        (want,) = found
    stem = "federal_register_section_301"
    assert names == [
        (f"{stem}_2000-01-01_2024-09-20_page3.json", "3"),
        (f"{stem}_2000-01-01_2024-09-20_page2.json", "2"),
        (f"{stem}.json", "1"),
    ]


def test_every_name_says_its_topic(entry: Any) -> None:
    """A dropped page is told by its name, as its registered pattern takes it apart."""
    registry_pattern = entry.file_names[0]
    for name in ("section_301", "section_301_2000-01-01_2012-05-11_page3"):
        match = re.fullmatch(registry_pattern, f"federal_register_{name}.json")
        assert match is not None
        assert match["key"] == "section_301"


@pytest.mark.parametrize(
    ("said", "status", "error"),
    [
        ({"errors": {"conditions": {"x": "y"}}}, 400, SourceRefused),
        ({"error": "unknown field"}, 400, SourceRefused),
        ({"count": 3, "documents": []}, 200, SourceRefused),
        ({"results": []}, 200, SourceRefused),
        (b"<html>", 200, SourceUnavailable),
        (["x"], 200, SourceUnavailable),
    ],
)
def test_a_refusal_is_no_empty_answer(
    entry: Any, said: Any, status: int, error: type[Exception]
) -> None:
    """A wrong question, an answer that lost its documents, and no answer at all."""
    counting = _wants(entry)[0]
    (paging,) = counting.follow(_answer({"count": 1}))
    with pytest.raises(error):
        paging.judge(_answer(said, status))


def test_a_page_that_the_service_would_not_give_is_never_asked_for() -> None:
    """Behind the ten thousandth document it gives page 1 again."""
    window = (date(2024, 1, 1), TODAY)
    assert dict(asked_of(window, page=10, per_page=1000))["page"] == "10"
    for page, per_page in ((11, 1000), (6, 2000), (1, 1), (1, 2001), (0, 20)):
        with pytest.raises(ValueError, match="2 to 2000 a page"):
            asked_of(window, page=page, per_page=per_page)
