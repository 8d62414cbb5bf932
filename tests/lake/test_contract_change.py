"""A derived table whose columns change is computed again, whole or not at all."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cbi_stream import days, handler
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import append_lines
from cbi_stream.registry import loader

CONTRACT = """
table: features.small
doc: one number a day
grain: year
key: [date]
columns:
  date: {type: date, doc: day}
  x: {type: float, unit: "1", doc: a number}
"""
WIDER = CONTRACT + '  z: {type: float, unit: "1", doc: another number}\n'
READS = {"raw.fred": days()}


@handler(reads=READS, writes="features.small")
def narrow(fred: pl.DataFrame) -> pl.DataFrame:
    """Give one column."""
    return fred.select("date", x=pl.col("value").cast(pl.Float64))


@handler(reads=READS, writes="features.small")
def wide(fred: pl.DataFrame) -> pl.DataFrame:
    """Give two columns."""
    return narrow(fred=fred).with_columns(z=pl.col("x") * 2)


@handler(reads=READS, writes="features.small")
def broken(fred: pl.DataFrame) -> pl.DataFrame:
    """Give two columns, but fail on the newer year."""
    if fred["date"].max() > date(2024, 1, 1):
        msg = "planted"
        raise ValueError(msg)
    return wide(fred=fred)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a registry with the small table in it."""
    source = Path(__file__).resolve().parents[2] / "registry"
    copy = Path(shutil.copytree(source, tmp_path / "registry"))
    (copy / "tables" / "features.small.yaml").write_text(CONTRACT)
    return copy


def _graph(folder: Path, one: object) -> Graph:
    return build(loader.load(folder), [one])  # type: ignore[list-item]


@pytest.fixture
def lake(tmp_path: Path, folder: Path) -> Lake:
    """Return a lake with two years of the small table."""
    lake = Lake.create(tmp_path / "lake", loader.load(folder), kind="real")
    lines = pl.DataFrame(
        {
            "line": [2, 3],
            "date": [date(2023, 5, 1), date(2024, 5, 1)],
            "value": ["1", "2"],
            "series": ["VIXCLS", "VIXCLS"],
            "problem": [None, None],
            "text": [None, None],
        },
        schema_overrides={"problem": pl.String, "text": pl.String},
    )
    arrival = Arrival("fred", "VIXCLS", "f.csv", "0" * 64, "parser")
    append_lines(lake.table("raw.fred"), lines, arrival, work=lake.work)
    run_wave(lake, _graph(folder, narrow), probing="off")
    return lake


def _widened(lake: Lake, folder: Path, one: object) -> tuple[Lake, Graph]:
    (folder / "tables" / "features.small.yaml").write_text(WIDER)
    return Lake(lake.folder, loader.load(folder)), _graph(folder, one)


def test_another_column_replaces_the_whole_table(lake: Lake, folder: Path) -> None:
    """A run under the wider contract computes all partitions, and nothing fails."""
    wider, graph = _widened(lake, folder, wide)
    report = run_wave(wider, graph, probing="off")
    assert report.failed == {}
    assert report.tables["features.small"].changed == 2
    plain = pl.scan_delta(str(lake.folder / "features" / "small")).collect()
    assert sorted(plain["z"].to_list()) == [2.0, 4.0]
    assert run_wave(wider, graph, probing="off").quiet


def test_a_partition_that_fails_then_serves_nothing_of_the_old_shape(
    lake: Lake, folder: Path
) -> None:
    """Rows without the new column cannot be the last good content of the new table."""
    wider, graph = _widened(lake, folder, broken)
    report = run_wave(wider, graph, probing="off")
    assert list(report.failed) == ["features.small/2024"]
    table = wider.table("features.small")
    rows = table.read(table.head()[1].partitions.values())
    assert rows.rows() == [(date(2023, 5, 1), 1.0, 2.0)]
    mended = _graph(folder, wide)
    assert run_wave(wider, mended, probing="off").failed == {}
    plain = pl.scan_delta(str(lake.folder / "features" / "small")).collect()
    assert sorted(plain["z"].to_list()) == [2.0, 4.0]
