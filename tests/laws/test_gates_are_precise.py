"""P10: a failing gate holds the partition that it judged, and nothing else.

Each point, each verdict, each severity, on first and on later content: what was good
stays served, what was computed from it says so, and the rest goes on. Nothing here
looks at real data.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import product

import polars as pl
import pytest

from cbi_stream.engine.effects import manifests
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import held, permits
from cbi_stream.lake.decisions import decide
from tests.laws import gated

POINTS = {
    "POST_COLLECTION": "quarantine.px",
    "POST_STAGING": "staging.px",
    "POST_FEATURES": "features.window",
    "POST_ASSEMBLY": "features.panel",
}
COLUMN = {"staging.px": "x", "features.panel": "x", "features.window": "mean_20"}
VALUES = {
    "passed": 30.5,
    "failed": gated.FAILS,
    "error": gated.RAISES,
    "skipped": gated.LACKS,
}
DAY = gated.worlds.TOY_FEEDS[0].first + timedelta(days=3 * 200)
YEAR = str(DAY.year)


def _settled(world):
    report = run_wave(world.lake, world.graph, probing="off")
    assert not report.failed
    return report


def _entries(world, table):
    return world.lake.table(table).head()[1].partitions


def _entry(world, table, partition=YEAR):
    return _entries(world, table)[partition]


def _rows(world, table, partition=YEAR):
    stored = world.lake.table(table)
    return stored.read([_entry(world, table, partition)]).sort("date")


def _carrying(world):
    return {
        (node.table, name)
        for node in world.graph.nodes
        for name, entry in _entries(world, node.table).items()
        if entry.carried
    }


@pytest.mark.parametrize(
    ("status", "severity", "content"),
    list(product(VALUES, ("critical", "warning"), ("first", "later"))),
)
def test_a_staged_partition(status, severity, content):
    """Only 2017 is held, only by a critical gate; what was good before is served."""
    critical = severity == "critical"
    entry = gated.placed(
        "not_above", "POST_STAGING", "staging.px", critical=critical, most=100.0
    )
    world = gated.world([entry])
    gated.three_years(world)
    if content == "later":
        _settled(world)
        before = _entry(world, "staging.px")
    gated.put(world, world.feeds[0], DAY, VALUES[status])
    _settled(world)
    found = _entry(world, "staging.px")
    is_held = critical and status != "passed"
    assert found.state == ("held" if is_held else "live")
    assert [v.status for v in found.verdicts] == [status] * (status != "passed")
    if is_held and content == "later":
        assert (found.hash, found.files) == (before.hash, before.files)
    if is_held and content == "first":
        assert (found.rows, found.files) == (0, ())
    if not is_held:
        value = _rows(world, "staging.px").filter(pl.col("date") == DAY)["x"].item()
        assert value == VALUES[status]
    others = {n: e.state for n, e in _entries(world, "staging.px").items() if n != YEAR}
    assert others == {"2016": "live", "2018": "live"}
    carries = _carrying(world)
    assert (("features.panel", YEAR) in carries) == is_held
    assert (("features.tip", YEAR) in carries) == is_held
    assert ("features.panel", "2018") not in carries
    world.prove()
    world.close()


@pytest.mark.parametrize("point", POINTS)
def test_every_point_holds_what_it_judges(point):
    """A gate at each point holds a partition of its own table; the tables go on."""
    table = POINTS[point]
    if point == "POST_COLLECTION":
        entry = gated.placed("few_lost", point, table, most=0)
    else:
        entry = gated.placed(
            "not_above", point, table, most=100.0, column=COLUMN[table]
        )
    world = gated.world([entry])
    gated.three_years(world)
    _settled(world)
    before = _entry(world, table)
    if point == "POST_COLLECTION":
        rows = _lines(world, DAY)
        _reject(world, rows)
    else:
        gated.put(world, world.feeds[0], DAY, 4711.0)
    _settled(world)
    found = _entry(world, table)
    assert (found.state, found.hash) == ("held", before.hash)
    assert {n: e.state for n, e in _entries(world, table).items()} == {
        "2016": "live", YEAR: "held", "2018": "live"
    }  # fmt: skip
    name = held.name_of(table, YEAR, candidate=found.candidate)
    readers = [n for n in world.graph.nodes if table in n.inputs]
    for node in readers:
        assert name in _entry(world, node.table).carried
    world.prove()
    world.close()


def _lines(world, day):
    table = world.lake.table("raw.px")
    rows = table.read(table.head()[1].partitions.values())
    return rows.filter(pl.col("date") == day)


def _reject(world, rows):
    for row in rows.to_dicts():
        decide(
            world.lake,
            sha256=row["sha256"],
            line=row["line"],
            verdict="reject",
            author="law",
            note="because",
        )


def _spiked(*, effects=False, critical=True, more=()):
    """Return a settled toy world whose 2017 of prices is held, and what it was before."""
    entry = gated.placed(
        "not_above", "POST_STAGING", "staging.px", critical=critical, most=100.0
    )
    world = gated.world([entry, *more], effects=effects)
    gated.three_years(world)
    _settled(world)
    before = _entry(world, "staging.px")
    gated.put(world, world.feeds[0], DAY, gated.FAILS)
    _settled(world)
    return world, before


def test_a_held_partition_is_not_computed_at_every_wave():
    """Two more waves plan nothing and commit nothing."""
    world, _ = _spiked()
    versions = {n.table: world.lake.table(n.table).head()[0] for n in world.graph.nodes}
    for _ in range(2):
        report = _settled(world)
        assert not any(t.planned for t in report.tables.values())
        assert f"staging.px/{YEAR}" in report.held
    assert versions == {
        n.table: world.lake.table(n.table).head()[0] for n in world.graph.nodes
    }


def test_a_repaired_value_releases_it():
    """A correction passes: it is committed, nobody carries, the held file is gone."""
    world, before = _spiked()
    folder = world.lake.folder / "held" / "staging.px"
    assert len(list(folder.iterdir())) == 2
    gated.put(world, world.feeds[0], DAY, 31.5)
    _settled(world)
    found = _entry(world, "staging.px")
    assert (found.state, found.candidate, found.verdicts) == ("live", "", ())
    assert found.hash != before.hash
    assert list(folder.iterdir()) == []
    assert _carrying(world) == set()
    assert gated.as_rebuilt(world)
    world.prove()


def test_a_later_candidate_replaces_the_held_one():
    """Another bad value: another candidate, one file, and descendants name the new one."""
    world, before = _spiked()
    old = _entry(world, "staging.px").candidate
    gated.put(world, world.feeds[0], DAY + timedelta(days=3), gated.RAISES)
    _settled(world)
    found = _entry(world, "staging.px")
    assert found.candidate != old
    assert found.hash == before.hash
    path = held.path_of(
        world.lake, "staging.px", partition=YEAR, candidate=found.candidate
    )
    assert {p.name for p in path.parent.iterdir()} == {
        path.name, path.with_suffix(".json").name
    }  # fmt: skip
    told = json.loads(path.with_suffix(".json").read_text())
    assert told["candidate"] == found.candidate
    assert told["verdicts"][0]["status"] == "error"
    assert _entry(world, "features.panel").carried == (
        held.name_of("staging.px", YEAR, candidate=found.candidate),
    )
    world.prove()


def test_descendants_go_on_from_what_is_served():
    """A good observation in the held year reaches the panel, and the proof still holds."""
    world, _ = _spiked()
    version = _entry(world, "features.panel").hash
    gated.put(world, world.feeds[1], DAY - timedelta(days=40), 17.25)
    report = _settled(world)
    assert report.tables["features.panel"].changed == 1
    assert _entry(world, "features.panel").hash != version
    assert _entry(world, "features.panel").carried
    world.prove()


def _let(world, verdict=permits.let_through, **said):
    entry = _entry(world, "staging.px")
    given = {"gate": "not_above", "candidate": entry.candidate or entry.hash, **said}
    verdict(
        world.lake, "staging.px", partition=YEAR, author="law", note="seen", **given
    )


def test_a_decision_lets_it_through_and_can_be_taken_back():
    """The hash passes, a rebuild replays it; withdrawn, it is held though still served."""
    world, _ = _spiked()
    candidate = _entry(world, "staging.px").candidate
    _let(world)
    report = _settled(world)
    planned = {t: r.planned for t, r in report.tables.items() if r.planned}
    assert planned.pop("staging.px") == 1
    assert "quarantine.px" not in planned
    assert "staging.obs" not in planned
    found = _entry(world, "staging.px")
    assert (found.state, found.hash) == ("live", candidate)
    assert [(v.status, v.let) for v in found.verdicts] == [("failed", True)]
    assert _carrying(world) == set()
    assert gated.as_rebuilt(world)
    world.prove()
    _let(world, permits.withdraw)
    report = _settled(world)
    assert report.tables["staging.px"].planned == 1
    found = _entry(world, "staging.px")
    assert (found.state, found.hash, found.candidate) == ("held", candidate, candidate)
    assert ("features.panel", YEAR) in _carrying(world)
    world.prove()
    _settled(world)
    world.prove()


def test_a_decision_is_about_one_hash():
    """A later candidate is held again, whatever was let through before."""
    world, before = _spiked()
    _let(world)
    _settled(world)
    gated.put(world, world.feeds[0], DAY, gated.FAILS + 50.0)
    _settled(world)
    found = _entry(world, "staging.px")
    assert found.state == "held"
    assert found.hash not in (before.hash, found.candidate)
    world.prove()


def test_a_decision_about_another_gate_changes_nothing():
    """The partition is planned, judged and held as before."""
    world, before = _spiked()
    _let(world, gate="dense")
    report = _settled(world)
    assert report.tables["staging.px"].planned == 1
    assert _entry(world, "staging.px").hash == before.hash
    assert _entry(world, "staging.px").state == "held"


def test_other_numbers_judge_what_is_stored_without_computing_it():
    """A stricter gate holds what is served, a milder one frees it; no handler is called."""
    mild = gated.placed("not_above", "POST_STAGING", "staging.px", most=100.0)
    strict = gated.placed("not_above", "POST_STAGING", "staging.px", most=40.0)
    world = gated.world([mild])
    gated.three_years(world)
    _settled(world)
    before = dict(_entries(world, "staging.px"))
    world.graph = gated.graph_with([strict])
    world.restart()
    report = _settled(world)
    assert report.tables["staging.px"].planned == 3
    assert report.tables["staging.px"].changed == 0
    after = _entries(world, "staging.px")
    assert {e.state for e in after.values()} == {"held"}
    assert {n: e.hash for n, e in after.items()} == {
        n: e.hash for n, e in before.items()
    }
    assert all(e.candidate == e.hash for e in after.values())
    world.prove()
    world.graph = gated.graph_with([mild])
    world.restart()
    _settled(world)
    _settled(world)
    states = {e.state for e in _entries(world, "staging.px").values()}
    assert states == {"live"}
    assert gated.as_rebuilt(world)
    world.prove()


@pytest.mark.parametrize("status", ["passed", "failed", "error", "skipped"])
@pytest.mark.parametrize("severity", ["critical", "warning"])
@pytest.mark.parametrize("at", ["POST_ASSEMBLY", "PRE_TRAINING"])
def test_a_whole_gate(at, severity, status):
    """A critical verdict publishes nothing and leaves the old file; a warning is told."""
    critical = severity == "critical"
    table = "labels.nothing" if status == "skipped" else "features.tip"
    entry = gated.placed(
        "files_below",
        at,
        "effects.*",
        critical=critical,
        most=100000.0,
        table=table,
        raises=status == "error",
    )
    mild = gated.placed("files_below", at, "effects.*", most=100000.0)
    world = gated.world([mild], effects=True)
    gated.three_years(world)
    assert _settled(world).written == ["toy_file"]
    before = manifests(world.lake)["toy_file"]
    world.graph = gated.graph_with([entry], effects=True)
    world.restart()
    gated.put(world, world.feeds[0], DAY, 4e6 if status == "failed" else 31.5)
    report = _settled(world)
    blocks = critical and status != "passed"
    now = manifests(world.lake)["toy_file"]
    assert report.written == ([] if blocks else ["toy_file"])
    assert (now == before) == blocks
    assert bool(report.held_effects) == blocks
    if not blocks:
        assert [v["status"] for v in now["verdicts"]] == [status]
    again = run_wave(world.lake, world.graph, probing="off")
    assert again.written == []
    assert again.held_effects.keys() == report.held_effects.keys()
    world.prove()
    world.close()
