"""What is held survives crashes, lost files and changes of gates; `emptied` asks why.

Each fault is planted in a small toy lake. Nothing here looks at a clock.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from cbi_stream import Finding, Subject, days, gate, handler
from cbi_stream.engine import effects, recording
from cbi_stream.engine.gating import Check
from cbi_stream.engine.graph import build
from cbi_stream.engine.judging import judged, print_of
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import held, permits
from cbi_stream.lake.records import append_rows
from tests.laws import gated, toy

DAY = gated.worlds.TOY_FEEDS[0].first + timedelta(days=3 * 200)
YEAR = str(DAY.year)
SPIKES = gated.placed("not_above", "POST_STAGING", "staging.px", most=100.0)


@pytest.fixture
def world():
    """A settled toy lake with a gate on its prices."""
    world = gated.world([SPIKES])
    gated.three_years(world)
    _run(world)
    yield world
    world.close()


def _run(world):
    report = run_wave(world.lake, world.graph, probing="off")
    assert not report.failed
    return report


def _entry(world, table="staging.px"):
    return world.lake.table(table).head()[1].partitions[YEAR]


def _spoil(world):
    gated.put(world, world.feeds[0], DAY, gated.FAILS)


def _differences(world):
    certificate = prove(world.lake, world.graph)
    return [d.because for d in certificate.differences]


@pytest.mark.parametrize("step", ["commit", "tidy"])
def test_a_crash_beside_the_commit_converges(world, monkeypatch, step):
    """Between held file and commit, or between commit and tidying: the end is the same."""

    class Crash(Exception):
        pass

    _spoil(world)
    where = recording if step == "commit" else recording.held
    honest = getattr(where, step)

    def crash(*args, **given):
        table = args[1] if step == "tidy" else args[0].contract.table
        if table == "staging.px":
            raise Crash
        return honest(*args, **given)

    with monkeypatch.context() as patch:
        patch.setattr(where, step, crash)
        with pytest.raises(Crash):
            _run(world)
    if step == "commit":
        folder = world.lake.folder / "held" / "staging.px"
        stray = folder / "2016-000000000000.parquet"
        stray.write_bytes(b"left behind")
    world.restart()
    _run(world)
    found = _entry(world)
    path = held.path_of(
        world.lake, "staging.px", partition=YEAR, candidate=found.candidate
    )
    names = {path.name, path.with_suffix(".json").name}
    assert {each.name for each in path.parent.iterdir()} == names
    world.prove()


def test_a_lost_candidate_is_made_again(world):
    """The next wave plans that partition, says why, and holds the same content."""
    _spoil(world)
    _run(world)
    found = _entry(world)
    path = held.path_of(
        world.lake, "staging.px", partition=YEAR, candidate=found.candidate
    )
    path.unlink()
    assert any("expected the held candidate" in why for why in _differences(world))
    report = _run(world)
    assert report.tables["staging.px"].planned == 1
    assert path.exists()
    assert _entry(world) == found
    world.prove()


def test_a_changed_candidate_is_a_difference(world):
    """A held file with other rows is not what was judged."""
    _spoil(world)
    _run(world)
    path = held.path_of(
        world.lake, "staging.px", partition=YEAR, candidate=_entry(world).candidate
    )
    pl.read_parquet(path).with_columns(x=pl.lit(1.0)).write_parquet(path)
    assert any("expected content" in why for why in _differences(world))


def test_what_only_one_side_holds_is_a_difference(world):
    """A map that calls a good partition held, or a held one good, is seen."""
    _spoil(world)
    _run(world)
    other = gated.graph_with([])
    certificate = prove(world.lake, other)
    assert not certificate.identical
    first = next(d for d in certificate.differences if d.table == "staging.px")
    assert "901.0" in str(first) or "held in the lake" in first.because


def test_an_unchanged_lake_is_rebuilt_without_a_commit(world):
    """`rebuild` computes and judges all again; nothing is committed, and it stays held."""
    _spoil(world)
    _run(world)
    before = {n.table: world.lake.table(n.table).head()[0] for n in world.graph.nodes}
    report = run_wave(world.lake, world.graph, asked=True, probing="off")
    assert report.tables["staging.px"].planned == 3
    assert f"staging.px/{YEAR}" in report.held
    assert before == {
        n.table: world.lake.table(n.table).head()[0] for n in world.graph.nodes
    }


def test_a_fresh_lake_of_the_same_records_holds_the_same(world):
    """Without earlier content it is held with no rows, by the same candidate."""
    _spoil(world)
    _run(world)
    other = gated.world([SPIKES])
    gated.three_years(other)
    _spoil(other)
    _run(other)
    assert _entry(other).candidate != ""
    assert (_entry(other).state, _entry(other).rows) == ("held", 0)
    first, second = (
        [(v.gate, v.status, v.found, v.places) for v in _entry(w).verdicts]
        for w in (world, other)
    )
    assert first == second
    other.prove()


def test_a_failing_handler_leaves_no_held_candidate_behind(world):
    """A partition that was held and now fails is failed; mended, it is judged again."""
    _spoil(world)
    _run(world)

    @handler(
        reads={"raw.px": days(), "raw.decisions": days()},
        writes="staging.px",
        quarantines="quarantine.px",
    )
    def broken(px: pl.DataFrame, decisions: pl.DataFrame):
        msg = "no"
        raise ArithmeticError(msg)

    kept = [n.handler for n in world.graph.nodes if n.handler.writes != "staging.px"]
    graph = build(world.graph.registry, [*kept, broken, *gated.GATES])
    report = run_wave(world.lake, graph, probing="off")
    assert f"staging.px/{YEAR}" in report.failed
    entry = _entry(world)
    assert (entry.state, entry.candidate, entry.verdicts) == ("failed", "", ())
    assert not list((world.lake.folder / "held" / "staging.px").iterdir())
    _run(world)
    assert _entry(world).state == "held"
    world.prove()


def _without_rows(world):
    @handler(reads={"features.window": days()}, writes="features.right")
    def right(window: pl.DataFrame) -> pl.DataFrame:
        return toy.right(window=window).filter(pl.col("date").dt.year() != DAY.year)

    kept = [n.handler for n in world.graph.nodes if n.table != "features.right"]
    unique = {id(each): each for each in kept}.values()
    return build(world.graph.registry, [*unique, right, *gated.GATES])


def test_a_partition_that_loses_all_rows_is_held(world):
    """Its spine has rows there: what was good stays, until a person says otherwise."""
    before = _entry(world, "features.right")
    world.graph = _without_rows(world)
    _run(world)
    found = _entry(world, "features.right")
    assert (found.state, found.hash) == ("held", before.hash)
    assert [v.gate for v in found.verdicts] == ["emptied"]
    assert "features.window has" in found.verdicts[0].found
    world.prove()
    permits.let_through(
        world.lake,
        "features.right",
        partition=YEAR,
        gate="emptied",
        candidate=found.candidate,
        author="law",
        note="it is right",
    )
    _run(world)
    assert (_entry(world, "features.right").state, _entry(world, "features.right").rows) == (
        "live", 0
    )  # fmt: skip
    world.prove()


def test_lines_that_are_all_turned_away_explain_an_empty_partition(world):
    """Every line of 2017 is rejected: the year is committed as empty, and nothing held."""
    table = world.lake.table("raw.px")
    rows = table.read(table.head()[1].partitions.values())
    said = {"raw": "raw.px", "verdict": "reject", "author": "law", "note": "all"}
    nothing = ("partition", "gate", "candidate", "cells")
    lines = rows.filter(pl.col("date").dt.year() == DAY.year).select(
        "date",
        "sha256",
        "line",
        **{name: pl.lit(value) for name, value in said.items()},
        **{name: pl.lit(None, pl.String) for name in nothing},
    )
    append_rows(world.lake.table("raw.decisions"), lines, work=world.lake.work)
    _run(world)
    assert (_entry(world).state, _entry(world).rows) == ("live", 0)
    assert not (world.lake.folder / "held").exists()
    assert gated.as_rebuilt(world)


@gate
def looks_at_the_registry(rows: pl.DataFrame, subject: Subject) -> Finding:
    """Ask the registry for something."""
    return Finding(subject.spec is not None, f"{rows.height}", "it")


def test_the_print_moves_with_number_code_and_registry():
    """Another number is another print; the registry counts where a gate looks at it."""
    most = [
        gated.graph_with(
            [gated.placed("not_above", "POST_STAGING", "staging.px", most=m)]
        )
        for m in (1.0, 2.0, 1.0)
    ]
    first, second, third = (print_of(graph, "staging.px") for graph in most)
    assert first == third != second
    assert print_of(most[0], "features.panel") == ""
    plain = most[0]
    check = Check(looks_at_the_registry, "POST_STAGING", "critical", {})
    asking = replace(plain, checks={"staging.px": (check,)})
    wider = plain.registry.settings.model_copy(update={"target": "B"})
    elsewhere = replace(plain.registry, settings=wider)
    moved = print_of(replace(asking, registry=elsewhere), "staging.px")
    assert moved != print_of(asking, "staging.px")
    unmoved = print_of(replace(plain, registry=elsewhere), "staging.px")
    assert unmoved == first


def test_a_gate_that_gives_no_finding_is_an_error():
    """What it returns instead is told; it holds back like any failure."""

    @gate
    def silent(rows, subject):
        return True

    check = Check(silent, "POST_STAGING", "critical", {})
    [verdict] = judged(
        [check], pl.DataFrame(), Subject("a.b"), candidate="c", permits=(), shows=""
    )
    assert (verdict.status, verdict.blocks) == ("error", True)
    assert "expected a Finding" in verdict.found


def test_files_are_judged_before_the_first_is_renamed():
    """A gate that fails on the last of several files leaves none of them behind."""
    entry = gated.placed("files_below", "PRE_TRAINING", "effects.*", most=-1e9)
    world = gated.world([entry], effects=True)
    gated.three_years(world)
    report = _run(world)
    assert report.written == []
    assert "effects.toy_export" in report.held
    assert not (world.lake.folder / "exports").exists()
    assert not list(world.lake.folder.rglob("toy_file*"))
    holds = held.of_effect(world.lake, "effects.toy_export")
    assert holds["verdicts"][0]["gate"] == "files_below"
    permits.let_through(
        world.lake,
        "effects.toy_export",
        partition="",
        gate="files_below",
        candidate=holds["verdicts"][0]["token"],
        author="law",
        note="so be it",
    )
    assert _run(world).written == ["toy_file"]
    assert held.of_effect(world.lake, "effects.toy_export") is None
    told = effects.manifests(world.lake)["toy_file"]
    assert [v["let"] for v in told["verdicts"]] == [True]
    world.prove()
    world.close()
