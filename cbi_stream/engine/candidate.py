"""What is judged of one candidate partition, and what it is when a check holds it back.

It sees the candidate, its inputs at their pinned versions and the registry. It never
commits, and never compares a candidate with stored cells.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl

from cbi_stream.engine.conservation import Fates
from cbi_stream.engine.gating import EMPTIED
from cbi_stream.engine.graph import Graph, Node, source_table
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.judging import judged
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import held, log
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe
from cbi_stream.lake.verdicts import Verdict, because, blocking
from cbi_stream.shapes.gate import Subject
from cbi_stream.shapes.reads import Grid
from cbi_stream.words.span import Span

NOTHING = Partition(hash="", rows=0, files=(), recipe=Recipe(""))
"""What is served of a partition of which nothing was ever good."""


def verdicts_of(
    lake: Lake, graph: Graph, job: Job, *, rows: pl.DataFrame, fates: Fates
) -> list[Verdict]:
    """Return what every gate of its table says of a candidate, and what is built in."""
    node = graph.node(job.table)
    checks = graph.checks.get(job.table, ())
    if not checks and rows.height:
        return []
    shows = f"cbi gates show {job.table} {job.partition}"
    hash_ = digest(rows)
    found = judged(
        checks,
        rows,
        _subject(lake, node, job, fates=fates),
        candidate=hash_,
        permits=job.permits,
        shows=shows,
    )
    # Once it is let through nothing is served that would be lost: nothing is left to say.
    is_let = f"{EMPTIED}@{hash_}" in job.permits
    is_lost = not rows.height and job.good_rows and not is_let
    if is_lost and (why := _unexplained(lake, node, job, fates=fates)):
        expected = "rows, or a reason why there are none"
        found.append(Verdict(EMPTIED, "critical", "failed", expected, why, shows=shows))
    return found


def held_back(
    lake: Lake,
    job: Job,
    *,
    rows: pl.DataFrame,
    fates: Fates,
    verdicts: list[Verdict],
) -> Outcome:
    """Return the outcome of a candidate that a check holds back.

    The last good content stays as it is, with what was tried beside it.
    """
    entry = replace(
        with_verdicts(job.stored or NOTHING, job, verdicts),
        state="held",
        error=because(verdicts),
        attempts=0,
        tried=job.recipe,
        candidate=digest(rows),
        held_fates=fates,
    )
    return Outcome(job, entry, held=held.write_candidate(lake, rows))


def judged_again(lake: Lake, graph: Graph, job: Job) -> Outcome:
    """Judge stored content, without computing it.

    Raises:
        DamagedLake: it is not what was written.
    """
    stored = job.stored
    assert stored is not None, "only what is stored is judged again"
    table = lake.table(job.table)
    rows = canonical(table.read([stored]), table.contract)
    verdicts = verdicts_of(lake, graph, job, rows=rows, fates=stored.fates)
    if blocking(verdicts):
        outcome = held_back(lake, job, rows=rows, fates=stored.fates, verdicts=verdicts)
        assert outcome.entry is not None
        return replace(outcome, entry=replace(outcome.entry, tried=stored.recipe))
    return Outcome(job, with_verdicts(stored, job, verdicts))


def with_verdicts(entry: Partition, job: Job, verdicts: list[Verdict]) -> Partition:
    """Return an entry that says how its candidate was judged."""
    return replace(
        entry,
        judged_by=job.judged_by,
        permits=job.permits,
        verdicts=tuple(v for v in verdicts if v.status != "passed"),
    )


def _subject(lake: Lake, node: Node, job: Job, *, fates: Fates) -> Subject:
    span = node.contract.grain.span(job.partition)
    maps = _spines(lake, node, job).values()
    ends = [current.extent.end for current in maps if current.extent]
    until = Span(span.start, max(ends)) if ends else None
    return Subject(
        table=job.table,
        partition=job.partition,
        span=span,
        key=node.contract.key,
        sessions=_sessions(lake, span, until),
        fates=fates,
        counts_lines=node.part == "staged",
        spec=lake.registry,
    )


def _sessions(lake: Lake, span: Span, within: Span | None) -> tuple[date, ...]:
    """Return the sessions of a partition inside another span and the calendar."""
    calendar = lake.registry.sessions
    for each in (within, calendar.covers):
        if each is None or each.empty or not each.intersects(span):
            return ()
        span = span.clip(each)
    return tuple(calendar.between(span))


def _spines(lake: Lake, node: Node, job: Job) -> dict[str, PartitionMap]:
    found = {}
    for table, read in node.spines.items():
        stored = source_table(table, read)
        version = job.versions.get(stored, -1)
        if version >= 0:
            found[stored] = log.map_at(lake.table(stored).folder, version)
    return found


def _unexplained(lake: Lake, node: Node, job: Job, *, fates: Fates) -> str:
    """Return why a partition should not have become empty; empty where it may be."""
    if node.part != "output":
        # Every line has a fate, or the handler would have been refused.
        staged = sum(counts.get("staged", 0) for counts in fates.values())
        is_lost = node.part == "staged" and staged
        return f"no row, though {staged} lines are staged" if is_lost else ""
    span = node.contract.grain.span(job.partition)
    for table, read in node.spines.items():
        stored = source_table(table, read)
        current = _spines(lake, node, job).get(stored)
        if current is None or lake.table(stored).contract.is_record:
            continue  # nothing counts the lines of a handler that turns none away
        if isinstance(read, Grid):
            count = len(_sessions(lake, span, current.extent))
        else:
            count = rows_between(lake, stored, span, current).height
        if count:
            return f"no row, though {stored} has {count} there"
    return ""
