"""rules.yaml: every entry fits a rule and something to judge, or the lake does not open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cbi_stream.engine import fingerprint
from cbi_stream.engine.binding import bound, every_rule_fits
from cbi_stream.engine.graph import Graph, build, discover
from cbi_stream.lake.decisions import FIRM
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.words.errors import BadRegistry

Edit = Callable[[str, str, str], Path]
ENTRY = "  - {rule: weekend, on: {shapes: [bars]}}\n"


@pytest.fixture(scope="module")
def graph(registry: Registry) -> Graph:
    """Return the project's handlers and rules."""
    return discover(registry)


@pytest.fixture
def planted(edit: Edit, graph: Graph) -> Callable[[str], int]:
    """Return a function that puts an entry in, checks all, and gives its line."""

    def done(entry: str) -> int:
        folder = edit("rules.yaml", ENTRY, f"{ENTRY}  - {entry}\n")
        lines = (folder / "rules.yaml").read_text().splitlines()
        found = loader.load(folder)
        every_rule_fits(found, graph.rules)
        return lines.index(f"  - {entry}") + 1

    return done


def test_the_projects_own_rules_fit(registry: Registry, graph: Graph) -> None:
    """Every entry names a rule, its numbers, and something that it is about."""
    every_rule_fits(registry, graph.rules)
    named = {entry.rule for entry in registry.rules.rules}
    assert len(named) > 20
    assert named <= graph.rules.keys()


def test_what_nobody_can_release_is_what_the_rules_say(graph: Graph) -> None:
    """Decisions know no handlers, so that the two are alike is held here."""
    firm = {rule.name for rule in graph.rules.values() if rule.firm}
    assert firm
    assert firm | {"unreadable", "rejected"} == FIRM


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{rule: weeknd}", "weeknd: expected a rule that handlers/rules declares"),
        ("{rule: within, with: {low: 1}}", "with: the number high is missing"),
        ("{rule: within, with: {low: 1, high: 2, most: 3}}", "it has no number most"),
        (
            "{rule: within, with: {low: 1, high: much}}",
            "high: expected float; found 'much'",
        ),
        (
            "{rule: within, with: {low: 1, high: true}}",
            "high: expected float; found True",
        ),
        (
            "{rule: stale_run, on: {shapes: [bars]}, with: {most: 1.5}}",
            "most: expected int",
        ),
        ("{rule: weekend, on: {symbols: [ZL, XX]}}", "symbols: nothing is called XX"),
        (
            "{rule: weekend, on: {sources: [yahooo]}}",
            "sources: nothing is called yahooo",
        ),
        ("{rule: weekend, on: {series: [DGS10], kinds: [future]}}", "none fit"),
        ("{rule: ohlc}", "it looks at close, high, low, open, which lines of counts"),
        (
            "{rule: implausible, on: {shapes: [bars], cells: [price]}}",
            "have no cell price",
        ),
        ("{rule: weekend, from: 2024-02-01, until: 2024-01-01}", "before `until`"),
        ("{rule: weekend, severity: hide}", "severity"),
        ("{rule: weekend, on: {symbol: [ZL]}}", "this key is not known here"),
    ],
)
def test_an_entry_that_does_not_fit_is_an_error_with_its_line(
    planted: Callable[[str], int], copied: Path, entry: str, message: str
) -> None:
    """Unknown rules, numbers, targets and cells are found when loading."""
    with pytest.raises(BadRegistry) as caught:
        planted(entry)
    text = (copied / "rules.yaml").read_text().splitlines()
    where = f"rules.yaml:{text.index(f'  - {entry}') + 1}: "
    assert message in str(caught.value)
    assert where in str(caught.value)


def test_an_entry_that_fits_is_taken(planted: Callable[[str], int]) -> None:
    """The twin of the faults: numbers may be whole, names may be patterns."""
    assert (
        planted("{rule: within, on: {symbols: ['Z?']}, with: {low: 1, high: 2.5}}") > 1
    )


