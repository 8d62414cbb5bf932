"""A handler that fails on one partition holds that one back, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from cbi_stream import days, handler
from cbi_stream.engine.effects import manifests
from cbi_stream.engine.graph import build
from cbi_stream.engine.prove import prove
from cbi_stream.engine.ready import MOST_ATTEMPTS
from cbi_stream.engine.wave import run_wave
from tests.laws import toy, worlds

BAD_YEAR = 2017


@handler(reads={"features.window": days()}, writes="features.right")
def breaking(window: pl.DataFrame) -> pl.DataFrame:
    """Do what `toy.right` does, except in one year."""
    if window["date"].dt.year().eq(BAD_YEAR).any():
        msg = "the scale broke"
        raise ArithmeticError(msg)
    return toy.right(window=window)


@pytest.fixture
def world():
    """A toy lake of three years, settled with honest handlers."""
    world = worlds.toy_world()
    prices, other = world.feeds
    days_ = [prices.first + timedelta(days=3 * i) for i in range(360)]
    world.arrive(prices, [(d, 20.0 + d.toordinal() % 31) for d in days_])
    world.arrive(other, [(d, 5.0) for d in days_[::5]])
    yield world
    world.close()


def _broken(world):
    kept = [h for h in toy.HANDLERS if h.writes != "features.right"]
    return build(world.graph.registry, [*kept, breaking])


def _states(world, table):
    current = world.lake.table(table).head()[1]
    return {name: (p.state, p.rows > 0) for name, p in current.partitions.items()}


def test_the_other_partitions_go_on(world):
    """2017 is marked with its error, and the years beside it are computed."""
    report = run_wave(world.lake, _broken(world), probing="off")
    assert list(report.failed) == ["features.right/2017"]
    assert "the scale broke" in report.failed["features.right/2017"]
    states = _states(world, "features.right")
    assert states["2017"] == ("failed", False)
    assert states["2016"] == states["2018"] == ("live", True)


def test_what_reads_a_failed_partition_waits(world):
    """Neither what reads it nor what reads that is mixed from old and new content."""
    world.settle()
    day = world.feeds[0].first + timedelta(days=3 * 200)
    world.arrive(world.feeds[0], [(day, 55.5)])
    report = run_wave(world.lake, _broken(world), probing="off")
    assert day.year == BAD_YEAR
    assert report.tables["features.left"].changed == 1
    assert report.tables["features.top"].waiting == ["2017"]
    assert report.tables["features.tip"].waiting == ["2017"]


def test_the_last_good_content_stays(world):
    """Code that fails leaves what honest code made, and says that it is old."""
    world.settle()
    before = world.lake.table("features.right").head()[1].partitions["2017"].hash
    run_wave(world.lake, _broken(world), probing="off")
    entry = world.lake.table("features.right").head()[1].partitions["2017"]
    assert (entry.hash, entry.state) == (before, "failed")


def test_a_mended_handler_catches_up(world):
    """Once the code is right again everything is as a rebuild has it."""
    run_wave(world.lake, _broken(world), probing="off")
    report = run_wave(world.lake, world.graph, probing="off")
    assert not report.failed
    world.prove()
    assert manifests(world.lake) == {}


def test_a_partition_that_keeps_failing_is_set_aside(world):
    """After five failures of one recipe it is tried no more, says why, and fills no log."""
    graph = _broken(world)
    for attempt in range(1, MOST_ATTEMPTS + 1):
        report = run_wave(world.lake, graph, probing="off")
        assert report.tables["features.right"].failed
        assert _right(world).attempts == attempt
    version = world.lake.table("features.right").head()[0]
    report = run_wave(world.lake, graph, probing="off")
    assert report.tables["features.right"].failed == {}
    assert "the scale broke" in report.tables["features.right"].set_aside["2017"]
    assert "the scale broke" in report.failed["features.right/2017"]
    assert "2017" in report.tables["features.top"].waiting
    assert world.lake.table("features.right").head()[0] == version


def test_one_that_was_set_aside_is_tried_again_for_a_reason(world):
    """New input that reaches it, other code, or a person's word."""
    graph = _broken(world)
    for _ in range(MOST_ATTEMPTS + 1):
        run_wave(world.lake, graph, probing="off")
    report = run_wave(world.lake, graph, probing="off", again=True)
    assert report.tables["features.right"].failed
    day = world.feeds[0].first + timedelta(days=3 * 130)
    assert day.year == BAD_YEAR
    world.arrive(world.feeds[0], [(day, 51.5)])
    report = run_wave(world.lake, graph, probing="off")
    assert report.tables["features.right"].failed
    assert _right(world).attempts == 1
    assert not run_wave(world.lake, world.graph, probing="off").failed
    assert (_right(world).state, _right(world).attempts) == ("live", 0)


def test_one_that_is_not_due_waits_and_the_others_go_on(world):
    """Backing off holds the partition that failed and what reads it, nothing else."""
    graph = _broken(world)
    run_wave(world.lake, graph, probing="off")
    day = world.feeds[0].first + timedelta(days=3 * 10)
    assert day.year == BAD_YEAR - 1
    world.arrive(world.feeds[0], [(day, 51.5)])
    asked = []
    report = run_wave(
        world.lake, graph, probing="off", due=lambda *place: asked.append(place)
    )
    assert ("features.right", "2017") in asked
    assert report.tables["features.right"].failed == {}
    assert report.tables["features.right"].changed >= 1


def _right(world):
    return world.lake.table("features.right").head()[1].partitions["2017"]


def test_a_damaged_table_stops_itself_and_what_reads_it(world):
    """Its file is not what was written: it is named, the rest is brought up to date."""
    world.settle()
    last = max(world.known["raw.px"])
    table = world.lake.table("features.window")
    entry = table.head()[1].partitions[str(last.year - 1)]
    path = table.folder / entry.files[0].path
    path.write_bytes(path.read_bytes()[:-8] + b"damaged!")
    world.restart()
    world.arrive(world.feeds[0], [(last, 33.25)])
    report = run_wave(world.lake, world.graph, probing="off")
    assert path.name in " ".join(report.failed.values())
    assert report.tables["features.tip"].damaged
    assert report.tables["features.right"].damaged is None
    assert report.tables["labels.ahead"].changed >= 1


def test_a_wave_that_is_asked_to_stop_commits_what_is_done_and_publishes_nothing(world):
    """The rest is planned again; the end is the same as without the stop."""
    done = []
    report = run_wave(
        world.lake,
        world.graph,
        probing="off",
        stopping=lambda: done.append(1) or len(done) > 12,
    )
    assert report.stopped
    assert world.lake.published() == {}
    assert not run_wave(world.lake, world.graph, probing="off").failed
    world.prove()


def test_a_proof_of_a_lake_with_failures_says_so(world):
    """A lake that could not be brought up to date is not called identical."""
    world.settle()
    graph = _broken(world)
    run_wave(world.lake, graph, probing="off")
    world.graph = graph
    with pytest.raises(AssertionError):
        world.prove()
    assert world.lake.table("features.right").head()[1].partitions["2017"].error


def test_failing_alike_is_not_identical(world):
    """A partition that never came to be, here and in the rebuild, is named."""
    graph = _broken(world)
    run_wave(world.lake, graph, probing="off")
    certificate = prove(world.lake, graph)
    assert not certificate.identical
    first = certificate.first_difference
    assert (first.table, first.partition) == ("features.right", "2017")
    assert "the scale broke" in first.because
