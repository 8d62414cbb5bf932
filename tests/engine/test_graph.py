"""The graph refuses what cannot work, before anything runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from cbi_stream import days, handler, known, sessions
from cbi_stream.engine.graph import build, every_source_is_served
from cbi_stream.engine.reach import sees
from cbi_stream.lake.partition_map import Change
from cbi_stream.words.errors import BadRegistry, BrokenContract
from cbi_stream.words.span import Span
from tests.laws import toy, worlds


def _with(*more, without=()):
    kept = [h for h in toy.HANDLERS if h.writes not in without]
    return build(toy.registry(), [*kept, *more])


def test_tables_come_after_what_they_read():
    """In the real graph each handler stands behind its inputs."""
    graph = worlds.discovered()
    done = {t for t, c in graph.registry.contracts.items() if c.is_record}
    for node in graph.nodes:
        assert set(node.inputs) <= done
        done.add(node.table)


def test_a_quarantine_stands_before_what_was_staged():
    """What is turned away is on the disk before what stays."""
    order = [node.table for node in worlds.discovered().nodes]
    for subject in ("prices", "fred", "cftc"):
        assert order.index(f"quarantine.{subject}") < order.index(f"staging.{subject}")


def test_two_writers_are_refused():
    """A table has one writer."""
    with pytest.raises(BadRegistry, match=r"both write features.window"):
        _with(toy.other_window)


def test_an_input_that_nothing_writes_is_refused():
    """A read of a table without a writer stops the load."""
    with pytest.raises(BadRegistry, match=r"reads features.left, which nothing writes"):
        _with(without=("features.left",))


def test_a_circle_is_refused():
    """No table is computed from itself, however far round."""

    @handler(reads={"features.tip": days()}, writes="features.window")
    def back(tip: pl.DataFrame) -> pl.DataFrame:
        return tip

    with pytest.raises(BrokenContract, match="circle"):
        _with(back, without=("features.window",))


def test_a_handler_never_writes_a_record():
    """Raw is not right of anything."""

    @handler(reads={"staging.px": days()}, writes="raw.px")
    def wrong(px: pl.DataFrame) -> pl.DataFrame:
        return px

    with pytest.raises(BadRegistry, match=r"raw\.px"):
        _with(wrong)


def test_known_needs_the_moment():
    """An as-of read of a table that does not say when it was knowable is refused."""

    @handler(reads={"features.panel": known(max_age=5)}, writes="features.right")
    def wrong(panel: pl.DataFrame) -> pl.DataFrame:
        return panel

    with pytest.raises(BrokenContract, match="knowable_at"):
        _with(wrong, without=("features.right",))


def test_registry_numbers_are_looked_up():
    """A read that names a registry number holds that number in the graph."""
    reads = worlds.discovered().node("labels.forward").reads
    registry = worlds.discovered().registry
    assert reads["staging.prices"].ahead == registry.horizons.reach == 369


def test_a_read_of_columns_that_are_not_there_is_refused():
    """A misspelt column stops the load."""

    @handler(
        reads={"features.window": days(columns=("mean_20", "mean_21"))},
        writes="features.right",
    )
    def right(window: pl.DataFrame) -> pl.DataFrame:
        return window

    with pytest.raises(BrokenContract, match=r"mean_21.*not in features.window"):
        _with(right, without=("features.right",))


def test_a_change_of_other_columns_is_not_seen():
    """Only a change of what a read looks at, or of rows, concerns it."""
    span = Span.day(date(2024, 1, 2))
    read = sessions(back=3, columns=("close",))
    assert sees(read, Change(span))
    assert sees(read, Change(span, columns=("close", "high")))
    assert not sees(read, Change(span, columns=("high",)))
    assert sees(sessions(back=3), Change(span, columns=("high",)))


def test_registry_and_parsers_name_the_same_sources():
    """An entry that nobody reads, and a parser without an entry, are both refused."""
    graph = worlds.discovered()
    every_source_is_served(graph)
    fewer = {n: p for n, p in graph.parsers.items() if n != "fred"}
    with pytest.raises(BadRegistry, match="fred without a parser"):
        every_source_is_served(replace(graph, parsers=fewer))
    with pytest.raises(BadRegistry, match="fred with `fetch` and without a connector"):
        every_source_is_served(
            replace(
                graph,
                connectors={n: c for n, c in graph.connectors.items() if n != "fred"},
            )
        )
    known = graph.registry.data_sources
    sources = {n: s for n, s in known.sources.items() if n != "gpr"}
    registry = replace(
        graph.registry, data_sources=known.model_copy(update={"sources": sources})
    )
    parsers = [p for each in graph.parsers.values() for p in each]
    with pytest.raises(BadRegistry, match="no entry for gpr"):
        every_source_is_served(build(registry, parsers))
