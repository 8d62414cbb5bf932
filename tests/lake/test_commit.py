"""Commits replace, append or carry the map, and any Delta reader sees the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError

from cbi_stream.lake import durable, log
from cbi_stream.lake.commit import Finished, commit
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table, write_parquet
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import CommitConflict
from cbi_stream.words.span import Span

Rows = Callable[..., pl.DataFrame]
Put = Callable[..., int]
OLD, NEW = [date(2023, 5, 2), date(2023, 5, 3)], [date(2024, 5, 2)]


def _rows_of(table: Table) -> pl.DataFrame:
    return table.read(table.head()[1].partitions.values()).sort("date", "name")


def _by_any_reader(table: Table) -> list[pl.DataFrame]:
    columns = list(table.contract.columns)
    found = [pl.scan_delta(str(table.folder)).collect()]
    files = DeltaTable(table.folder).file_uris()
    found.append(pl.concat([pl.read_parquet(f, glob=False) for f in files]))
    return [f.select(columns).sort("date", "name") for f in found]


def test_a_table_begins_at_nothing(table: Table) -> None:
    """Before the first commit there is no version, and reading gives no rows."""
    assert table.head() == (-1, PartitionMap({}))
    assert _rows_of(table).height == 0


def test_a_plain_delta_reader_sees_every_row(
    table: Table, rows: Rows, put: Put
) -> None:
    """Rows, types and nulls come back through readers that know nothing of us."""
    put(table, {"2023": rows(OLD, x=[1.0, None]), "2024": rows(NEW, x=[3.0])})
    expected = _rows_of(table)
    assert expected["x"].to_list() == [1.0, None, 3.0]
    for found in _by_any_reader(table):
        assert found.equals(expected)
        assert found.schema == expected.schema
    years = pl.scan_delta(str(table.folder)).filter(pl.col("year") == 2023).collect()
    assert years.height == 2


def test_an_overwrite_keeps_the_other_partitions(
    table: Table, rows: Rows, put: Put
) -> None:
    """Only the partitions at hand are replaced."""
    put(table, {"2023": rows(OLD, x=[1.0, 2.0]), "2024": rows(NEW, x=[3.0])})
    kept = table.head()[1].partitions["2023"]
    put(table, {"2024": rows(NEW, x=[4.0])})
    assert table.head()[1].partitions["2023"] == kept
    assert _rows_of(table)["x"].to_list() == [1.0, 2.0, 4.0]
    assert all(f.equals(_rows_of(table)) for f in _by_any_reader(table))


def test_an_append_adds_to_its_partition(table: Table, rows: Rows, put: Put) -> None:
    """Appended files stand beside those that were there."""
    put(table, {"2023": rows(OLD[:1], x=[1.0])}, append=True)
    put(table, {"2023": rows(OLD[1:], x=[2.0]), "2024": rows(NEW)}, append=True)
    assert len(table.head()[1].partitions["2023"].files) == 2
    assert _rows_of(table)["x"].to_list() == [1.0, 2.0, None]
    assert all(f.equals(_rows_of(table)) for f in _by_any_reader(table))


def test_a_commit_of_the_map_alone_changes_no_data(
    table: Table, rows: Rows, put: Put
) -> None:
    """With nothing finished the version rises, no file is added, no row is lost."""
    put(table, {"2023": rows(OLD, x=[1.0, 2.0])})
    version, current = table.head()
    before, files = _rows_of(table), sorted(table.folder.rglob("*.parquet"))
    entry = current.partitions["2023"]
    moved = Partition(entry.hash, entry.rows, entry.files, Recipe("another"))
    written = replace(current, partitions={**current.partitions, "2023": moved})
    assert commit(table, {}, expected=version, written=written) == version + 1
    text = log.commit_path(table.folder, version + 1).read_text()
    assert '"add"' not in text
    assert '"remove"' not in text
    assert table.head()[1].partitions["2023"].recipe == Recipe("another")
    assert sorted(table.folder.rglob("*.parquet")) == files
    assert all(f.equals(before) for f in _by_any_reader(table))


def test_a_map_carries_changes_and_is_found_at_its_version(
    table: Table, rows: Rows, put: Put
) -> None:
    """What a commit changed is told between any two versions."""
    first = put(table, {"2023": rows(OLD)})
    change = Change(Span.day(OLD[0]), OLD[1])
    written = PartitionMap(table.head()[1].partitions, (change,))
    last = commit(table, {}, expected=first, written=written)
    assert log.changes_between(table.folder, first, last) == [change]
    assert log.changes_between(table.folder, last, last) == []
    assert log.map_at(table.folder, first).changes == ()


def test_a_stale_writer_is_refused_and_changes_nothing(
    table: Table, rows: Rows, put: Put
) -> None:
    """Who worked on an older version must look again."""
    first = put(table, {"2023": rows(OLD, x=[1.0, 2.0])})
    put(table, {"2023": rows(OLD, x=[5.0, 6.0])})
    with pytest.raises(CommitConflict, match=f"expected version {first}; found"):
        put(table, {"2023": rows(OLD, x=[9.0, 9.0])}, expected=first)
    assert _rows_of(table)["x"].to_list() == [5.0, 6.0]


def test_a_second_creator_is_refused(
    table: Table, small: Contract, rows: Rows, put: Put
) -> None:
    """Two processes that both found no table cannot both begin it."""
    put(table, {"2023": rows(OLD)})
    with pytest.raises(CommitConflict):
        put(Table(table.folder, small), {"2024": rows(NEW)}, expected=-1)


def test_another_handle_takes_over(
    table: Table, small: Contract, rows: Rows, put: Put
) -> None:
    """A warm handle that lags behind re-reads the log instead of losing rows."""
    put(table, {"2023": rows(OLD[:1])}, append=True)
    put(Table(table.folder, small), {"2023": rows(OLD[1:])}, append=True)
    put(table, {"2024": rows(NEW)}, append=True)
    assert _rows_of(table)["date"].to_list() == [*OLD, *NEW]
    assert all(f.equals(_rows_of(table)) for f in _by_any_reader(table))


def test_each_commit_names_the_one_before_it(
    table: Table, rows: Rows, put: Put
) -> None:
    """The chain of hashes shows a commit that was replaced afterwards."""
    for x in (1.0, 2.0, 3.0):
        last = put(table, {"2024": rows(NEW, x=[x])})
    for version in range(1, last + 1):
        before = log.commit_path(table.folder, version - 1).read_bytes()
        chained = log.map_at(table.folder, version).previous
        assert chained == hashlib.sha256(before).hexdigest()


@pytest.mark.parametrize(
    "error", [CommitFailedError, DeltaError, OSError], ids=lambda e: e.__name__
)
def test_an_error_after_the_entry_landed_is_success(
    table: Table,
    rows: Rows,
    put: Put,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    """An exception does not mean that nothing was written: the log is looked at."""
    first = put(table, {"2023": rows(OLD)})
    original = DeltaTable.create_write_transaction

    def landed(self: DeltaTable, *args: Any, **words: Any) -> None:
        original(self, *args, **words)
        msg = "the answer was lost"
        raise error(msg)

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTable, "create_write_transaction", landed)
        assert put(table, {"2024": rows(NEW, x=[7.0])}) == first + 1
    assert _rows_of(table)["x"].to_list() == [None, None, 7.0]
    assert put(table, {"2024": rows(NEW, x=[8.0])}) == first + 2


def test_an_error_before_the_entry_landed_is_a_conflict(
    table: Table, rows: Rows, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the log shows nothing, the caller hears of it, and may try again."""
    first = put(table, {"2023": rows(OLD)})

    def refused(*_: Any, **__: Any) -> None:
        msg = "somebody else"
        raise CommitFailedError(msg)

    with monkeypatch.context() as patched:
        patched.setattr(DeltaTable, "create_write_transaction", refused)
        with pytest.raises(CommitConflict, match="another writer"):
            put(table, {"2024": rows(NEW)})
    assert table.head()[0] == first
    assert put(table, {"2024": rows(NEW)}) == first + 1


