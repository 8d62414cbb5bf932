"""Whether two lakes hold back the same: the states, candidates and verdicts of their maps.

It compares what is said of partitions and effects, never the cells that they serve.
"""

from __future__ import annotations

from collections.abc import Iterator

from cbi_stream.engine.gating import place_of
from cbi_stream.engine.graph import Graph
from cbi_stream.lake import held
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.words.errors import DamagedLake


def unlike(entry: Partition | None, other: Partition | None) -> str:
    """Return how a partition of the lake and its rebuild stand apart; empty if not.

    Failing alike on both sides is no proof of anything: it is said, not passed over.
    """
    sides = ((entry, "in the lake"), (other, "in a rebuild"))
    for each, where in sides:
        if each is not None and each.state == "failed":
            return f"the partition is failed {where}: {each.error}"
    here, there = (e is not None and e.state == "held" for e in (entry, other))
    if here != there:
        by = next(e for e in (entry, other) if e is not None and e.state == "held")
        where = "the lake, not in a rebuild" if here else "a rebuild, not in the lake"
        return f"it is held in {where}: {by.error}"
    said = {
        "candidate": "the held candidate is not the one that a rebuild gives",
        "verdicts": "the verdicts are not those of a rebuild",
        "carried": "it does not say from which held content it was computed",
    }
    if entry is None or other is None:
        return ""
    apart = (n for n in said if getattr(entry, n) != getattr(other, n))
    return said.get(next(apart, ""), "")


def damaged_candidates(lake: Lake, table: str) -> Iterator[tuple[str, str]]:
    """Yield each held partition whose candidate is not what was judged, and why."""
    for name, entry in lake.table(table).head()[1].partitions.items():
        if entry.state != "held":
            continue
        try:
            held.rows_of(lake, table, partition=name, candidate=entry.candidate)
        except DamagedLake as error:
            yield name, str(error)


def held_effects(
    lake: Lake, rebuilt: Lake, graph: Graph
) -> tuple[list[str], list[str]]:
    """Return the effects that both hold back alike, and those that only one does."""
    alike, apart = [], []
    for effect in graph.effects:
        place = place_of(effect)
        here, there = (held.of_effect(each, place) for each in (lake, rebuilt))
        if here is not None and here == there:
            alike.append(effect.name)
        elif here != there:
            apart.append(place)
    return alike, apart
