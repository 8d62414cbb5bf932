"""The graph of handlers: who writes what from what, in an order that works.

It is checked whole when loading. It never runs a handler.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, Literal

from cbi_stream.engine import binding, gating
from cbi_stream.engine.expecting import Expectation, expectations
from cbi_stream.engine.sources import Sources, on_disk
from cbi_stream.kernels.targets import Targets
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.connector import Connector
from cbi_stream.shapes.effect import Effect
from cbi_stream.shapes.gate import Gate
from cbi_stream.shapes.handler import Handler
from cbi_stream.shapes.reads import Grid, Known, Number, Read, columns_of
from cbi_stream.shapes.rule import Rule
from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import BadRegistry, BrokenContract

Part = Literal["output", "staged", "quarantined"]


@dataclass(frozen=True, slots=True)
class Node:
    """A handler with its registry numbers looked up, and one table that it writes.

    A handler that turns lines away is two nodes: its quarantine is a derived table like
    any other, computed by the same function from the same slices, so that neither can
    be ahead of the other for good.
    """

    handler: Handler
    contract: Contract
    reads: dict[str, Read]
    spec: Spec | None
    part: Part = "output"
    """Which of the frames that the handler returns stands in the table."""
    lines: tuple[str, ...] = ()
    """The tables of lines of files among its reads."""
    rules: binding.Binding | None = None
    """The rules that hold for these lines."""

    @property
    def table(self) -> str:
        """The table that it writes."""
        return self.contract.table

    @property
    def inputs(self) -> tuple[str, ...]:
        """The stored tables that it depends on, each once, the spine's first."""
        return tuple(dict.fromkeys(source_table(t, r) for t, r in self.reads.items()))

    @property
    def spines(self) -> dict[str, Read]:
        """The reads that say which partitions there are.

        The first one; of a handler that turns lines away all tables of lines, since
        every line must meet its fate.
        """
        if self.part == "output":
            return dict([next(iter(self.reads.items()))])
        return {t: r for t, r in self.reads.items() if t in self.lines}


def source_table(table: str, read: Read) -> str:
    """Return the stored table behind a read; a grid stands for the table it is of."""
    return read.of if isinstance(read, Grid) else table


@dataclass(frozen=True, slots=True)
class Graph:
    """Every handler, parser and effect, checked against the registry."""

    registry: Registry
    nodes: tuple[Node, ...]
    """In an order in which each comes after the tables that it reads."""
    parsers: dict[str, tuple[Parser, ...]]
    """By source, one for each form or layout of its files."""
    effects: tuple[Effect, ...]
    connectors: dict[str, Connector] = field(default_factory=dict)
    """By source: how it is asked, where it is."""
    rules: dict[str, Rule] = field(default_factory=dict)
    """By name."""
    strangers: tuple[str, ...] = ()
    """The sources of parsers and connectors that data_sources.yaml does not name."""
    checks: gating.Checks = field(default_factory=dict)
    """By table or effect, the gates that judge it."""
    expected: tuple[Expectation, ...] = ()
    """The tests of join_spec.yaml; none for a graph built by hand."""
    package: str | None = None
    """Where the handlers were found; None for a graph built by hand."""
    sources: Sources | None = None
    """What it was loaded from; None for a graph built by hand."""

    def node(self, table: str) -> Node:
        """Return the handler that writes `table`."""
        return next(node for node in self.nodes if node.table == table)


def discover(registry: Registry, package: str = "handlers") -> Graph:
    """Import every module of a package and return the graph of what they declare.

    Raises:
        BadRegistry: registry and handlers do not fit; the message names the file.
        CodeChanged: a file changed while it was loaded.
    """
    root = importlib.import_module(package)
    loaded = on_disk(Path(root.__file__ or "").parent, registry.folder)
    declared: list[Any] = []
    for found in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
        module = importlib.import_module(found.name)
        declared.extend(
            value for value in vars(module).values() if isinstance(value, Declared)
        )
    loaded.check()
    graph = build(registry, declared)
    gates = {id(each): each for each in declared if isinstance(each, Gate)}.values()
    binding.every_rule_fits(registry, graph.rules)
    gating.every_gate_is_known(registry, gates, graph.effects)
    # A package without the table that is tested needs no gates for it.
    tested = registry.join_spec.table in (node.table for node in graph.nodes)
    tests = expectations(registry, gates) if tested else ()
    checks = gating.with_tests(graph.checks, tests, graph.effects)
    return replace(
        graph, checks=checks, expected=tests, package=package, sources=loaded
    )


Declared = Handler | Parser | Connector | Effect | Rule | Gate


