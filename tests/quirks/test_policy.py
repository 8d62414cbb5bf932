"""The quirks of policy sources, one test each. No answer here is a source's own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cbi_stream import Answer, BadInput, Poll, SourceUnavailable, Want
from cbi_stream.doors.content import not_expected
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.registry import loader
from handlers.ingest.epu import epu, epu_asked, epu_months
from handlers.ingest.federal_register import federal_register
from handlers.ingest.federal_register_ask import federal_register_asked
from handlers.ingest.gpr import gpr, gpr_asked
from handlers.ingest.tariff_events import tariff_events
from handlers.ingest.tpu import tpu, tpu_asked

NOON = datetime(2024, 9, 20, 16, tzinfo=UTC)
TODAY = date(2024, 9, 20)
PAGE = b"<!DOCTYPE html><html><head><title>Moved</title></head></html>"


def _answer(said: Any) -> Answer:
    data = json.dumps(said).encode()
    return Answer("https://example.org", 200, "application/json", NOON, data)


@pytest.fixture(scope="module")
def entry() -> Any:
    """Return the Federal Register's entry in the registry."""
    registry = loader.load(Path(__file__).resolve().parents[2] / "registry")
    return registry.data_sources.sources["federal_register"]


@pytest.fixture
def want(entry: Any) -> Want:
    """Return the first question."""
    return next(federal_register_asked.wants(Poll(entry, TODAY)))


def _window(want: Want) -> tuple[str, str]:
    said = dict(want.params)
    day = "conditions[publication_date]"
    return said[f"{day}[gte]"], said[f"{day}[lte]"]


def test_quirk_35_an_answer_without_results_is_empty(want: Want) -> None:
    """Quirk 35: without a match `results` is absent, and that is a true answer."""
    nothing = _answer({"count": 0, "description": "No documents"})
    (page,) = want.follow(nothing)
    assert page.judge(nothing) == "empty"


def test_quirk_35_pages_have_2_to_2000_documents(want: Want) -> None:
    """Quirk 35: any other number silently becomes 20, so none is ever asked for."""
    counted = _answer({"count": 9000, "results": [{}]})
    asked = [want, *want.follow(counted)]
    while asked[-1].name.count("page") and (more := list(asked[-1].follow(counted))):
        asked += more
    assert len(asked) == 10
    for each in asked:
        said = dict(each.params)
        assert 2 <= int(said["per_page"]) <= 2000
        assert int(said["page"]) * int(said["per_page"]) <= 10_000


def test_quirk_35_a_window_of_ten_thousand_is_halved(want: Want) -> None:
    """Quirk 35: behind the ten thousandth document page 1 would come again unseen."""
    (older,) = want.follow(_answer({"count": 10_000, "results": [{}]}))
    assert not older.lands
    assert _window(older) == ("2000-01-01", "2012-05-11")
    (page,) = older.follow(_answer({"count": 400, "results": [{}]}))
    assert _window(page) == ("2000-01-01", "2012-05-11")
    (younger,) = page.follow(_answer({"count": 400, "results": [{}]}))
    assert _window(younger) == ("2012-05-12", "2024-09-20")
    (last,) = younger.follow(_answer({"count": 9_999, "results": [{}]}))
    assert dict(last.params)["page"] == "10"
    # An empty half does not end the walk.
    (skipped,) = older.follow(_answer({"count": 0}))
    assert _window(skipped) == ("2012-05-12", "2024-09-20")


@pytest.mark.parametrize("connector", [epu_asked, gpr_asked, tpu_asked])
def test_quirk_40_a_page_is_no_index_file(connector: Any) -> None:
    """Quirk 40: a web page with status 200 is refused by its first bytes."""
    for want in connector.wants(Poll(None, TODAY)):
        said = not_expected(PAGE, want)
        assert said is not None
        assert "a web page: 'Moved'" in said
        assert urlsplit(want.url).scheme == "https"


def test_quirk_40_a_page_is_no_document(want: Want) -> None:
    """Quirk 40: neither the door nor the judge takes a page for an answer."""
    assert not_expected(PAGE, want) is not None
    page = Answer("https://example.org", 200, "text/html", NOON, PAGE)
    with pytest.raises(SourceUnavailable, match="expected a JSON object"):
        want.judge(page)
    parsers = [federal_register, epu, epu_months, gpr, tpu, tariff_events]
    assert layouts_of(parsers, PAGE, name="federal_register_soybeans.json") == []
    for parser in parsers:
        with pytest.raises(BadInput):
            parser.parse(PAGE, "soybeans")
