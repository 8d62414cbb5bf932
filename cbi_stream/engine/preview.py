"""What a wave would compute, without computing it: an upper bound, table by table.

Every planned partition is taken to change on all dates that are reached; a wave stops
earlier where content stays the same. It reads maps only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.holding import Judge
from cbi_stream.engine.plan import Input, Task, pending_after, plan_table
from cbi_stream.engine.wave import input_of
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Change

Known = Mapping[str, Mapping[str, Sequence[Change]]]
"""By table and partition what would change there, where somebody has computed it."""


def preview(
    lake: Lake,
    graph: Graph,
    *,
    asked: bool = False,
    known: Known | None = None,
    pending: Mapping[str, Sequence[Change]] | None = None,
) -> list[Task]:
    """Return the tasks of all tables, in the order in which they would run.

    Args:
        lake: the lake.
        graph: its handlers.
        asked: plan every partition, as a rebuild does.
        known: for these tables not the plan counts but what would change in them.
        pending: by record what would be appended to it besides.
    """
    judge = Judge.of(lake, graph)
    seen: dict[str, Input] = {}
    tasks: list[Task] = []
    for node in graph.nodes:
        for name in node.inputs:
            if name not in seen:
                extra = tuple((pending or {}).get(name, ()))
                seen[name] = replace(input_of(lake.table(name)), pending=extra)
        here = input_of(lake.table(node.table))
        if known is not None and node.table in known:
            found = _computed(node, known[node.table])
            moved = [c for each in known[node.table].values() for c in each]
            seen[node.table] = replace(here, pending=(*here.pending, *moved))
        else:
            inputs = {name: seen[name] for name in node.inputs}
            found = plan_table(
                node,
                here.map,
                inputs,
                fingerprint=fingerprint.of_node(graph, node),
                sessions=lake.registry.sessions,
                asked=asked,
                besides=judge.again(node.table, here.map),
            )
            seen[node.table] = pending_after(found, here)
        tasks += found
    return tasks


def _computed(node: Node, found: Mapping[str, Sequence[Change]]) -> list[Task]:
    """Return the partitions that would change, each with its dates."""
    return [
        Task(node.table, partition, ("other rules",), tuple(c.span for c in there))
        for partition, there in sorted(found.items())
        if there
    ]
