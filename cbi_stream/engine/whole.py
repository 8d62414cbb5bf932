"""Judges what an effect is about to publish: its tables, its files, all of them at once.

It publishes nothing and takes nothing away. A finding that holds an effect back can be let
through by its token, the hash of what was expected and found: files change every day, and
a decision about one day's bytes would be forgotten the next morning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from cbi_stream.engine.carrying import behind
from cbi_stream.engine.gating import place_of
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.judging import Given, judged
from cbi_stream.engine.plan import Input
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.permits import Permits
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.shapes.effect import Effect
from cbi_stream.shapes.gate import Subject


def carried_by(effect: Effect, seen: Mapping[str, Input]) -> tuple[str, ...]:
    """Return the held partitions that stand behind the tables of an effect."""
    return behind({table: seen[table].map for table in effect.after})


def permits_of(effect: Effect, permits: Permits) -> tuple[str, ...]:
    """Return the decisions that stand for an effect."""
    return permits.get((place_of(effect), ""), ())


def verdicts_of(
    lake: Lake,
    graph: Graph,
    effect: Effect,
    *,
    tables: Mapping[str, pl.DataFrame],
    files: Mapping[str, pl.DataFrame],
    seen: Mapping[str, Input],
    permits: Iterable[str],
) -> list[Verdict]:
    """Return what every whole gate says of what an effect reads and made.

    Args:
        lake: the lake.
        graph: its handlers and gates.
        effect: the effect.
        tables: the rows of the tables that it reads, by name.
        files: the frames that it made, by file.
        seen: the tables as this wave sees them.
        permits: the decisions that stand for it.
    """
    place = place_of(effect)
    extents = [e for t in effect.after if (e := seen[t].map.extent)]
    calendar = lake.registry.sessions
    span = extents[0] if extents else None
    for other in extents[1:]:
        span = span and span.hull(other)
    subject = Subject(
        table=place,
        span=span,
        sessions=tuple(calendar.between(span.clip(calendar.covers))) if span else (),
        fates=_fates(lake, graph),
        carried=carried_by(effect, seen),
        files=Given(files),
        spec=lake.registry,
    )
    return judged(
        graph.checks.get(place, ()),
        Given(tables),
        subject,
        candidate="",
        permits=permits,
        shows=f"cbi gates --table {place} --failed",
    )


def _fates(lake: Lake, graph: Graph) -> dict[str, dict[str, int]]:
    """Return, by raw table, how many lines met which fate, in all staging tables."""
    found: dict[str, dict[str, int]] = {}
    for node in graph.nodes:
        if node.part != "staged":
            continue
        for entry in lake.table(node.table).head()[1].partitions.values():
            for raw, counts in entry.fates.items():
                sums = found.setdefault(raw, {})
                for fate, n in counts.items():
                    sums[fate] = sums.get(fate, 0) + n
    return found


def plain(verdicts: Iterable[Verdict]) -> list[dict[str, Any]]:
    """Return verdicts as a manifest carries them."""
    return [verdict.to_plain() for verdict in verdicts]
