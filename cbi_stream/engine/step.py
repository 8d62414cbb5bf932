"""One task: slices in, one handler called, one finished partition out.

It judges the output against the contract and the gates, and compares it with what is
stored. It never commits and never changes a table.
"""

from __future__ import annotations

import uuid

import polars as pl

from cbi_stream.engine import calling
from cbi_stream.engine.candidate import (
    held_back,
    judged_again,
    verdicts_of,
    with_verdicts,
)
from cbi_stream.engine.conservation import Fates
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.change import changes
from cbi_stream.lake.commit import Finished
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.lake.table import write_parquet
from cbi_stream.lake.verdicts import Verdict, blocking
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import CbiError, DamagedLake
from cbi_stream.words.span import Span, plus_days


def run(lake: Lake, graph: Graph, job: Job) -> Outcome:
    """Run one job. A failure of the handler is an outcome, not an exception.

    Raises:
        DamagedLake: an input is not what was written; nothing can be computed.
    """
    # Float sums depend on the number of threads; see cbi_stream/__init__.py.
    assert pl.thread_pool_size() == 1, "import cbi_stream before polars"
    node = graph.node(job.table)
    if not job.computes:
        return judged_again(lake, graph, job)
    try:
        made = calling.made(
            lake, graph, table=job.table, partition=job.partition, versions=job.versions
        )
        span = node.contract.grain.span(job.partition)
        inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        out = canonical(
            calling.part_of(node, made.output).filter(inside), node.contract
        )
    except DamagedLake:
        raise
    except CbiError as error:
        return Outcome(job, error=f"{type(error).__name__}: {error}")
    verdicts = verdicts_of(lake, graph, job, rows=out, fates=made.counts)
    if blocking(verdicts):
        return held_back(lake, job, rows=out, fates=made.counts, verdicts=verdicts)
    return _compared(lake, node, job, out=out, counts=made.counts, verdicts=verdicts)


def _compared(
    lake: Lake,
    node: Node,
    job: Job,
    *,
    out: pl.DataFrame,
    counts: Fates,
    verdicts: list[Verdict],
) -> Outcome:
    new = digest(out)
    entry = Partition(
        hash=new,
        rows=out.height,
        files=job.stored.files if job.stored else (),
        recipe=job.recipe,
        extent=extent_of(out, node.contract),
        fates=counts,
    )
    entry = with_verdicts(entry, job, verdicts)
    table = lake.table(job.table)
    stored = job.stored
    if stored is not None and (job.verify or stored.hash != new):
        # What a damaged file held is lost, and this partition replaces it: every row
        # counts as changed.
        stored = stored if table.intact(stored) else None
    if stored is not None and stored.hash == new:
        return Outcome(job, entry)
    old = table.read([stored] if stored else [])
    found = changes(old, out, node.contract, zone=lake.registry.sessions_file.zone)
    if not out.height and (job.stored is None or not job.stored.rows):
        return Outcome(job, entry)
    path = lake.work / f"{uuid.uuid4().hex}.parquet"
    finished = Finished(path, write_parquet(out, path), entry)
    return Outcome(job, entry, finished, tuple(found))


def extent_of(frame: pl.DataFrame, contract: Contract) -> Span | None:
    """Return first to last date of the rows that set the table's extent."""
    for column, value in contract.spine.items():
        frame = frame.filter(pl.col(column) == value)
    if contract.spine_requires:
        frame = frame.filter(pl.col(contract.spine_requires).is_not_null())
    if not frame.height:
        return None
    dates = frame["date"]
    return Span(dates.min(), plus_days(dates.max(), 1))  # type: ignore[arg-type]
