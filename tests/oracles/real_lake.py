"""Hands files to a lake as a user would, and reads whole tables back.

It never reaches past the project's door: a file is dropped, taken in and settled.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from cbi_stream.doors import landing
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.slices import rows_between
from cbi_stream.engine.wave import WaveReport, run_wave
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.words.span import Span

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
        landing.drop(lake, real / name, landing.Hint(as_of=RATES_SEEN))
    landing.drop(lake, real / PRICES, landing.Hint(as_of=PRICES_SEEN))


def drop_text(lake: Lake, name: str, text: str, *, as_of: datetime | None) -> None:
    """Hand in a file with this text; None: nobody says when it was seen."""
    source = lake.folder.parent / f"{lake.folder.name}-handed-in" / name
    source.parent.mkdir(exist_ok=True)
    source.write_text(text, encoding="utf-8")
    landing.drop(lake, source, landing.Hint(as_of=as_of))


def take_in(lake: Lake, graph: Graph) -> list[landing.Receipt]:
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
