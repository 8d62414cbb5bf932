"""Jobs in processes of their own: the same outcomes, and a job that dies dies alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbi_stream.doors import dropping, landing
from cbi_stream.engine.pool import Pool
from cbi_stream.engine.wave import run_wave
from cbi_stream.engine.worker import Worker
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import lay_down, market
from cbi_stream.words.errors import CbiError, CodeChanged, WrongUsage
from tests.laws import worlds

GRAPH = worlds.discovered()


def _lake(folder):
    lake = Lake.create(folder / "lake", GRAPH.registry, kind="simulated")
    days = [d for d in GRAPH.registry.sessions.days if 2017 <= d.year <= 2018]
    for path in lay_down(market(days), folder / "desk"):
        dropping.drop(lake, path, dropping.Hint())
    landing.take_in(lake, GRAPH)
    return lake


def _roots(lake):
    return {n.table: lake.table(n.table).head()[1].root for n in GRAPH.nodes}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The derived tables of a lake that was computed in one process."""
    lake = _lake(tmp_path_factory.mktemp("here"))
    run_wave(lake, GRAPH, probing="off")
    roots = _roots(lake)
    # first_seen_at differs from lake to lake: what does not hold it must agree.
    return {t: root for t, root in roots.items() if t.startswith(("feat", "lab"))}


@pytest.mark.parametrize("make", [Worker, lambda: Pool(2)], ids=["worker", "pool"])
def test_another_process_computes_the_same(tmp_path, expected, make):
    """Not a bit depends on where a job runs."""
    lake = _lake(tmp_path)
    with make() as executor:
        report = run_wave(lake, GRAPH, executor=executor, probing="off")
    assert not report.failed
    found = _roots(lake)
    assert {t: found[t] for t in expected} == expected


def test_a_job_that_takes_too_long_fails_and_the_next_one_works(tmp_path):
    """It is killed at its limit; a fresh process takes the next job."""
    lake = _lake(tmp_path)
    with Worker(wall_seconds=0.0001) as worker:
        report = run_wave(lake, GRAPH, executor=worker, probing="off")
        assert any("took more than" in why for why in report.failed.values())
        worker.wall_seconds = 60.0
        report = run_wave(lake, GRAPH, executor=worker, probing="off")
    assert not report.failed


def test_a_process_that_is_killed_fails_its_job_alone(tmp_path):
    """Killed between two jobs or within one: the wave goes on, the next run mends it."""
    lake = _lake(tmp_path)
    with Worker() as worker:
        run_wave(lake, GRAPH, executor=worker, probing="off")
        worker._process.kill()
        worker._process.join()
        again = run_wave(lake, GRAPH, executor=worker, asked=True, probing="off")
        assert len(again.failed) <= 1
        mended = run_wave(lake, GRAPH, executor=worker, probing="off")
    assert not mended.failed


def test_a_graph_built_by_hand_is_refused(tmp_path):
    """Another process could not find its handlers."""
    lake = _lake(tmp_path)
    by_hand = replace(GRAPH, package=None)
    with Worker() as worker, pytest.raises(WrongUsage, match="built by hand"):
        run_wave(lake, by_hand, executor=worker, probing="off")


def test_a_lake_that_is_away_is_no_fault_of_the_code(tmp_path):
    """The worker says what it did not find, and works once the volume is back."""
    lake = _lake(tmp_path)
    away = tmp_path / "away"
    with Worker() as worker:
        worker.warm(lake, GRAPH)
        lake.folder.rename(away)
        with pytest.raises((CbiError, OSError)) as told:
            list(worker.outcomes(lake, GRAPH, [None]))
        assert not isinstance(told.value, CodeChanged)
        assert "lake" in str(told.value)
        process = worker._process
        away.rename(lake.folder)
        assert not run_wave(lake, GRAPH, executor=worker, probing="off").failed
        assert worker._process is process
