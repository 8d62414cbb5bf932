"""A handler that fails on one partition holds that one back, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from cbi_stream import days, handler
from cbi_stream.engine.effects import manifests
from cbi_stream.engine.graph import build
from cbi_stream.engine.prove import prove
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


def test_the_same_failure_again_commits_nothing(world):
    """A handler that keeps failing is tried each time and fills no log."""
    graph = _broken(world)
    run_wave(world.lake, graph, probing="off")
    version = world.lake.table("features.right").head()[0]
    report = run_wave(world.lake, graph, probing="off")
    assert report.failed
    assert world.lake.table("features.right").head()[0] == version


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
