"""gates.yaml is refused where it does not fit its gates, tables or points: with its line.

Each fault is planted in a copy of the registry; the file without it loads.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cbi_stream import Finding, gate
from cbi_stream.engine.graph import build, discover
from cbi_stream.registry import loader
from cbi_stream.words.errors import BadRegistry, BrokenContract
from tests.laws import gated, toy, worlds

GOOD = """gates:
  - gate: no_twins
    at: POST_STAGING
    on: [staging.*]
    with: {key: [date]}
    severity: warning
  - gate: nothing_carried
    at: PRE_TRAINING
    on: [effects.*]
    severity: critical
"""
FAULTS = {
    "unknown gate": ("no_twins", "no_such", "gates.yaml:2: expected a gate"),
    "unknown number": ("key:", "keys:", "gates.yaml:5: no_twins: expected one of"),
    "wrong type": ("[date]}", "7}", "gates.yaml:5: no_twins: key: "),
    "wrong type inside": ("[date]}", "[7]}", "gates.yaml:5: no_twins: key: "),
    "no table": ("[staging.*]", "[staging.nobody]", "gates.yaml:4: staging.nobody"),
    "wrong zone": ("[staging.*]", "[features.panel]", "gates.yaml:3: no_twins: POST"),
    "unknown point": ("POST_STAGING", "AFTER_LUNCH", "gates.yaml:3: gates.0.at"),
    "kind of gate": ("gate: no_twins", "gate: nothing_carried", "a whole gate"),
    "kind of place": ("gate: nothing_carried", "gate: no_twins", "gate of partitions"),
    "unknown key": ("severity: warning", "grave: warning", "gates.yaml:6: "),
    "unknown severity": ("warning", "grave", "gates.yaml:6: gates.0.severity"),
    "no place": ("[staging.*]", "[]", "gates.yaml:4: "),
}


@pytest.fixture
def folder(tmp_path):
    """A copy of the registry with two gates."""
    folder = Path(shutil.copytree(worlds.REGISTRY, tmp_path / "registry"))
    (folder / "gates.yaml").write_text(GOOD)
    return folder


def test_gates_stand_where_the_file_puts_them(folder):
    """By table and by effect, with their numbers in the types that they ask for."""
    graph = discover(loader.load(folder))
    # The tests of join_spec.yaml stand beside them, with the join's name as a label.
    of_file = {
        place: [check for check in checks if not check.label]
        for place, checks in graph.checks.items()
    }
    [check] = of_file["staging.prices"]
    assert (check.name, check.at, check.severity) == (
        "no_twins", "POST_STAGING", "warning"
    )  # fmt: skip
    assert check.numbers == {"key": ("date",)}
    assert [c.name for c in of_file["effects.export"]] == ["nothing_carried"]
    assert "features.panel" not in of_file
    beside = {check.name for check in graph.checks["effects.export"] if check.label}
    assert "expect_null_rate_below[vix]" in beside


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_named_with_its_line(folder, fault):
    """Each planted fault stops the load, and says where and what."""
    old, new, why = FAULTS[fault]
    (folder / "gates.yaml").write_text(GOOD.replace(old, new, 1))
    with pytest.raises(BadRegistry) as caught:
        discover(loader.load(folder))
    assert why in str(caught.value)


def test_a_missing_number_is_named(folder):
    """A number without a default must be given."""
    registry = loader.load(folder)
    entry = gated.placed("not_above", "POST_STAGING", "staging.px")
    with pytest.raises(BadRegistry, match="expected the number most; it is missing"):
        gated.graph_with([entry])
    assert registry.gates.gates


def test_one_name_means_one_gate():
    """Two gates of one name, one called like the one that is built in, one twice."""

    @gate
    def not_above(rows, subject):
        return Finding(True, "x", "y")

    @gate
    def emptied(rows, subject):
        return Finding(True, "x", "y")

    for more in ([gated.not_above, not_above], [emptied]):
        with pytest.raises(BadRegistry, match="one gate called"):
            build(toy.registry(), [*toy.HANDLERS, *more])
    entry = gated.placed("dense", "POST_STAGING", "staging.px")
    with pytest.raises(BadRegistry, match="found twice dense"):
        gated.graph_with([entry, entry])


def test_a_number_without_a_type_is_refused():
    """A gate says what its numbers are."""

    @gate
    def bare(rows, subject, *, most):
        return Finding(True, "x", "y")

    with pytest.raises(BrokenContract, match="a type for most"):
        dict(bare.numbers)
