"""The sites of policy sources, asked over real sockets by the project's own connectors.

Nothing in them is real, and each file says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.doors.fetch import Fetcher, Patience
from cbi_stream.doors.reading import is_simulated
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.layouts import layouts_of
from cbi_stream.registry import loader
from cbi_stream.replay import switches, xlsx
from cbi_stream.replay.server import Replay
from cbi_stream.replay.world import World
from cbi_stream.shapes.connector import Answer, Poll, Want
from cbi_stream.words.errors import SourceRefused, SourceUnavailable
from handlers.ingest.packed import sheets_of
from tests.replay.asking import ask

ROOT = Path(__file__).resolve().parents[2]
SAVED = ROOT.parent / "shared" / "data" / "real"
TODAY = date(2016, 6, 28)
"""Early: the files are short then."""
HOSTS = {
    "federal_register": "www.federalregister.gov",
    "gpr": "www.matteoiacoviello.com",
    "tpu": "www.matteoiacoviello.com",
    "epu": "www.policyuncertainty.com",
}
FIRST_COLUMNS = {
    "gpr": {"gprd", "gprd_act", "gprd_threat", "n10d", "gpr", "gprh", "gprc_chn"},
    "tpu": {"tpu", "tpuq", "tpud_index"},
    "epu": {
        "us.daily", "us.monthly_news", "us.monthly_three_component",
        "us.monthly_trade_policy",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Return the project's parsers and connectors."""
    return discover(loader.load(ROOT / "registry"))


@pytest.fixture
def replay() -> Iterator[Replay]:
    """Return a running server of a simulated world."""
    with Replay(World(today=TODAY)) as running:
        yield running


def walked(graph: Graph, replay: Replay, source: str) -> list[tuple[Want, Answer]]:
    """Return the answers of all questions of a source that hold data."""
    entry = graph.registry.data_sources.sources[source]
    poll = Poll(entry, replay.world.today)
    found = []
    with Fetcher(replay=replay.base, patience=Patience(tries=1)) as fetcher:
        todo = list(graph.connectors[source].wants(poll))
        while todo:
            want = todo.pop(0)
            answer = fetcher.ask(want, entry.fetch, source=source, secret=None)
            assert isinstance(answer, Answer)
            if want.judge(answer) == "data" and want.lands:
                found.append((want, answer))
            todo[:0] = list(want.follow(answer))
    return found


def parsed(graph: Graph, want: Want, answer: Answer) -> Any:
    """Return the rows of an answer, recognised as a dropped file of its name would be."""
    known = [each for parsers in graph.parsers.values() for each in parsers]
    (parser,) = layouts_of(known, answer.data, name=want.name)
    stem = want.name.removesuffix(".json").removeprefix("federal_register_")
    return parser.parse(answer.data, stem)


@pytest.mark.parametrize("source", ["gpr", "tpu", "epu"])
def test_index_files_are_served_and_read(
    graph: Graph, replay: Replay, source: str
) -> None:
    """Every file is marked, recognised by its name or header, and read whole."""
    series, registered = set(), graph.registry.data_sources.sources[source].series
    for want, answer in walked(graph, replay, source):
        assert is_simulated(answer.data), want.name
        rows = parsed(graph, want, answer)
        assert rows["problem"].null_count() == rows.height
        assert rows["line"].n_unique() == rows.height
        assert rows["date"].max() < TODAY
        assert rows["date"].min() in (date(2015, 1, 1), date(2005, 1, 1))
        series |= set(rows["series"])
    assert FIRST_COLUMNS[source] <= series
    assert FIRST_COLUMNS[source] <= registered.keys()


def test_documents_are_served_and_read(graph: Graph, replay: Replay) -> None:
    """Each topic has documents of its own; all of them carry the hour of their edition."""
    found = walked(graph, replay, "federal_register")
    topics = graph.registry.data_sources.sources["federal_register"].series
    assert [want.name for want, _ in found] == [
        f"federal_register_{topic}.json" for topic in topics
    ]
    kinds = set()
    for want, answer in found:
        assert is_simulated(answer.data)
        rows = parsed(graph, want, answer)
        assert rows.height == json.loads(answer.data)["count"] > 0
        assert rows["problem"].null_count() == rows.height
        assert rows["stamp"].null_count() == 0
        kinds |= set(rows["form"])
    assert "Presidential Document: Presidential Document." in kinds
    assert "Notice: Notice." in kinds


DOCUMENTS = f"{HOSTS['federal_register']}/api/v1/documents.json"
SEARCH = (
    f"{DOCUMENTS}?conditions[term]=tariff&conditions[publication_date][gte]=1994-01-03"
)


def said(replay: Replay, target: str) -> dict[str, Any]:
    """Return what the search says."""
    return json.loads(ask(replay, target).data)


def test_the_search_repeats_page_one_behind_its_reach(replay: Replay) -> None:
    """And takes another number per page than 2 to 2000 for 20."""
    first = said(replay, f"{SEARCH}&per_page=50&page=1")["results"]
    assert len(first) == 50
    assert said(replay, f"{SEARCH}&per_page=50&page=201")["results"] == first
    for odd in ("0", "1", "2001", "x"):
        assert len(said(replay, f"{SEARCH}&per_page={odd}")["results"]) == 20
    pages = said(replay, f"{SEARCH}&per_page=2&page=2")
    assert {"next_page_url", "previous_page_url"} <= pages.keys()
    assert "previous_page_url" not in said(replay, f"{SEARCH}&per_page=2")


