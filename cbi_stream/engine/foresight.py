"""Finds cells that know more than their evening did: the lake cut at a time, compared.

What the probe cannot see is seen here: a value that came later and stands under an old
date, whoever let it in, handler, join or release rule. It computes in memory, with the
same handlers, and never writes.

    the world's evening T   rows up to T, from what was knowable by T, equal the whole's
    the lake's evening T    rows up to T, from the files seen by T, equal the whole's;
                            only for a lake whose files came as they were published
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Literal

import polars as pl

from cbi_stream.engine.asof import View
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.slices import decision_time
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import LooksAhead
from cbi_stream.words.span import Span, plus_days

Whose = Literal["world", "lake"]
_END = datetime(9999, 1, 1, tzinfo=UTC)
_ROW = "the row"


@dataclass(frozen=True, slots=True)
class Leak:
    """The first cell of a table that an earlier evening did not have so."""

    table: str
    column: str
    day: date
    evening: date
    """The session at whose decision time it was otherwise."""
    then: Any
    now: Any

    def __str__(self) -> str:
        return (
            f"{self.table}: {self.column} on {self.day} is {self.now!r}, and on the "
            f"evening of {self.evening} it was {self.then!r}: it knows what came later"
        )


def check(
    lake: Lake,
    graph: Graph,
    tables: Sequence[str],
    *,
    evenings: Iterable[date],
    whose: Whose,
) -> None:
    """Hold the rows of some tables against those of earlier evenings.

    Args:
        lake: the lake.
        graph: its handlers; they may be others than those that wrote it.
        tables: tables whose key is the date.
        evenings: sessions; the decision time of each is a cut.
        whose: `world`: what was knowable by then. `lake`: what this lake had seen by
            then; a row that it did not have yet is no leak.

    Raises:
        LooksAhead: a row differs; of all evenings the earliest date is named.
    """
    found = leaks(lake, graph, tables, evenings=evenings, whose=whose)
    if found:
        raise LooksAhead(str(min(found, key=lambda leak: leak.day)))


def leaks(
    lake: Lake,
    graph: Graph,
    tables: Sequence[str],
    *,
    evenings: Iterable[date],
    whose: Whose,
) -> list[Leak]:
    """Return, by table and evening, the first cell that differs; as for `check`."""
    whole = View(lake, graph, as_of=None, as_seen=_END)
    found = []
    for evening in sorted(evenings):
        moment = decision_time(lake.registry.sessions_file, Span.day(evening))
        cut = View(
            lake,
            as_known_on(graph, evening),
            as_of=moment if whose == "world" else None,
            as_seen=moment if whose == "lake" else _END,
        )
        for table in tables:
            leak = _first(whole, cut, table, evening=evening, rows=whose == "world")
            if leak is not None:
                found.append(leak)
    return found


def as_known_on(graph: Graph, evening: date) -> Graph:
    """Return the graph with a registry that names no regime before one could.

    A regime that is known later only counts as any day does whose regime has no name.
    """
    calendar = graph.registry.regime_calendar
    usual = {"weight": calendar.weight_before_known, "name": "unnamed"}
    named = [
        regime if regime.known_from <= evening else regime.model_copy(update=usual)
        for regime in calendar.regimes
    ]
    then = calendar.model_copy(update={"regimes": tuple(named)})
    handlers = {id(node.handler): node.handler for node in graph.nodes}
    rules = graph.rules.values()
    return build(
        replace(graph.registry, regime_calendar=then), [*handlers.values(), *rules]
    )


def _first(
    whole: View, cut: View, table: str, *, evening: date, rows: bool
) -> Leak | None:
    """Return the first cell up to an evening that the cut has otherwise."""
    days = whole.lake.registry.sessions.covers
    until = pl.col("date") < plus_days(evening, 1)
    now = whole.rows(table, days).filter(until)
    then = cut.rows(table, days).filter(until)
    both = now.join(then, on="date", how="full", suffix="__then", coalesce=True)
    both = both.sort("date")
    found: list[tuple[date, str]] = []
    lost = set(then["date"]).symmetric_difference(now["date"])
    if not rows:
        lost -= set(now["date"])
        both = both.join(then.select("date"), on="date", how="semi").sort("date")
    found += [(day, _ROW) for day in sorted(lost)[:1]]
    for name in now.columns:
        if name == "date":
            continue
        off = both.filter(~pl.col(name).eq_missing(pl.col(f"{name}__then")))
        if off.height:
            found.append((off["date"][0], name))
    if not found:
        return None
    day, column = min(found, key=lambda each: each[0])
    return _leak(both, table, day, column=column, evening=evening)


def _leak(
    both: pl.DataFrame, table: str, day: date, *, column: str, evening: date
) -> Leak:
    if column == _ROW:
        return Leak(table, column, day, evening, "not there", "there")
    row = both.row(by_predicate=pl.col("date") == day, named=True)
    return Leak(table, column, day, evening, row[f"{column}__then"], row[column])
