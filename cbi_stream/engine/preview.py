"""What a wave would compute, without computing it: an upper bound, table by table.

Every planned partition is taken to change on all dates that are reached; a wave stops
earlier where content stays the same. It reads maps only.
"""

from __future__ import annotations

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.holding import Judge
from cbi_stream.engine.plan import Input, Task, pending_after, plan_table
from cbi_stream.engine.wave import input_of
from cbi_stream.lake.lake import Lake


def preview(lake: Lake, graph: Graph, *, asked: bool = False) -> list[Task]:
    """Return the tasks of all tables, in the order in which they would run."""
    judge = Judge.of(lake, graph)
    seen: dict[str, Input] = {}
    tasks: list[Task] = []
    for node in graph.nodes:
        for name in node.inputs:
            seen.setdefault(name, input_of(lake.table(name)))
        here = input_of(lake.table(node.table))
        found = plan_table(
            node,
            here.map,
            {name: seen[name] for name in node.inputs},
            fingerprint=fingerprint.of_node(graph, node),
            sessions=lake.registry.sessions,
            asked=asked,
            besides=judge.again(node.table, here.map),
        )
        seen[node.table] = pending_after(found, here)
        tasks += found
    return tasks
