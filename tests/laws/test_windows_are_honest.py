"""P3: every registered handler keeps to its declared windows, and liars are caught."""

from __future__ import annotations

import itertools
from dataclasses import replace

import polars as pl
import pytest

from cbi_stream import days, handler, history, known, sessions
from cbi_stream.engine import probe
from cbi_stream.engine.graph import build
from cbi_stream.engine.simulate import simulated
from cbi_stream.engine.wave import run_wave
from cbi_stream.registry.contract import Column
from cbi_stream.words.errors import DishonestWindow
from tests.laws import toy, worlds

PANEL = "features.panel"
_COUNTER = itertools.count()


def _refused(liar, match):
    registry = toy.registry()
    keep = [h for h in toy.HANDLERS if h.writes != liar.writes]
    graph = build(registry, [*keep, liar])
    with pytest.raises(DishonestWindow, match=match):
        probe.check(graph, graph.node(liar.writes))


@pytest.mark.parametrize("node", worlds.real_graph().nodes, ids=lambda n: n.table)
def test_real_handlers_are_honest_and_pure(node):
    """Each real handler passes the probe, bit for bit independent of what is outside."""
    assert probe.check(worlds.real_graph(), node).window_pure


@pytest.mark.parametrize("node", toy.graph().nodes, ids=lambda n: n.table)
def test_toy_handlers_are_honest(node):
    """Each toy handler passes; the one with a native rolling mean is not pure."""
    verdict = probe.check(toy.graph(), node)
    assert verdict.window_pure == (node.table != "features.window")


def test_a_division_by_a_constant_is_not_pure():
    """Polars divides a single row by other bits than many rows: the probe sees it."""

    @handler(reads={PANEL: days()}, writes="features.right")
    def divider(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=(pl.col("x") * 100.0).round() / 100.0)

    keep = [h for h in toy.HANDLERS if h.writes != divider.writes]
    graph = build(toy.registry(), [*keep, divider])
    assert not probe.check(graph, graph.node("features.right")).window_pure


def test_looking_one_session_ahead_is_refused():
    """A shift into the future without ahead= never commits."""

    @handler(reads={PANEL: sessions(back=5)}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.col("x").shift(-1))

    _refused(liar, "looks ahead: scaled")


def test_a_mean_over_everything_is_refused():
    """A statistic of the whole frame looks ahead, whatever the window says."""

    @handler(reads={PANEL: history()}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.col("x") - pl.col("x").mean())

    _refused(liar, "looks ahead")


def test_a_longer_window_than_declared_is_refused():
    """Thirty sessions behind a declared ten never commit."""

    @handler(reads={PANEL: sessions(back=10)}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.col("x").rolling_mean(30, min_samples=1))

    _refused(liar, "reads too far back: scaled")


def test_one_session_too_far_back_is_refused():
    """A window that is off by one is found."""

    @handler(reads={PANEL: sessions(back=9)}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.col("x").rolling_max(11, min_samples=1))

    _refused(liar, "reads too far back")


def test_filling_forward_without_end_is_refused():
    """An unbounded forward fill is no window."""

    @handler(reads={"staging.px": days(back=3)}, writes="features.month")
    def liar(px: pl.DataFrame) -> pl.DataFrame:
        gaps = pl.when(pl.col("x") > 30).then(pl.col("x"))
        return px.sort("date").select("date", highest_30d=gaps.forward_fill())

    _refused(liar, "reads too far back")


def test_using_what_was_not_yet_known_is_refused():
    """Joining an observation by its date, before its release, looks ahead."""

    @handler(
        reads={PANEL: sessions(), "staging.obs": known(max_age=30)},
        writes="features.right",
    )
    def liar(panel: pl.DataFrame, obs: pl.DataFrame) -> pl.DataFrame:
        newest = obs.sort("date", "vintage").unique(
            "date", keep="last", maintain_order=True
        )
        seen = newest.select("date", scaled="value")
        return panel.select("date").join(
            seen, on="date", how="left", maintain_order="left"
        )

    _refused(liar, "looks ahead")


def test_randomness_is_refused():
    """A handler that does not repeat itself never commits."""

    @handler(reads={PANEL: sessions()}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.lit(float(next(_COUNTER))))

    _refused(liar, "two outputs")


def test_a_handler_that_differs_between_processes_is_refused(monkeypatch, tmp_path):
    """What one process computes another must compute too."""
    graph = replace(toy.graph(), package="handlers")
    real = {node.table: "another digest" for node in graph.nodes}
    monkeypatch.setattr(probe, "_digests_of_child", lambda *_: real)
    world = worlds.toy_world()
    prints = {node.table: node.table for node in graph.nodes}
    refused = probe.refused(world.lake, graph, prints, "two processes")
    world.close()
    # Those that read lines of files have none here, so they are not tried.
    idle = {node.table for node in graph.nodes if node.lines}
    assert set(refused) == set(real) - idle
    assert "two processes" in refused["features.tip"]


def test_a_second_process_agrees_on_the_real_handlers(tmp_path):
    """The real handlers give the same digests in a fresh process."""
    world = worlds.real_world()
    graph = worlds.discovered()
    prints = {node.table: node.table for node in graph.nodes}
    refused = probe.refused(world.lake, graph, prints, "two processes")
    world.close()
    assert refused == {}


def test_a_refused_handler_commits_nothing():
    """A wave sets a liar's table aside, says why, and goes on with the others."""

    @handler(reads={PANEL: sessions()}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        return panel.select("date", scaled=pl.col("x").shift(-1))

    keep = [h for h in toy.HANDLERS if h.writes != liar.writes]
    world = worlds.toy_world()
    world.graph = build(toy.registry(), [*keep, liar])
    worlds.begin_plain(world)
    report = run_wave(world.lake, world.graph, probing="one process")
    rows = sum(
        p.rows for p in world.lake.table("features.right").head()[1].partitions.values()
    )
    changed = report.tables["features.left"].changed
    waiting = report.tables["features.top"].waiting
    world.close()
    assert rows == 0
    assert all("looks ahead" in why for why in report.failed.values())
    assert changed > 0
    assert waiting


def test_the_tolerance_is_for_rounding_alone():
    """A difference of one part in a million in a window's edge is refused."""

    @handler(reads={PANEL: sessions(back=4)}, writes="features.right")
    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        leak = pl.col("x").shift(9).fill_null(0.0) * 1e-6
        return panel.select("date", scaled=pl.col("x") + leak)

    _refused(liar, "reads too far back")


def test_probe_frames_hold_nulls_and_repeats():
    """The simulated frames have what makes kernels fail: nulls and flat stretches."""
    registry = toy.registry()
    contract = registry.contracts["features.panel"]
    frame = simulated(contract, list(registry.sessions.days[:300]), seed=1)
    assert frame["x"].null_count() > 3
    assert (frame["x"].diff() == 0).sum() > 10
    assert contract.columns["x"] == Column(type="float", doc="number")
