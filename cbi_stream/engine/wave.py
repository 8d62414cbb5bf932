"""A wave: every table brought up to date with one set of versions, then published.

It fixes one version per record at its start, walks the tables in order, and plans
each from what its inputs really became, so that a wave stops where nothing changed.
Readers see it whole or not at all. It never takes in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from cbi_stream.engine import effects, fingerprint, probe
from cbi_stream.engine.executor import Executor, InProcess
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.plan import Input, plan_table, recipe_of, same_recipe
from cbi_stream.engine.ready import marked, set_aside, split, stale
from cbi_stream.engine.report import TableReport, WaveReport
from cbi_stream.engine.step import Job, Outcome
from cbi_stream.lake import log
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.commit import commit
from cbi_stream.lake.lake import Lake, Seen
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table
from cbi_stream.words.errors import DamagedLake

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
    again: bool = False,
    probing: Probing = "two processes",
    due: Callable[[str, str], bool] = lambda _table, _partition: True,
    stopping: Callable[[], bool] = lambda: False,
) -> WaveReport:
    """Bring every derived table up to date, and publish.

    A table that is damaged is passed over with all that reads it; the others go on.

    Args:
        lake: the lake.
        graph: its handlers.
        executor: where the jobs run; in this process if not given.
        asked: compute every partition, as a rebuild does.
        again: try partitions that were set aside once more.
        probing: how new fingerprints are probed before their first commit.
        due: whether a partition that failed may be tried again now.
        stopping: whether to end after the job and the commit at hand.

    Raises:
        CommitConflict: somebody else writes right of raw.
        DamagedLake: what readers see cannot be read.
    """
    report = WaveReport()
    prints = {node.table: fingerprint.of_node(graph, node) for node in graph.nodes}
    lies = probe.refused(lake, graph, prints, probing) if probing != "off" else {}
    wave = _Wave(
        lake, graph, prints, lies, executor or InProcess(), asked, again, due, stopping
    )
    seen: dict[str, Input] = {}
    for name in _records(lake, graph):
        _look(report, seen, lake.table(name), refused=lake.refused)
    for node in graph.nodes:
        if stopping():
            report.stopped = True
            return report
        _one_table(wave, node, seen, report)
    # Readers do not wait for the files: an effect that a crash cut off is done by the
    # next wave, since what it has made says from what.
    fresh = {t: Seen(i.version, i.map.root) for t, i in seen.items()}
    lake.publish({**lake.published(), **fresh})
    report.written, report.effects = effects.run_all(lake, graph, seen)
    return report


def _records(lake: Lake, graph: Graph) -> list[str]:
    named = {name for node in graph.nodes for name in node.inputs}
    return sorted(name for name in named if lake.table(name).contract.is_record)


def _look(
    report: WaveReport,
    seen: dict[str, Input],
    table: Table,
    *,
    refused: Mapping[str, str],
) -> None:
    """Take a table as it is now for the rest of the wave, if it can be read."""
    name = table.contract.table
    seen.pop(name, None)
    try:
        if name in refused:
            raise DamagedLake(refused[name])
        seen[name] = input_of(table)
    except DamagedLake as error:
        report.tables[name] = TableReport(damaged=str(error))


def _one_table(
    wave: _Wave, node: Node, seen: dict[str, Input], report: WaveReport
) -> None:
    """Bring one table up to date, unless it, or what it reads, is damaged."""
    missing = [name for name in node.inputs if name not in seen]
    # A rebuild that was asked for mends what can be mended.
    if node.table in wave.lake.refused and not wave.asked:
        why = wave.lake.refused[node.table]
        report.tables[node.table] = TableReport(damaged=why)
        return
    if missing:
        why = f"it waits: {', '.join(missing)} is damaged"
        report.tables[node.table] = TableReport(damaged=why)
        return
    try:
        done = _bring_up_to_date(wave, node, seen, stale(report))
    except DamagedLake as error:
        report.tables[node.table] = TableReport(damaged=str(error))
        return
    report.tables[node.table] = done
    _look(report, seen, wave.lake.table(node.table), refused={})


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
    again: bool
    due: Callable[[str, str], bool]
    stopping: Callable[[], bool]


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
    aside = {}
    if not (wave.asked or wave.again):
        aside = set_aside(current, tasks, due=wave.due)
    wanted = [task for task in tasks if task.partition not in aside]
    ready, waiting = split(node, wanted, inputs, lake, stale)
    jobs = [
        Job(
            node.table,
            task.partition,
            {name: i.version for name, i in inputs.items()},
            current.partitions.get(task.partition),
            recipe,
            verify=wave.asked,
            again=task.again,
        )
        for task in ready
    ]
    outcomes = _run(wave, node, jobs)
    report = TableReport(planned=len(jobs), waiting=waiting, version=version)
    report.set_aside = aside
    report.failed = {o.job.partition: o.error for o in outcomes if o.error}
    report.changed = sum(1 for o in outcomes if o.finished)
    _commit(
        table, version, current, outcomes, recipe, planned={t.partition for t in tasks}
    )
    report.version = table.head()[0]
    return report


def _run(wave: _Wave, node: Node, jobs: list[Job]) -> list[Outcome]:
    if node.table in wave.lies:
        return [Outcome(job, error=wave.lies[node.table]) for job in jobs]
    outcomes: list[Outcome] = []
    for outcome in wave.executor.outcomes(wave.lake, wave.graph, jobs):
        outcomes.append(outcome)
        if wave.stopping():
            break  # what is finished is committed, the rest is planned again
    return outcomes


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
            updates[name] = marked(outcome)
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
