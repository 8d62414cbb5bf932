"""Leaks to plant: graphs in which one handler or one release rule knows the future.

Each is the project's own graph with one thing exchanged; nothing here is honest, and
no product code imports it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import time
from functools import wraps

import polars as pl

from cbi_stream import Conformed, days, handler
from cbi_stream.engine.graph import Graph, build
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.releases import Release
from cbi_stream.shapes.handler import Handler
from handlers.features.macro import macro
from handlers.features.technical import technical

PANEL, MACRO, TECHNICAL = "features.panel", "features.macro", "features.technical"
Wrong = Callable[[pl.DataFrame], pl.Expr | pl.Series]


def with_handler(graph: Graph, other: Handler) -> Graph:
    """Return the graph with another handler of one table."""
    handlers = {id(n.handler): n.handler for n in graph.nodes}
    kept = [h for h in handlers.values() if h.writes != other.writes]
    return build(graph.registry, [*kept, other, *graph.rules.values()])


def with_registry(graph: Graph, registry: Registry) -> Graph:
    """Return the same handlers under another registry."""
    handlers = {id(n.handler): n.handler for n in graph.nodes}
    return build(registry, [*handlers.values(), *graph.rules.values()])


def in_macro(graph: Graph, column: str, wrong: Wrong) -> Graph:
    """Return the graph with another formula of a feature of the macro family."""

    def liar(panel: pl.DataFrame) -> pl.DataFrame:
        other = panel.select(wrong(panel)).to_series()
        return macro.function(panel).with_columns(other.alias(column))

    return with_handler(graph, replace(macro, function=liar))


def in_technical(graph: Graph, column: str, wrong: Wrong) -> Graph:
    """Return the graph with another formula of a feature of the technical family."""

    def liar(panel: pl.DataFrame, *, spec: object) -> pl.DataFrame:
        other = panel.select(wrong(panel)).to_series()
        made = technical.function(panel, spec=spec)
        return made.with_columns(other.alias(column))

    return with_handler(graph, replace(technical, function=liar))


def in_joins(
    graph: Graph, wrong: Callable[[pl.DataFrame], pl.DataFrame], source: str
) -> Graph:
    """Return the graph with a panel that changes a source's rows before it joins them."""
    made = graph.node(PANEL).handler

    def liar(
        sessions: pl.DataFrame,
        prices: pl.DataFrame,
        joined: Mapping[str, pl.DataFrame],
        *,
        spec: object,
    ) -> pl.DataFrame:
        changed = {**joined, source: wrong(joined[source])}
        return made.function(sessions, prices, changed, spec=spec)

    return with_handler(graph, replace(made, function=liar))


def in_conform(
    graph: Graph, table: str, wrong: Callable[[pl.DataFrame], pl.DataFrame]
) -> Graph:
    """Return the graph with other rows in a staging table; each line keeps its fate."""
    made = graph.node(table).handler

    @wraps(made.function)
    def liar(**frames: object) -> Conformed:
        found = made.function(**frames)
        assert isinstance(found, Conformed)
        return found._replace(staged=wrong(found.staged))

    return with_handler(graph, replace(made, function=liar))


def newest_everywhere(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each observation as it was in the end, known since its first release."""
    last = pl.col("value").last().over("series", "date")
    ordered = rows.sort("series", "date", "vintage")
    return ordered.with_columns(value=last).filter(pl.col("vintage") == 0)


def known_on_its_date(rows: pl.DataFrame) -> pl.DataFrame:
    """Return observations that count from the day that they describe."""
    at_once = pl.col("date").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return rows.with_columns(knowable_at=at_once)


def settled_next_morning(rows: pl.DataFrame, symbol: str) -> pl.DataFrame:
    """Return bars of which one symbol's is out after the decision time of its day."""
    late = pl.col("knowable_at").dt.offset_by("20h")
    mine = pl.col("symbol") == symbol
    return rows.with_columns(
        knowable_at=pl.when(mine).then(late).otherwise("knowable_at")
    )


def with_release(graph: Graph, source: str, *, series: str | None = None) -> Graph:
    """Return the graph in which what a source says counts on its own date already."""
    at_once = Release(days_after=0, at=time(0, 1), zone="America/Chicago")
    known = graph.registry.data_sources
    entry = known.sources[source]
    if series is None:
        entry = entry.model_copy(update={"release": at_once})
    else:
        own = entry.series[series].model_copy(update={"release": at_once})
        entry = entry.model_copy(update={"series": {**entry.series, series: own}})
    changed = known.model_copy(update={"sources": {**known.sources, source: entry}})
    return with_registry(graph, replace(graph.registry, data_sources=changed))


def echo_of_the_target(graph: Graph) -> Graph:
    """Return the graph with the label of the next week among the features."""
    reads = {**macro.reads, "labels.forward": days()}

    @handler(reads=reads, writes=MACRO)
    def liar(panel: pl.DataFrame, forward: pl.DataFrame) -> pl.DataFrame:
        week = forward.filter(pl.col("horizon") == "1w").select(
            "date", vix_change_5="target_log_return"
        )
        made = macro.function(panel)
        other = made.drop("vix_change_5").join(
            week, on="date", how="left", maintain_order="left"
        )
        return other.select(made.columns)

    return with_handler(graph, liar)


def weight_of_the_regime(graph: Graph, *, honest: bool = False) -> Graph:
    """Return the graph with the weight of the session's regime among the features.

    Args:
        graph: the project's own.
        honest: take it from `known_from` on only.
    """
    reads = {**macro.reads, "labels.regimes": days()}
    usual = float(graph.registry.regime_calendar.weight_before_known)

    @handler(reads=reads, writes=MACRO)
    def liar(panel: pl.DataFrame, regimes: pl.DataFrame) -> pl.DataFrame:
        weight = pl.col("weight").cast(pl.Float64)
        named = pl.col("known_from") <= pl.col("date")
        if honest:
            weight = pl.when(named).then(weight).otherwise(usual)
        made = macro.function(panel)
        other = made.drop("vix_change_5").join(
            regimes.select("date", vix_change_5=weight),
            on="date",
            how="left",
            maintain_order="left",
        )
        return other.select(made.columns)

    return with_handler(graph, liar)
