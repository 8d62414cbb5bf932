"""What the connectors of weather and trade ask: windows, pages, names. Nobody is asked."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cbi_stream import SourceRefused, SourceUnavailable
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.shapes.connector import SECRET, Answer, Want
from handlers.ingest.places import place_of
from tests.ingest.polls import TODAY, first_of, poll_of

ASKED = ("cdo", "comexstat", "comtrade", "ghcn", "inmet", "nasa_power", "open_meteo")


@pytest.fixture(scope="module")
def registry() -> Registry:
    """Return the project's registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@pytest.fixture(scope="module")
def graph(registry: Registry) -> Graph:
    """Return the project's connectors."""
    return discover(registry)


def wants_of(graph: Graph, source: str, **more: Any) -> list[Want]:
    """Return all questions of a source."""
    return list(graph.connectors[source].wants(poll_of(graph.registry, source, **more)))


def answered(said: Any) -> Answer:
    """Return an answer that says this."""
    now = datetime(2026, 9, 21, 12, tzinfo=UTC)
    return Answer(
        "https://example.org", 200, "application/json", now, json.dumps(said).encode()
    )


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize("source", ASKED)
def test_answers_have_names_that_are_told_when_dropped(
    graph: Graph, source: str, keyed: bool
) -> None:
    """Each question has its own name, the same each day, that fits its source's files."""
    entry = graph.registry.data_sources.sources[source]
    assert entry.fetch is not None
    wants = wants_of(graph, source, keyed=keyed)
    names = [want.name for want in wants]
    assert len(set(names)) == len(names) > 0
    assert all(any(re.fullmatch(p, n) for p in entry.file_names) for n in names)
    hosts = {want.url.split("/")[2] for want in wants}
    assert hosts <= set(entry.fetch.hosts)
    assert {want.key for want in wants} <= {"", *entry.keys()}


@pytest.mark.parametrize("source", ASKED)
def test_without_a_key_no_question_carries_one(graph: Graph, source: str) -> None:
    """A question without a key goes where none is needed."""
    if source == "cdo":
        pytest.skip("it is never asked without a key")
    told = repr(wants_of(graph, source, keyed=False))
    assert SECRET not in told
    fetch = graph.registry.data_sources.sources[source].fetch
    keyed = repr(wants_of(graph, source, keyed=True))
    assert (SECRET in keyed) == (fetch is not None and fetch.secret is not None)


def test_a_station_s_whole_file_is_asked_once_a_week(graph: Graph) -> None:
    """In between the service gives the last weeks; both come by station."""
    whole = [w for w in wants_of(graph, "ghcn") if w.name.endswith(".csv")]
    recent = [w for w in wants_of(graph, "ghcn") if w.name.endswith(".json")]
    assert len(whole) == len(recent) == 50
    landed = {w.name: TODAY - timedelta(days=3) for w in whole}
    assert all(w.name.endswith(".json") for w in wants_of(graph, "ghcn", landed=landed))
    weekly = {w.name: TODAY - timedelta(days=7) for w in whole}
    assert len(wants_of(graph, "ghcn", landed=weekly)) == 100
    dates = dict(recent[0].params)
    assert dates["startDate"] == str(TODAY - timedelta(days=45))


def test_there_are_five_stations_for_each_state(registry: Registry) -> None:
    """One station is a point, and no state; each has its three series."""
    entry = registry.data_sources.sources["ghcn"]
    assert entry.fetch is not None
    lines = [each.split(" ")[:2] for each in entry.fetch.options["stations"]]
    states = [state for _, state in lines]
    assert min(states.count(state) for state in set(states)) >= 5
    assert set(entry.keys()) == set(entry.series)
    ids = {name.partition(".")[0] for name in entry.series}
    assert ids == {station for station, _ in lines}
    assert len(entry.series) == 3 * len(ids)


