"""Which planned partitions may be computed now, and which wait for others or for time.

It reads what a wave knows so far and decides nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from cbi_stream.engine.candidate import NOTHING
from cbi_stream.engine.graph import Node
from cbi_stream.engine.job import Outcome
from cbi_stream.engine.plan import Input, Task
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.report import WaveReport
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap

MOST_ATTEMPTS = 5
"""How often one recipe may fail before its partition is set aside."""


def stale(report: WaveReport) -> dict[str, set[str]]:
    """Return, by table, the partitions that this wave could not bring up to date."""
    return {
        name: {*table.failed, *table.waiting, *table.set_aside}
        for name, table in report.tables.items()
    }


def set_aside(
    current: PartitionMap,
    tasks: list[Task],
    *,
    due: Callable[[str, str], bool],
) -> dict[str, str]:
    """Return the partitions not to try now, with why they failed.

    One that failed often waits for input that reaches it, for new code or a word of a
    person; one that failed just now waits until it is due.
    """
    found = {}
    for task in tasks:
        entry = current.partitions.get(task.partition)
        if entry is None or entry.state != "failed":
            continue
        often = entry.attempts >= MOST_ATTEMPTS
        if task.again and (often or not due(task.table, task.partition)):
            found[task.partition] = entry.error or "it failed"
    return found


def split(
    node: Node,
    tasks: list[Task],
    inputs: Mapping[str, Input],
    lake: Lake,
    stale: Mapping[str, set[str]],
) -> tuple[list[Task], list[str]]:
    """Separate the tasks whose inputs are there from those that must wait.

    A partition whose parent failed is not computed from the parent's old content: it
    waits, and so do those that read it; all others go on.
    """
    ready: list[Task] = []
    waiting: list[Task] = []
    for task in tasks:
        span = node.contract.grain.span(task.partition)
        blocked = False
        for name, read in node.reads.items():
            if name not in inputs:
                continue
            grain = lake.table(name).contract.grain
            days = slice_of(read, span, lake.registry.sessions)
            blocked |= any(
                grain.span(partition).intersects(days)
                for partition in stale.get(name, ())
            )
        (waiting if blocked else ready).append(task)
    return ready, [task.partition for task in waiting]


def marked(outcome: Outcome) -> Partition:
    """Return the partition's last good content, marked with why it was not renewed."""
    stored, recipe = outcome.job.stored or NOTHING, outcome.job.recipe
    return replace(
        stored,
        state="failed",
        error=outcome.error,
        attempts=stored.attempts + 1 if outcome.job.again else 1,
        tried=recipe,
        candidate="",
        verdicts=(),
    )
