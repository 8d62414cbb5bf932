"""Calls handlers: on slices at pinned versions, or on frames that are handed in.

It holds what comes back against the handler's own words. It never judges content
against a contract, and writes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cbi_stream.engine.conservation import Fates, counted
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.slices import Maps, frames_for
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.shapes.handler import Conformed
from cbi_stream.words.errors import HandlerFailed


@dataclass(frozen=True, slots=True)
class Made:
    """What a handler returned for a partition, and the counts of its lines."""

    output: pl.DataFrame | Conformed
    counts: Fates
    graph: Graph
    """Held, so that no other graph can take over its identity."""


_shared: OrderedDict[tuple[Any, ...], Made] = OrderedDict()
"""What was made for a quarantine, until the staging table of the same handler takes it:
both are parts of one return, and the same pinned inputs give the same return."""
_MOST_SHARED = 64

_LONGEST = 600
"""Characters of an error that are told."""


def made(
    lake: Lake,
    graph: Graph,
    *,
    table: str,
    partition: str,
    versions: Mapping[str, int],
) -> Made:
    """Call a handler for a partition, or take what it gave for its other table.

    Args:
        lake: the lake.
        graph: its handlers.
        table: the table that the handler writes.
        partition: its partition.
        versions: the version of each input; -1 where the table does not exist yet.

    Raises:
        DamagedLake: an input is not what was written.
        HandlerFailed: the handler raised.
        BrokenContract: a line is lost.
    """
    node = graph.node(table)
    place = (lake.folder, id(graph), node.handler.name, partition)
    key = (*place, *sorted(versions.items()))
    if node.part == "staged" and key in _shared:
        return _shared.pop(key)
    maps: Maps = {
        name: log.map_at(lake.table(name).folder, version)
        if version >= 0
        else PartitionMap({})
        for name, version in versions.items()
    }
    span = node.contract.grain.span(partition)
    frames = frames_for(lake, node, span, maps)
    output = returned(node, frames, where=f"partition {partition}")
    found = Made(output, counted(node, output, frames, within=span), graph)
    if node.part == "quarantined":
        _shared[key] = found
        if len(_shared) > _MOST_SHARED:
            _shared.popitem(last=False)
    return found


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
        # polars names every column of a frame: hundreds, when one was not found.
        why = str(error)
        why = why if len(why) <= _LONGEST else f"{why[:_LONGEST]} ..."
        msg = f"{node.handler.name}, {where}: {type(error).__name__}: {why}"
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
