"""A long log costs no more than a short one, where only its end matters."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.lake import arrivals, durable, log
from cbi_stream.lake.arrivals import Arrival, seen_later
from cbi_stream.lake.commit import CHECKPOINT_EVERY
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import append_lines
from cbi_stream.lake.table import Table
from cbi_stream.registry.loader import Registry

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
COUNT = 2 * CHECKPOINT_EVERY


def _take(lake: Lake, number: int, *, series: str = "VIXCLS") -> None:
    """Append the file of one day, seen that day."""
    day = NOON + timedelta(days=number)
    lines = pl.DataFrame(
        {
            "line": [2],
            "date": [day.date()],
            "value": [str(number)],
            "series": [series],
            "problem": [None],
            "text": [None],
        },
        schema_overrides={"problem": pl.String, "text": pl.String},
    )
    arrival = Arrival("fred", series, "f.csv", f"{number:064}", "parser", day)
    append_lines(lake.table("raw.fred"), lines, arrival, work=lake.work)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Lake:
    """Return a lake of forty files about one series, and one about another."""
    folder = tmp_path_factory.mktemp("long") / "lake"
    lake = Lake.create(folder, registry, kind="real")
    _take(lake, 0, series="DGS10")
    for number in range(COUNT):
        _take(lake, number)
    return lake


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the versions whose maps are read."""
    versions: list[int] = []
    honest = log.map_at

    def counted(table: Path, version: int) -> object:
        versions.append(version)
        return honest(table, version)

    monkeypatch.setattr(arrivals.log, "map_at", counted)
    return versions


def _names(found: list[tuple[Arrival, datetime]]) -> list[date]:
    return [each.as_of.date() for each, _ in found]


def test_a_file_that_is_a_little_late_reads_the_end_of_the_log(
    lake: Lake, read: list[int]
) -> None:
    """Four later files are found by reading six maps of forty."""
    found = seen_later(
        lake.table("raw.fred"), "VIXCLS", NOON + timedelta(days=COUNT - 5)
    )
    days = [(NOON + timedelta(days=COUNT - i)).date() for i in (4, 3, 2, 1)]
    assert _names(found) == days
    assert len(read) == 6


def test_all_later_files_are_found_oldest_first(lake: Lake) -> None:
    """One that is older than all of them meets all of them, of its own series only."""
    raw, before = lake.table("raw.fred"), NOON - timedelta(days=1)
    found = _names(seen_later(raw, "VIXCLS", before))
    assert found == [(NOON + timedelta(days=i)).date() for i in range(COUNT)]
    assert _names(seen_later(raw, "DGS10", before)) == [NOON.date()]


def test_files_that_came_out_of_order_are_all_found(
    tmp_path: Path, registry: Registry
) -> None:
    """One that was seen early and came last hides none that was seen later."""
    lake = Lake.create(tmp_path / "lake", registry, kind="real")
    for number in (5, 9, 2, 7, 3):
        _take(lake, number)
    found = seen_later(lake.table("raw.fred"), "VIXCLS", NOON + timedelta(days=4))
    assert _names(found) == [(NOON + timedelta(days=i)).date() for i in (5, 7, 9)]


def test_a_checkpoint_syncs_itself_alone(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older checkpoints were synced in their turn; hundreds of them would be dear."""
    synced: list[Path] = []
    honest = durable.sync

    def counted(path: Path, *words: object, **more: object) -> None:
        synced.append(path)
        honest(path, *words, **more)

    table: Table = lake.table("raw.fred")
    monkeypatch.setattr(durable, "sync", counted)
    table.checkpoint()
    names = {path.name for path in synced}
    version = table.head()[0]
    assert names == {f"{version:020d}.checkpoint.parquet", "_last_checkpoint"}
    there = (table.folder / "_delta_log").glob("*.checkpoint.parquet")
    assert len(list(there)) > 2
