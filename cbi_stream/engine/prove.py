"""The proof: rebuild every derived table beside the lake, and compare.

The rebuild starts from the same records and an empty folder, and goes the same road
as every day. It looks at the bytes that are stored, not at what the log says of them,
and it never changes the lake.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine import (
    carrying,
    difference,
    fingerprint,
    probe,
    slices,
    standing,
)
from cbi_stream.engine.calling import called
from cbi_stream.engine.difference import Difference
from cbi_stream.engine.executor import Executor
from cbi_stream.engine.gating import place_of
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.origins import damaged_archive, damaged_records
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import held
from cbi_stream.lake.canonical import canonical
from cbi_stream.lake.change import first_cell
from cbi_stream.lake.lake import Lake
from cbi_stream.words.span import Span


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a proof found; `identical` speaks of everything derived."""

    identical: bool
    roots: dict[str, str]
    versions: dict[str, int]
    carried: list[str]
    """Held partitions, as table/partition@candidate: what the lake serves of them was
    taken from it as it is. `effects.<name>`: its files are those of an earlier day."""
    environment: dict[str, str]
    seconds: float
    first_difference: Difference | None
    differences: list[Difference]
    """The first difference of each partition that differs."""
    deep: dict[str, str] = field(default_factory=dict)
    """With `--deep`: per handler, identical, different or why it was left out."""

    def to_plain(self) -> dict[str, Any]:
        """Return the certificate as plain values, for JSON."""
        return asdict(self)


def prove(
    lake: Lake, graph: Graph, *, deep: bool = False, executor: Executor | None = None
) -> Certificate:
    """Compare the lake with a full rebuild from its records.

    Args:
        lake: the lake; it is only read.
        graph: its handlers.
        deep: besides, run each window-pure handler once over all history and compare.
        executor: where the rebuild's jobs run.
    """
    start = time.perf_counter()
    found = list(damaged_records(lake, graph, _records(graph)))
    found = found or list(damaged_archive(lake, _records(graph)))
    checked: dict[str, str] = {}
    # Beside the lake, on its own volume: a rebuild needs the space that the lake has.
    with tempfile.TemporaryDirectory(prefix=".proof-", dir=lake.folder) as folder:
        rebuilt = lake.shadow(Path(folder))
        if not found:
            run_wave(rebuilt, graph, executor=executor, probing="off")
            found += _compared(lake, rebuilt, graph)
        if deep and not found:
            for node in graph.nodes:
                checked[node.table], differs = _one_pass(lake, graph, rebuilt, node)
                found += differs
    heads = {
        t: lake.table(t).head()
        for t in (*_records(graph), *(node.table for node in graph.nodes))
    }
    derived = {node.table: heads[node.table][1].partitions for node in graph.nodes}
    carried = [name for t, e in derived.items() for name in carrying.held_in(t, e)]
    carried += [p for e in graph.effects if held.of_effect(lake, p := place_of(e))]
    return Certificate(
        identical=not found,
        roots={t: current.root for t, (_, current) in heads.items()},
        versions={t: version for t, (version, _) in heads.items()},
        carried=carried,
        environment=fingerprint.environment(),
        seconds=round(time.perf_counter() - start, 3),
        first_difference=found[0] if found else None,
        differences=found,
        deep=checked,
    )


def _compared(lake: Lake, rebuilt: Lake, graph: Graph) -> list[Difference]:
    """Return where the tables, what is held of them, and the files differ."""
    found: list[Difference] = []
    for node in graph.nodes:
        name = node.table
        found += difference.of_tables(lake.table(name), rebuilt.table(name))
        found += [
            Difference(name, partition, because=why)
            for partition, why in standing.damaged_candidates(lake, name)
        ]
    alike, apart = standing.held_effects(lake, rebuilt, graph)
    because = "it is held with other verdicts than in a rebuild, or on one side only"
    found += [Difference(place, because=because) for place in apart]
    return [*found, *difference.of_exports(lake, rebuilt, alike)]


def _records(graph: Graph) -> list[str]:
    derived = {node.table for node in graph.nodes}
    return sorted({t for node in graph.nodes for t in node.inputs} - derived)


def _one_pass(
    lake: Lake, graph: Graph, rebuilt: Lake, node: Node
) -> tuple[str, list[Difference]]:
    """Run a window-pure handler once over all history and compare each partition."""
    print_ = fingerprint.of_node(graph, node)
    if not probe.verdict_of(lake, graph, node, print_).window_pure:
        return "left out: not window-pure", []
    table = rebuilt.table(node.table)
    _, current = table.head()
    # What is served of a held partition is an input, not what the handler gives.
    computed = {n: p for n, p in current.partitions.items() if p.state != "held"}
    names = sorted(n for n, p in computed.items() if p.rows)
    if not names:
        return "left out: empty", []
    grain = node.contract.grain
    span = Span(grain.span(names[0]).start, grain.span(names[-1]).end)
    maps = {t: rebuilt.table(t).head()[1] for t in node.inputs}
    whole = called(node, slices.frames_for(rebuilt, node, span, maps), where="one pass")
    inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
    for name in current.partitions.keys() - computed.keys():
        away = grain.span(name)
        inside &= (pl.col("date") < away.start) | (pl.col("date") >= away.end)
    cell = first_cell(
        canonical(table.read(computed.values()), node.contract),
        canonical(whole.filter(inside), node.contract),
        node.contract,
    )
    if cell is None:
        return "identical", []
    because = "one pass over all history gives another value"
    partition = grain.partition_of(cell.date)
    return "different", [difference.at_cell(node.table, partition, cell, because)]