def test_places_say_where_they_are_and_what_they_weigh(registry: Registry) -> None:
    """About twenty points over three belts, whose shares add up to one in each."""
    entry = registry.data_sources.sources["open_meteo"]
    assert entry.fetch is not None
    places = [place_of(line) for line in entry.fetch.options["places"]]
    assert {place.name for place in places} == set(entry.keys())
    for country in ("us", "br", "ar"):
        shares = [float(p.weight) for p in places if p.name.startswith(country)]
        assert sum(shares) == pytest.approx(1)
    with pytest.raises(SourceRefused, match=r"found 'br_sorriso -12\.54'"):
        place_of("br_sorriso -12.54")


def test_a_year_is_the_longest_window_of_climate_data_online(graph: Graph) -> None:
    """Windows are calendar years, pages begin at 1 and go on while there is more."""
    wants = wants_of(graph, "cdo", keyed=True)
    dates = [(dict(w.params)["startdate"], dict(w.params)["enddate"]) for w in wants]
    assert ("2019-01-01", "2019-12-31") in dates
    assert dates[-1][1] == str(TODAY)
    assert all(first[:4] == last[:4] for first, last in dates)
    want = wants[0]
    assert dict(want.params)["offset"] == "1"
    more = {"metadata": {"resultset": {"count": 1001}}, "results": [{}] * 1000}
    (second,) = want.follow(answered(more))
    assert dict(second.params)["offset"] == "1001"
    assert second.name != want.name
    assert list(second.follow(answered(more))) == []
    code = dict(want.params)["stationid"].removeprefix("GHCND:")
    landed = {f"cdo_{code}_2026_1.json": date(2026, 9, 14)}
    mine = [
        w for w in wants_of(graph, "cdo", keyed=True, landed=landed) if code in w.name
    ]
    assert [dict(w.params)["startdate"] for w in mine] == ["2026-08-15"]


def test_only_months_that_are_over_are_asked_of_comtrade(graph: Graph) -> None:
    """A year at a time, all totals; later two years back, for that long it is revised."""
    wants = wants_of(graph, "comtrade")
    mine = [w for w in wants if w.name.startswith("comtrade_156_M_")]
    assert dict(mine[0].params)["period"].startswith("201001,201002,")
    assert dict(mine[-1].params)["period"].endswith(",202608")
    landed = {w.name: TODAY - timedelta(days=7) for w in wants}
    again = [w.name for w in wants_of(graph, "comtrade", landed=landed)]
    assert sorted({name[-9:-5] for name in again}) == ["2024", "2025", "2026"]


def test_years_that_are_over_are_asked_once(graph: Graph) -> None:
    """Large yearly files are not fetched again, but for the two that still change."""
    for source in ("comexstat", "inmet"):
        first = wants_of(graph, source)
        landed = {w.name: TODAY - timedelta(days=40) for w in first}
        again = [w.name for w in wants_of(graph, source, landed=landed)]
        assert [re.sub(r"\D", "", name) for name in again] == ["2025", "2026"]


def test_a_limit_that_passes_is_no_refusal(graph: Graph) -> None:
    """Who asked too often waits; who asked for nonsense does not ask again."""
    want = first_of(wants_of(graph, "open_meteo"))
    limit = {
        "error": True,
        "reason": "Hourly API request limit exceeded. Please try again.",
    }
    with pytest.raises(
        SourceUnavailable, match=r"open_meteo: .*Hourly API request limit"
    ):
        want.judge(answered(limit))
    with pytest.raises(SourceUnavailable, match="open_meteo: expected JSON"):
        want.judge(
            Answer("https://x.org", 200, "", datetime(2026, 1, 1, tzinfo=UTC), b"<p>")
        )
    fill = {"properties": {"parameter": {}}, "header": {"fill_value": -999.0}}
    with pytest.raises(SourceRefused, match="nasa_power: expected T2M_MAX"):
        first_of(wants_of(graph, "nasa_power")).judge(answered(fill))