def test_the_search_orders_and_limits(replay: Replay) -> None:
    """Newest first unless asked; the fields and types that were asked for, no others."""
    newest = said(replay, f"{SEARCH}&per_page=2000")
    oldest = said(replay, f"{SEARCH}&per_page=2000&order=oldest")
    assert newest["results"] == oldest["results"][::-1]
    assert len(newest["results"]) == newest["count"]
    rules = said(
        replay, f"{SEARCH}&conditions[type][]=RULE&fields[]=type&fields[]=effective_on"
    )
    assert {tuple(each) for each in rules["results"]} == {("type", "effective_on")}
    assert {each["type"] for each in rules["results"]} == {"Rule"}


def test_the_search_refuses_and_has_nothing(replay: Replay) -> None:
    """Unknown fields and days are refused with 400; without a match no results."""
    field = ask(replay, f"{SEARCH}&fields[]=nothing")
    assert (field.status, json.loads(field.data)) == (
        400,
        {"error": "unknown field nothing"},
    )
    day = ask(replay, f"{DOCUMENTS}?conditions[publication_date][gte]=soon")
    assert (day.status, list(json.loads(day.data))) == (400, ["errors"])
    weekend = said(replay, f"{DOCUMENTS}?conditions[publication_date][is]=2016-06-26")
    assert set(weekend) - {"note"} == {"count", "description"}
    unknown = ask(replay, f"{HOSTS['federal_register']}/api/v1/documents/1-2.json")
    assert json.loads(unknown.data) == {"status": 404, "message": "Record Not Found"}


def test_no_document_is_out_before_its_edition(replay: Replay) -> None:
    """At 8:44 in New York the day has none."""
    day = said(replay, f"{SEARCH}&per_page=2&order=newest")["results"][0]
    today = date.fromisoformat(day["publication_date"])
    dated = f"{SEARCH}&conditions[publication_date][is]={today}"
    counts = []
    for at in (time(12, 44), time(12, 45)):
        replay.world = replace(replay.world, today=today, at=at)
        counts.append(said(replay, dated)["count"])
    assert counts == [0, 1]


@pytest.mark.parametrize(
    ("source", "fault", "error"),
    [
        ("federal_register", switches.page(), SourceUnavailable),
        ("federal_register", switches.too_many(), SourceUnavailable),
        ("federal_register", switches.cut(), SourceUnavailable),
        ("federal_register", switches.renamed("results"), SourceRefused),
        ("gpr", switches.page(), SourceUnavailable),
        ("tpu", switches.truncated(), SourceUnavailable),
        ("epu", switches.too_many(), SourceUnavailable),
        ("epu", switches.renamed(), SourceRefused),
    ],
)
def test_what_goes_wrong_is_no_data(
    graph: Graph, replay: Replay, source: str, fault: Any, error: type[Exception]
) -> None:
    """A page, a full house, a cut and a drift are each told by their own error."""
    replay.switches.set(HOSTS[source], fault)
    with pytest.raises(error, match=r"expected|no whole answer"):
        walked(graph, replay, source)


def test_an_asker_without_a_name_is_turned_away(replay: Replay) -> None:
    """The host of policy uncertainty says 403 to an empty User-Agent."""
    target = f"{HOSTS['epu']}/media/All_Daily_Policy_Data.csv"
    assert ask(replay, target).status == 403
    assert ask(replay, target, headers={"User-Agent": "x"}).status == 200
    assert ask(replay, f"{HOSTS['gpr']}/gpr_files/other.xls").status == 404


@pytest.mark.skipif(not SAVED.is_dir(), reason="no saved data beside the project")
def test_saved_files_are_served_as_they_are(graph: Graph) -> None:
    """A world from a folder gives the authors' own old Excel file."""
    with Replay(World("folder", today=date(2025, 8, 12), folder=SAVED)) as replay:
        path = "/gpr_files/data_gpr_daily_recent.xls"
        file = ask(replay, f"{HOSTS['gpr']}{path}").data
        (sheet,) = sheets_of(file).values()
        assert len(sheet) == 14_834
        assert (
            ask(replay, f"{HOSTS['tpu']}/tpu_files/tpu_web_latest.xlsx").status == 404
        )
        media = f"{HOSTS['epu']}/media/All_Daily_Policy_Data.csv"
        saved = ask(replay, media, headers={"User-Agent": "x"}).data
        assert not is_simulated(saved)


def test_a_workbook_of_several_sheets_holds_their_cells() -> None:
    """Text, numbers and gaps come back; the same cells give the same bytes."""
    rows = [["DAY", "x"], [19850101.0, 1.25], [None, "a"]]
    book = xlsx.workbook({"A": rows, "B & C": [["y" * 30]]})
    assert sheets_of(book) == {
        "A": [("DAY", "x"), ("19850101", "1.25"), (None, "a")],
        "B & C": [("y" * 30,)],
    }
    assert book == xlsx.workbook({"A": rows, "B & C": [["y" * 30]]})