def test_off_needs_no_numbers(planted: Callable[[str], int]) -> None:
    """Where a rule does not hold there is nothing to say of it."""
    assert planted("{rule: jump, on: {symbols: [ZL]}, severity: off}") > 1


def _moved(registry: Registry, other: Registry, graph: Graph) -> set[str]:
    declared = [
        *(node.handler for node in graph.nodes),
        *graph.rules.values(),
    ]
    left, right = build(registry, declared), build(other, declared)
    return {
        node.table
        for node in left.nodes
        if fingerprint.of_node(left, node)
        != fingerprint.of_node(right, right.node(node.table))
    }


def _with(registry: Registry, rule: str, **changed: object) -> Registry:
    """Return the registry with the first entry of a rule changed."""
    rules = registry.rules.rules
    i = next(i for i, each in enumerate(rules) if each.rule == rule)
    entry = rules[i].model_copy(update=changed)
    found = registry.rules.model_copy(
        update={"rules": (*rules[:i], entry, *rules[i + 1 :])}
    )
    return replace(registry, rules=found)


def test_a_changed_number_moves_its_source_alone(
    registry: Registry, graph: Graph
) -> None:
    """The jump of futures is nothing to observations; that of one source nothing to others."""
    prices = {"staging.prices", "quarantine.prices"}
    assert (
        _moved(registry, _with(registry, "jump", numbers={"limit": 0.4}), graph)
        == prices
    )
    fred = next(
        e for e in registry.rules.rules if e.rule == "jump" and e.on.series == ("DFF",)
    )
    rules = tuple(
        each.model_copy(update={"numbers": {"limit": 9, "points": True}})
        if each is fred
        else each
        for each in registry.rules.rules
    )
    other = replace(registry, rules=registry.rules.model_copy(update={"rules": rules}))
    assert _moved(registry, other, graph) == {"staging.fred", "quarantine.fred"}


def test_prose_moves_nothing(registry: Registry, graph: Graph) -> None:
    """Why a number is what it is changes no verdict."""
    assert _moved(registry, _with(registry, "jump", because="else"), graph) == set()


def test_code_of_a_rule_moves_where_it_holds(
    registry: Registry, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rule that reads otherwise judges otherwise."""
    before = {n.table: fingerprint.of_node(graph, n) for n in graph.nodes}
    ohlc = graph.rules["ohlc"].function
    monkeypatch.setitem(fingerprint._CODES, ohlc, {"handlers.rules.bars": "other"})
    moved = {
        n.table for n in graph.nodes if fingerprint.of_node(graph, n) != before[n.table]
    }
    assert moved == {"staging.prices", "quarantine.prices"}


def test_a_rule_is_bound_where_something_fits(registry: Registry, graph: Graph) -> None:
    """FRED has no bars, so no rule of bars holds for its lines."""
    found = bound(registry, graph.rules, ["fred"])
    names = {each.rule.name for each in found.bound}
    assert {"jump", "not_a_number", "contradicted"} <= names
    assert not names & {"ohlc", "weekend", "implausible", "uncited"}


def test_two_rules_of_one_name_are_refused(registry: Registry, graph: Graph) -> None:
    """The quarantine could not tell which of them a line broke."""
    ohlc = graph.rules["ohlc"]
    with pytest.raises(BadRegistry, match="two rules are called ohlc"):
        build(registry, [ohlc, replace(ohlc)])


def test_a_graph_without_a_rule_that_holds_is_refused(
    registry: Registry, graph: Graph
) -> None:
    """Nothing is judged by less than rules.yaml says, however the graph was built."""
    fewer = {name: each for name, each in graph.rules.items() if name != "ohlc"}
    with pytest.raises(BadRegistry, match="found ohlc"):
        bound(registry, fewer, ["yahoo"])
    assert bound(registry, fewer, ["fred"]).bound
