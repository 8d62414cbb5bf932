"""One task: slices in, one handler called, one finished partition out.

It judges the output against the contract and compares it with what is stored. It
never commits and never changes a table.
"""

from __future__ import annotations

import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cbi_stream.engine.conservation import Fates, counted
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.slices import Maps, frames_for
from cbi_stream.lake import log
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.change import changes
from cbi_stream.lake.commit import Finished
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap, Recipe
from cbi_stream.lake.table import write_parquet
from cbi_stream.registry.contract import Contract
from cbi_stream.shapes.handler import Conformed
from cbi_stream.words.errors import CbiError, DamagedLake, HandlerFailed
from cbi_stream.words.span import Span, plus_days


@dataclass(frozen=True, slots=True)
class Job:
    """A task with everything pinned: it means the same in any process."""

    table: str
    partition: str
    versions: Mapping[str, int]
    """The version of each input; -1 where the table does not exist yet."""
    stored: Partition | None
    """What the table holds for this partition now."""
    recipe: Recipe
    verify: bool = False
    """Whether to look at the stored bytes though the hash in the log is the same."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one job gave."""

    job: Job
    entry: Partition | None = None
    finished: Finished | None = None
    """The new file; None where the content is what is stored already."""
    changes: tuple[Change, ...] = ()
    error: str | None = None


def run(lake: Lake, graph: Graph, job: Job) -> Outcome:
    """Run one job. A failure of the handler is an outcome, not an exception.

    Raises:
        DamagedLake: an input is not what was written; nothing can be computed.
    """
    # Float sums depend on the number of threads; see cbi_stream/__init__.py.
    assert pl.thread_pool_size() == 1, "import cbi_stream before polars"
    node = graph.node(job.table)
    try:
        made = _made(lake, graph, job)
        span = node.contract.grain.span(job.partition)
        inside = (pl.col("date") >= span.start) & (pl.col("date") < span.end)
        out = canonical(part_of(node, made.output).filter(inside), node.contract)
    except DamagedLake:
        raise
    except CbiError as error:
        return Outcome(job, error=f"{type(error).__name__}: {error}")
    return _compared(lake, node, job, out, made.counts)


@dataclass(frozen=True, slots=True)
class _Made:
    """What a handler returned for a partition, and the counts of its lines."""

    output: pl.DataFrame | Conformed
    counts: Fates
    graph: Graph
    """Held, so that no other graph can take over its identity."""


_shared: OrderedDict[tuple[Any, ...], _Made] = OrderedDict()
"""What was made for a quarantine, until the staging table of the same handler takes it:
both are parts of one return, and the same pinned inputs give the same return."""
_MOST_SHARED = 64


def _made(lake: Lake, graph: Graph, job: Job) -> _Made:
    """Call the handler for a job, or take what it gave for the job's other part.

    Raises:
        DamagedLake: an input is not what was written.
        HandlerFailed: the handler raised.
        BrokenContract: a line is lost.
    """
    node = graph.node(job.table)
    place = (lake.folder, id(graph), node.handler.name, job.partition)
    key = (*place, *sorted(job.versions.items()))
    if node.part == "staged" and key in _shared:
        return _shared.pop(key)
    maps: Maps = {
        name: log.map_at(lake.table(name).folder, version)
        if version >= 0
        else PartitionMap({})
        for name, version in job.versions.items()
    }
    frames = frames_for(lake, node, node.contract.grain.span(job.partition), maps)
    output = returned(node, frames, where=f"partition {job.partition}")
    made = _Made(output, counted(node, output, frames), graph)
    if node.part == "quarantined":
        _shared[key] = made
        if len(_shared) > _MOST_SHARED:
            _shared.popitem(last=False)
    return made


def called(node: Node, frames: Mapping[str, Any], *, where: str) -> pl.DataFrame:
    """Call the handler on frames and return what its table holds.

    Raises:
        HandlerFailed: it raised, or gave no frame with a date.
    """
    return part_of(node, returned(node, frames, where=where))


def part_of(node: Node, made: pl.DataFrame | Conformed) -> pl.DataFrame:
    """Return the frame that stands in the node's table."""
    if isinstance(made, Conformed):
        return made.quarantined if node.part == "quarantined" else made.staged
    return made


def returned(
    node: Node, frames: Mapping[str, Any], *, where: str
) -> pl.DataFrame | Conformed:
    """Call the handler on frames and return all that it gives.

    Raises:
        HandlerFailed: it raised, or gave no frame with a date.
    """
    spec = {"spec": node.spec} if node.spec else {}
    try:
        out = node.handler(**frames, **spec)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        msg = f"{node.handler.name}, {where}: {type(error).__name__}: {error}"
        raise HandlerFailed(msg) from error
    wanted = pl.DataFrame if node.part == "output" else Conformed
    frame = part_of(node, out) if isinstance(out, wanted) else None
    if not isinstance(frame, pl.DataFrame) or "date" not in frame.columns:
        msg = (
            f"{node.handler.name}, {where}: expected a {wanted.__name__} with `date`; "
            f"found {out!r}"
        )
        raise HandlerFailed(msg)
    return out


def _compared(
    lake: Lake, node: Node, job: Job, out: pl.DataFrame, counts: Fates
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
