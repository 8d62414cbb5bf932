"""Hands files to a lake as a user would, and reads whole tables back.

It never reaches past the project's door: a file is dropped, taken in and settled.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

import polars as pl

from cbi_stream import handler
from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.slices import rows_between
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.words.span import Span
from handlers.assemble.panel import panel

# When the files were downloaded: stated, so that no test depends on today.
PRICES_SEEN = datetime(2021, 6, 10, 12, tzinfo=UTC)
RATES_SEEN = datetime(2026, 7, 31, 22, tzinfo=UTC)

PRICES = "yahoo_csv_2021/ZL=F.csv"
RATES = ("fred_graph_csv_2026/VIXCLS.csv", "fred_graph_csv_2026/DGS10.csv")


def made(folder: Path, graph: Graph, real: Path) -> Lake:
    """Return a settled lake with soybean oil, the VIX and the ten-year yield."""
    lake = Lake.create(folder, graph.registry, kind="real")
    drop_files(lake, real)
    take_in(lake, graph)
    settle(lake, graph)
    return lake


def drop_files(lake: Lake, real: Path) -> None:
    """Hand in the three files that every oracle is about."""
    for name in RATES:
        drop(lake, real / name, Hint(as_of=RATES_SEEN))
    drop(lake, real / PRICES, Hint(as_of=PRICES_SEEN))


def drop_text(lake: Lake, name: str, text: str, *, as_of: datetime | None) -> None:
    """Hand in a file with this text; None: nobody says when it was seen."""
    source = lake.folder.parent / f"{lake.folder.name}-handed-in" / name
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, encoding="utf-8")
    drop(lake, source, Hint(as_of=as_of))


def take_in(lake: Lake, graph: Graph) -> list[Receipt]:
    """Take in what waits, and insist that nothing is refused."""
    receipts = landing.take_in(lake, graph)
    assert all(receipt.taken for receipt in receipts), receipts
    return receipts


def settle(lake: Lake, graph: Graph) -> WaveReport:
    """Bring every table up to date, and insist that nothing failed."""
    report = run_wave(lake, graph, probing="off")
    assert not report.failed, report.failed
    return report


def content(lake: Lake, table: str) -> pl.DataFrame:
    """Return every row of a table as its readers see it, sorted by key."""
    version = lake.published()[table].version
    pinned = log.map_at(lake.table(table).folder, version)
    return rows_between(lake, table, Span.all(), pinned)


def root(lake: Lake, table: str) -> str:
    """Return the hash of a table's content as its readers see it."""
    return lake.published()[table].root


def copied(lake: Lake, folder: Path) -> Lake:
    """Return a copy of a lake, for a test that changes it."""
    shutil.copytree(lake.folder, folder)
    return Lake(folder, lake.registry)


def with_priorities(graph: Graph, **priorities: int) -> Graph:
    """Return the graph with another precedence of sources."""
    known = graph.registry.data_sources
    sources = {
        name: source.model_copy(
            update={"priority": priorities.get(name, source.priority)}
        )
        for name, source in known.sources.items()
    }
    changed = known.model_copy(update={"sources": sources})
    registry = replace(graph.registry, data_sources=changed)
    handlers = {id(n.handler): n.handler for n in graph.nodes}.values()
    return build(
        registry,
        [
            *handlers,
            *chain.from_iterable(graph.parsers.values()),
            *graph.effects,
            *graph.rules.values(),
        ],
    )


def with_leaky_panel(graph: Graph) -> Graph:
    """Return the graph with a panel that takes observations from their own date on."""

    @handler(reads=panel.reads, writes=panel.writes, spec=panel.spec)
    def leaky(
        sessions: pl.DataFrame,
        prices: pl.DataFrame,
        joined: dict[str, pl.DataFrame],
        *,
        spec: object,
    ) -> pl.DataFrame:
        early = joined["cftc"].with_columns(
            knowable_at=pl.col("date")
            .cast(pl.Datetime("us"))
            .dt.replace_time_zone("UTC")
        )
        frames = {"sessions": sessions, "prices": prices, **joined, "cftc": early}
        made = panel(**frames, spec=spec)
        assert isinstance(made, pl.DataFrame)
        return made

    others = {
        id(n.handler): n.handler
        for n in graph.nodes
        if n.handler.writes != panel.writes
    }
    return build(graph.registry, [*others.values(), leaky, *graph.rules.values()])
