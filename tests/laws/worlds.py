"""The two worlds that histories are played in: the toy graph and the real one.

Both are fed invented values; the real graph is real in its handlers and registry.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path

import polars as pl

from cbi_stream import Spec, handler
from cbi_stream import kernels as k
from cbi_stream.engine.graph import Graph, build, discover
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from handlers.features import technical
from tests.laws import toy
from tests.laws.histories import Feed, World

REGISTRY = Path(__file__).parents[2] / "registry"


def _one_cell(value: float) -> dict[str, str]:
    return {"cell": f"{value:.7f}"}


def _bar(value: float) -> dict[str, str]:
    names = ("open", "high", "low", "close", "adj_close")
    return dict.fromkeys(names, f"{value:.7f}") | {"volume": "12345"}


def _young_bar(value: float) -> dict[str, str]:
    bar = _bar(value)
    bar.pop("adj_close")
    return bar


TOY_FEEDS = (
    Feed("raw.px", "symbol", "A", _one_cell, date(2016, 1, 3), 3),
    Feed("raw.obs", "series", "O", _one_cell, date(2015, 12, 1), 7),
)
REAL_FEEDS = (
    Feed("raw.yahoo", "symbol", "ZL", _bar, date(2016, 11, 1), 2),
    Feed("raw.yfinance", "symbol", "ZL", _young_bar, date(2017, 3, 1), 3),
    Feed(
        "raw.fred",
        "series",
        "VIXCLS",
        lambda v: {"value": f"{v:.7f}"},
        date(2017, 1, 1),
        3,
    ),
    Feed(
        "raw.fred",
        "series",
        "DGS10",
        lambda v: {"value": f"{v:.7f}"},
        date(2017, 1, 2),
        9,
    ),
)


def toy_world() -> World:
    """Return a fresh lake of the toy graph."""
    return World(toy.graph(), toy.graph, TOY_FEEDS)


def real_world() -> World:
    """Return a fresh lake of the real graph."""
    return World(real_graph(), real_graph, REAL_FEEDS[:3])


@lru_cache(maxsize=1)
def _real_registry() -> Registry:
    return loader.load(REGISTRY)


def real_graph(*, max_age: int = 5, other_code: bool = False) -> Graph:
    """Return the real graph; a rule and one handler's code may be exchanged."""
    registry = _real_registry()
    spec = registry.join_spec
    joins = tuple(
        each.model_copy(update={"max_age_days": max_age})
        if each.name == "vix"
        else each
        for each in spec.joins
    )
    changed = replace(registry, join_spec=spec.model_copy(update={"joins": joins}))
    graph = discover(changed)
    declared = [
        other_technical
        if other_code and node.handler is technical.technical
        else node.handler
        for node in graph.nodes
    ]
    return build(
        changed,
        [
            *declared,
            *chain.from_iterable(graph.parsers.values()),
            *graph.effects,
            *graph.rules.values(),
        ],
    )


@handler(
    reads=technical.technical.reads,
    writes="features.technical",
    spec=technical.technical.spec,
)
def other_technical(panel: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Compute the real features, with one of them over another window."""
    honest = technical.technical(panel=panel, spec=spec)
    assert isinstance(honest, pl.DataFrame)
    asked = {"mean_20": k.mean("close", 21, min_count=15)}
    other = k.roll(panel, asked).select("date", "mean_20")
    return honest.drop("mean_20").join(
        other, on="date", how="left", maintain_order="left"
    )


def discovered() -> Graph:
    """Return the real graph as the command line finds it."""
    return discover(_real_registry())


def begin_plain(world: World) -> None:
    """Let one file of each feed arrive, without settling."""
    for feed in world.feeds:
        days = [feed.first + timedelta(days=feed.step * i) for i in range(150)]
        world.arrive(feed, [(day, 20.0 + day.toordinal() % 37) for day in days])