def test_files_and_entry_are_synced_before_the_answer(
    table: Table, rows: Rows, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The data file and its folder before the entry, the entry and the log after it."""
    put(table, {"2023": rows(OLD)})
    version = table.head()[0]
    synced: list[tuple[str, bool]] = []
    entry = log.commit_path(table.folder, version + 1)
    sync = durable.sync

    def watching(path: Path) -> None:
        synced.append((path.suffix or path.name, entry.exists()))
        sync(path)

    monkeypatch.setattr(durable, "sync", watching)
    put(table, {"2024": rows(NEW)})
    assert [s for s in synced if s[1]] == [(".json", True), ("_delta_log", True)]
    assert (".parquet", False) in synced
    assert ("year=2024", False) in synced


def test_equal_frames_give_equal_files(tmp_path: Path, rows: Rows) -> None:
    """A file's bytes follow from its rows, so that exports can be made again."""
    one = write_parquet(rows(OLD, x=[1.0, 2.0]), tmp_path / "one")
    two = write_parquet(rows(OLD, x=[1.0, 2.0]), tmp_path / "two")
    other = write_parquet(rows(OLD, x=[1.0, 3.0]), tmp_path / "three")
    assert (one.sha256, one.size) == (two.sha256, two.size)
    assert one.sha256 != other.sha256
    assert hashlib.sha256((tmp_path / "one").read_bytes()).hexdigest() == one.sha256


def test_a_commit_takes_the_finished_file_away(
    table: Table, rows: Rows, tmp_path: Path
) -> None:
    """Finished files are moved into the table, not copied."""
    path = tmp_path / "work" / "one.parquet"
    stored = write_parquet(rows(NEW), path)
    entry = Partition("h", 1, (), Recipe(""))
    done = {"2024": Finished(path, stored, entry)}
    commit(table, done, expected=-1, written=PartitionMap({}))
    assert not path.exists()
    (file,) = table.head()[1].partitions["2024"].files
    assert file.sha256 == stored.sha256
    assert (table.folder / file.path).is_file()