def build(registry: Registry, declared: Iterable[Declared]) -> Graph:
    """Return the graph of these declarations.

    Raises:
        BadRegistry: a table has no contract, two writers, or none at all.
        BrokenContract: a read does not fit its table, or reads run in a circle.
    """
    known = list(dict.fromkeys(map(id, declared)))
    by_id = {id(each): each for each in declared}
    unique = [by_id[i] for i in known]
    nodes: dict[str, Node] = {}
    rules = binding.by_name([r for r in unique if isinstance(r, Rule)])
    targets = binding.targets_of(registry)
    for each in unique:
        for handler in _closed(registry, each) if isinstance(each, Handler) else ():
            for node in _nodes(registry, handler, rules, targets):
                if node.table in nodes:
                    other = nodes[node.table].handler.name
                    msg = f"{handler.name} and {other} both write {node.table}"
                    raise BadRegistry(msg)
                nodes[node.table] = node
    _every_input_is_written(registry, nodes)
    served = {e.source for e in unique if isinstance(e, Parser | Connector)}
    effects = tuple(e for e in unique if isinstance(e, Effect))
    gates = [e for e in unique if isinstance(e, Gate)]
    return Graph(
        registry=registry,
        strangers=tuple(sorted(served - registry.data_sources.sources.keys())),
        nodes=tuple(nodes[table] for table in _ordered(nodes)),
        parsers=_parsers(registry, [p for p in unique if isinstance(p, Parser)]),
        effects=effects,
        rules=rules,
        checks=gating.bound(registry, gates, effects),
        connectors=_connectors(
            registry, [c for c in unique if isinstance(c, Connector)]
        ),
    )


def _closed(registry: Registry, handler: Handler) -> tuple[Handler, ...]:
    """Return a handler for each source, where its sources are left open."""
    if handler.shape is None:
        return (handler,)
    return handler.closed(registry.sources_of(handler.shape))


def _parsers(
    registry: Registry, declared: list[Parser]
) -> dict[str, tuple[Parser, ...]]:
    found: dict[str, tuple[Parser, ...]] = {}
    for parser in declared:
        if parser.source in registry.data_sources.sources:
            found[parser.source] = (*found.get(parser.source, ()), parser)
    return found


def _connectors(registry: Registry, declared: list[Connector]) -> dict[str, Connector]:
    found: dict[str, Connector] = {}
    asked = {n for n, s in registry.data_sources.sources.items() if s.fetch}
    for connector in declared:
        if connector.source in found:
            msg = f"{connector.source} has two connectors"
            raise BadRegistry(msg)
        if connector.source in asked:
            found[connector.source] = connector
    return found


def every_source_is_served(graph: Graph) -> None:
    """Hold data_sources.yaml against the parsers and connectors.

    Raises:
        BadRegistry: a source has no parser, or is to be asked and has no connector; or a
            parser or connector is of a source without an entry.
    """
    sources = graph.registry.data_sources.sources
    unread = sorted(sources.keys() - graph.parsers.keys())
    unasked = sorted(
        n for n, s in sources.items() if s.fetch and n not in graph.connectors
    )
    if graph.strangers:
        names = ", ".join(graph.strangers)
        msg = f"data_sources.yaml: no entry for {names}, which handlers read or ask"
        raise BadRegistry(msg)
    if unread or unasked:
        msg = (
            f"data_sources.yaml: {', '.join(unread) or 'none'} without a parser; "
            f"{', '.join(unasked) or 'none'} with `fetch` and without a connector"
        )
        raise BadRegistry(msg)


def _nodes(
    registry: Registry, handler: Handler, rules: dict[str, Rule], targets: Targets
) -> list[Node]:
    tables: dict[str, Part] = {handler.writes: "output"}
    if handler.quarantines:
        tables = {handler.quarantines: "quarantined", handler.writes: "staged"}
    reads = {t: _resolved(registry, r) for t, r in handler.reads.items()}
    known = registry.contracts
    lines = tuple(t for t in reads if t in known and known[t].provenance)
    named = [n.removeprefix("data_sources.") for n in handler.spec if "." in n]
    judge = None
    if lines and named:
        judge = binding.bound(registry, rules, named, targets)
    spec = Spec(registry, handler.spec, judge) if handler.spec else None
    nodes = []
    for table, part in tables.items():
        contract = registry.contracts.get(table)
        if contract is None or contract.is_record:
            msg = f"{handler.name}: expected a contract tables/{table}.yaml of a derived table"
            raise BadRegistry(msg)
        nodes.append(Node(handler, contract, reads, spec, part, lines, judge))
    return nodes


def _resolved(registry: Registry, read: Read) -> Read:
    numbers = {
        field.name: registry.number(value.name) + value.plus
        for field in fields(read)
        if isinstance(value := getattr(read, field.name), Number)
    }
    return replace(read, **numbers)  # type: ignore[arg-type]


def _every_input_is_written(registry: Registry, nodes: dict[str, Node]) -> None:
    for node in nodes.values():
        for table, read in node.reads.items():
            stored = source_table(table, read)
            contract = registry.contracts.get(stored)
            if contract is None or not (contract.is_record or stored in nodes):
                msg = f"{node.handler.name} reads {stored}, which nothing writes"
                raise BadRegistry(msg)
            unknown = set(columns_of(read) or ()) - contract.columns.keys()
            if unknown:
                msg = f"{node.handler.name} reads {sorted(unknown)}, not in {stored}"
                raise BrokenContract(msg)
            if isinstance(read, Known) and "knowable_at" not in contract.columns:
                msg = f"{node.handler.name}: known() needs knowable_at in {stored}"
                raise BrokenContract(msg)


def _ordered(nodes: dict[str, Node]) -> list[str]:
    after = {t: set(n.inputs) for t, n in sorted(nodes.items())}
    for node in nodes.values():
        # What is turned away is on the disk before what stays.
        if node.handler.quarantines and node.part == "staged":
            after[node.table].add(node.handler.quarantines)
    sorter = TopologicalSorter(after)
    try:
        return [table for table in sorter.static_order() if table in nodes]
    except CycleError as error:
        msg = f"tables are computed from each other in a circle: {error.args[1]}"
        raise BrokenContract(msg) from None
