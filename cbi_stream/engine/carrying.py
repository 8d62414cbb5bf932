"""Which held partitions each partition was computed from: a pure function of maps.

A held partition goes on serving its last good content, so whatever looks at it says so,
and so does what looks at that. It reads no data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cbi_stream.engine.graph import Node, source_table
from cbi_stream.engine.reach import slice_of
from cbi_stream.lake.held import name_of
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap
from cbi_stream.words.span import Span


def held_in(table: str, entries: Mapping[str, Partition]) -> list[str]:
    """Return the held partitions of one table, as table/partition@candidate."""
    return [
        name_of(table, name, candidate=entry.candidate)
        for name, entry in sorted(entries.items())
        if entry.state == "held"
    ]


def behind(tables: Mapping[str, PartitionMap]) -> tuple[str, ...]:
    """Return every held partition that stands in these tables or behind them."""
    found: set[str] = set()
    for table, current in tables.items():
        found.update(held_in(table, current.partitions))
        for entry in current.partitions.values():
            found.update(entry.carried)
    return tuple(sorted(found))


def carried_by(
    lake: Lake, node: Node, maps: Mapping[str, PartitionMap], partitions: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return, by partition of a node's table, the held partitions that it looks at.

    Partitions that look at none are left out.
    """
    sources = {table: _sources(lake, table, maps[table]) for table in node.inputs}
    if not any(sources.values()):
        return {}
    found = {}
    for name in partitions:
        span = node.contract.grain.span(name)
        carried: set[str] = set()
        for table, read in node.reads.items():
            days = slice_of(read, span, lake.registry.sessions)
            for there, names in sources[source_table(table, read)]:
                if there.intersects(days):
                    carried |= names
        if carried:
            found[name] = tuple(sorted(carried))
    return found


def _sources(
    lake: Lake, table: str, current: PartitionMap
) -> list[tuple[Span, set[str]]]:
    """Return the spans of a table that are held or carry, and what of."""
    grain = lake.table(table).contract.grain
    found = []
    for name, entry in current.partitions.items():
        names = set(entry.carried)
        if entry.state == "held":
            names.add(name_of(table, name, candidate=entry.candidate))
        if names:
            found.append((grain.span(name), names))
    return found
