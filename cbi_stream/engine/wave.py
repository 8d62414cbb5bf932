"""A wave: every table brought up to date with one set of versions, then published.

It fixes one version per record at its start, walks the tables in order, and plans
each from what its inputs really became, so that a wave stops where nothing changed.
Readers see it whole or not at all. It never takes in a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cbi_stream.engine import effects, fingerprint, probe
from cbi_stream.engine.executor import Executor, InProcess
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.plan import Input, Task, plan_table, recipe_of, same_recipe
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.report import TableReport, WaveReport
from cbi_stream.engine.step import Job, Outcome
from cbi_stream.lake import log
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.commit import commit
from cbi_stream.lake.lake import Lake, Seen
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table

Probing = Literal["two processes", "one process", "off"]
_EMPTY = PartitionMap({})


def input_of(table: Table) -> Input:
    """Return a table as a wave sees it."""
    newest, current = table.head()
    return Input(
        version=newest,
        map=current,
        changes_since=lambda old: log.changes_between(table.folder, old, newest),
        extent_at=lambda old: _map(table, old, newest).extent,
        root_at=lambda old: _map(table, old, newest).root if old <= newest else None,
    )


def _map(table: Table, version: int, newest: int) -> PartitionMap:
    known = 0 <= version <= newest
    return log.map_at(table.folder, version) if known else _EMPTY


def run_wave(
    lake: Lake,
    graph: Graph,
    *,
    executor: Executor | None = None,
    asked: bool = False,
    probing: Probing = "two processes",
) -> WaveReport:
    """Bring every derived table up to date, and publish.

    Args:
        lake: the lake.
        graph: its handlers.
        executor: where the jobs run; in this process if not given.
        asked: compute every partition, as a rebuild does.
        probing: how new fingerprints are probed before their first commit.

    Raises:
        CommitConflict: somebody else writes right of raw.
        DamagedLake: stored bytes are not what was written.
    """
    report = WaveReport()
    records = {
        t for n in graph.nodes for t in n.inputs if lake.table(t).contract.is_record
    }
    seen = {name: input_of(lake.table(name)) for name in sorted(records)}
    prints = {node.table: fingerprint.of_node(graph, node) for node in graph.nodes}
    lies = probe.refused(lake, graph, prints, probing) if probing != "off" else {}
    wave = _Wave(lake, graph, prints, lies, executor or InProcess(), asked)
    for node in graph.nodes:
        done = _bring_up_to_date(wave, node, seen, _stale(report))
        report.tables[node.table] = done
        seen[node.table] = input_of(lake.table(node.table))
    # Readers do not wait for the files: an effect that a crash cut off is done by the
    # next wave, since what it has made says from what.
    lake.publish({t: Seen(i.version, i.map.root) for t, i in seen.items()})
    report.written, report.effects = effects.run_all(lake, graph, seen)
    return report


@dataclass(frozen=True, slots=True)
class _Wave:
    """What is the same for all tables of one wave."""

    lake: Lake
    graph: Graph
    prints: Mapping[str, str]
    lies: Mapping[str, str]
    """By table: why its handler may not commit."""
    executor: Executor
    asked: bool


def _bring_up_to_date(
    wave: _Wave,
    node: Node,
    seen: Mapping[str, Input],
    stale: Mapping[str, set[str]],
) -> TableReport:
    lake, print_ = wave.lake, wave.prints[node.table]
    table = lake.table(node.table)
    version, current = table.head()
    inputs = {name: seen[name] for name in node.inputs}
    tasks = plan_table(
        node,
        current,
        inputs,
        fingerprint=print_,
        sessions=lake.registry.sessions,
        asked=wave.asked,
    )
    recipe = recipe_of(print_, inputs)
    ready, waiting = _split(node, tasks, inputs, lake, stale)
    jobs = [
        Job(
            node.table,
            task.partition,
            {name: i.version for name, i in inputs.items()},
            current.partitions.get(task.partition),
            recipe,
            verify=wave.asked,
        )
        for task in ready
    ]
    if node.table in wave.lies:
        outcomes = [Outcome(job, error=wave.lies[node.table]) for job in jobs]
    else:
        outcomes = list(wave.executor.outcomes(lake, wave.graph, jobs))
    report = TableReport(planned=len(jobs), waiting=waiting, version=version)
    report.failed = {o.job.partition: o.error for o in outcomes if o.error}
    report.changed = sum(1 for o in outcomes if o.finished)
    _commit(
        table, version, current, outcomes, recipe, planned={t.partition for t in tasks}
    )
    report.version = table.head()[0]
    return report


def _stale(report: WaveReport) -> dict[str, set[str]]:
    """Return, by table, the partitions that this wave could not bring up to date."""
    return {
        name: {*table.failed, *table.waiting} for name, table in report.tables.items()
    }


def _split(
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


def _commit(
    table: Table,
    version: int,
    current: PartitionMap,
    outcomes: list[Outcome],
    recipe: Recipe,
    *,
    planned: set[str],
) -> None:
    """Commit new content, and the map where it changed; nothing where nothing did."""
    updates: dict[str, Partition] = {}
    for outcome in outcomes:
        name = outcome.job.partition
        if outcome.error is None and outcome.entry is not None:
            updates[name] = outcome.entry
        else:
            updates[name] = _failed(outcome)
    for name, entry in current.partitions.items():
        # Judged unaffected: the same content is now known to fit the new inputs.
        if name not in planned and not same_recipe(entry.recipe, recipe):
            updates[name] = replace(entry, recipe=recipe)
    finished = {o.job.partition: o.finished for o in outcomes if o.finished}
    updates = {
        name: _settled(entry, current.partitions.get(name))
        for name, entry in updates.items()
    }
    if not finished and all(current.partitions.get(n) == e for n, e in updates.items()):
        return
    changes = coalesce(change for o in outcomes for change in o.changes)
    written = PartitionMap({**current.partitions, **updates}, tuple(changes))
    commit(table, finished, expected=version, written=written)


def _settled(entry: Partition, before: Partition | None) -> Partition:
    """Keep the old recipe where only versions differ, so that the map stays equal."""
    if before is not None and same_recipe(entry.recipe, before.recipe):
        return replace(entry, recipe=before.recipe)
    return entry


def _failed(outcome: Outcome) -> Partition:
    """Return the partition's last good content, marked with why it was not renewed."""
    stored = outcome.job.stored
    if stored is None:
        stored = Partition(hash="", rows=0, files=(), recipe=Recipe(""))
    return replace(stored, state="failed", error=outcome.error)
