"""A wave: every table brought up to date with one set of versions, then published.

It fixes one version per record at its start, walks the tables in order, and plans
each from what its inputs really became, so that a wave stops where nothing changed.
Readers see it whole or not at all. It never takes in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cbi_stream.engine import effects, fingerprint, probe
from cbi_stream.engine.executor import Executor, InProcess
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.holding import Judge
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.plan import Input, Task, plan_table, recipe_of
from cbi_stream.engine.ready import set_aside, split, stale
from cbi_stream.engine.recording import record
from cbi_stream.engine.report import TableReport, WaveReport
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake, Seen
from cbi_stream.lake.partition_map import PartitionMap, Recipe
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
    runs, judge = executor or InProcess(), Judge.of(lake, graph)
    wave = _Wave(lake, graph, prints, lies, runs, judge, asked, again, due, stopping)
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
    if judge.permits is not None:  # else nobody knows what was let through
        report.take(effects.run_all(lake, graph, seen, permits=judge.permits))
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
    judge: Judge
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
        besides=wave.judge.again(node.table, current),
    )
    recipe = recipe_of(print_, inputs)
    aside = {}
    if not (wave.asked or wave.again):
        aside = set_aside(current, tasks, due=wave.due)
    wanted = [task for task in tasks if task.partition not in aside]
    ready, waiting = split(node, wanted, inputs, lake, stale)
    pinned = {name: i.version for name, i in inputs.items()}
    jobs = [_job(wave, task, current, pinned=pinned, recipe=recipe) for task in ready]
    outcomes = _run(wave, node, jobs)
    report = TableReport(planned=len(jobs), waiting=waiting, version=version)
    report.set_aside = aside
    report.failed = {o.job.partition: o.error for o in outcomes if o.error}
    report.changed = sum(1 for o in outcomes if o.finished)
    written = record(
        lake,
        node,
        inputs,
        outcomes=outcomes,
        recipe=recipe,
        planned={t.partition for t in tasks},
    )
    report.held = {
        name: entry.error or ""
        for name, entry in written.partitions.items()
        if entry.state == "held"
    }
    report.version = table.head()[0]
    return report


def _job(
    wave: _Wave,
    task: Task,
    current: PartitionMap,
    *,
    pinned: Mapping[str, int],
    recipe: Recipe,
) -> Job:
    judge, place = wave.judge, (task.table, task.partition)
    stored = current.partitions.get(task.partition)
    return Job(
        *place,
        pinned,
        stored,
        recipe,
        verify=wave.asked,
        again=task.again,
        computes=task.computes,
        judged_by=judge.print_of(task.table),
        permits=judge.permits_of(*place, stored),
        good_rows=judge.good_rows(*place, stored),
    )


def _run(wave: _Wave, node: Node, jobs: list[Job]) -> list[Outcome]:
    if node.table in wave.lies:
        return [Outcome(job, error=wave.lies[node.table]) for job in jobs]
    outcomes: list[Outcome] = []
    for outcome in wave.executor.outcomes(wave.lake, wave.graph, jobs):
        outcomes.append(wave.judge.serving(node.table, outcome))
        if wave.stopping():
            break  # what is finished is committed, the rest is planned again
    return outcomes
