"""What moves a fingerprint, and what does not."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location

import pytest

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import build
from tests.laws import toy, worlds

SOURCE = '''
"""Words about it."""
from cbi_stream import days, handler
from handlers.features import scale

@handler(reads={"features.window": days()}, writes="features.right")
def right(window):
    """More words."""
    return window.select("date", scaled=window["mean_20"] * 2.0)
'''


def _of(tmp_path, text):

    path = tmp_path / f"module_{len(list(tmp_path.iterdir()))}.py"
    path.write_text(text)
    spec = spec_from_file_location("the_module", path)
    module = module_from_spec(spec)
    sys.modules["the_module"] = module
    spec.loader.exec_module(module)
    kept = [h for h in toy.HANDLERS if h.writes != "features.right"]
    graph = build(toy.registry(), [*kept, module.right])
    return fingerprint.of_node(graph, graph.node("features.right"))


PLAIN = SOURCE.replace("from handlers.features import scale\n", "")


@pytest.mark.parametrize(
    ("old", "new", "moves"),
    [
        ("Words about it.", "Other words.", False),
        ("More words.", "None.", False),
        ("* 2.0", "*   2.0  # twice\n   ", False),
        ("* 2.0", "* 2.5", True),
        ("days()", "days(back=1)", True),
    ],
)
def test_meaning_moves_it_and_words_do_not(tmp_path, old, new, moves):
    """Docstrings, comments and layout are no code; numbers and reads are."""
    before = _of(tmp_path, PLAIN)
    assert (_of(tmp_path, PLAIN.replace(old, new)) != before) is moves


def test_a_rule_moves_only_its_readers():
    """A changed registry number moves the handlers that declared its file."""
    graph = worlds.discovered()
    spec = graph.registry.join_spec
    longer = [
        join.model_copy(update={"max_age_days": 9}) if join.name == "vix" else join
        for join in spec.joins
    ]
    changed = spec.model_copy(update={"joins": tuple(longer)})
    declared = [*(node.handler for node in graph.nodes), *graph.rules.values()]
    other = build(replace(graph.registry, join_spec=changed), declared)
    moved = {
        node.table
        for node in graph.nodes
        if fingerprint.of_node(graph, node)
        != fingerprint.of_node(other, other.node(node.table))
    }
    assert moved == {"features.panel"}


def test_the_calendar_and_the_environment_count(monkeypatch):
    """Another session list, or another polars, is another fingerprint for all."""
    graph = worlds.discovered()
    node = graph.node("features.master")
    before = fingerprint.of_node(graph, node)
    monkeypatch.setattr(fingerprint.pl, "__version__", "2.1.1")
    assert fingerprint.of_node(graph, node) != before
    monkeypatch.undo()
    monkeypatch.setattr(type(graph.registry.sessions), "digest", "another")
    assert fingerprint.of_node(graph, node) != before


def test_kernels_count(monkeypatch):
    """A handler's fingerprint follows every kernel module that it imports."""
    graph = worlds.discovered()
    code = fingerprint._code_of(graph.node("features.technical").handler.function)
    assert {"cbi_stream.kernels.moments", "cbi_stream.kernels.tree"} <= code.keys()
    assert not any(name.startswith("cbi_stream.engine") for name in code)
