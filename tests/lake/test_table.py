"""A table's bytes are checked when they are read; damage has a name and a path."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.lake import log
from cbi_stream.lake.partition_map import PartitionMap
from cbi_stream.lake.table import Table
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import CbiError, DamagedLake

Rows = Callable[..., pl.DataFrame]
Put = Callable[..., int]
DAYS = [date(2024, 5, 2), date(2024, 5, 3)]


def _again(table: Table) -> Table:
    """Return the table as another process finds it."""
    return Table(table.folder, table.contract)


def _file(table: Table) -> Path:
    (entry,) = table.head()[1].partitions.values()
    return table.folder / entry.files[0].path


@pytest.mark.parametrize("place", [0, 100, -100, -1])
def test_a_flipped_byte_is_named_when_read(
    table: Table, rows: Rows, put: Put, place: int
) -> None:
    """One other bit anywhere in a file is found before a row of it is used."""
    put(table, {"2024": rows(DAYS, x=[1.0, 2.0])})
    file = _file(table)
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    fresh = _again(table)
    with pytest.raises(DamagedLake, match=rf"{file.name}.*sha256 differs"):
        fresh.read(fresh.head()[1].partitions.values())


def test_a_missing_file_is_named_when_read(table: Table, rows: Rows, put: Put) -> None:
    """A file that the log names must be there."""
    put(table, {"2024": rows(DAYS)})
    file = _file(table)
    file.unlink()
    fresh = _again(table)
    with pytest.raises(DamagedLake, match=rf"{file.name}: expected the file"):
        fresh.read(fresh.head()[1].partitions.values())


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.99])
def test_a_torn_last_commit_is_named(
    table: Table, rows: Rows, put: Put, share: float
) -> None:
    """A log entry of which a power cut left the beginning is found at once."""
    put(table, {"2024": rows(DAYS)})
    path = log.commit_path(table.folder, table.head()[0])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(DamagedLake, match=path.name):
        _again(table).head()


@pytest.mark.parametrize("line", [b"[]\n", b"null\n", b'{"commitInfo": 5}\n', b"\xff"])
def test_an_entry_of_another_shape_is_named(
    table: Table, rows: Rows, put: Put, line: bytes
) -> None:
    """Whatever stands in a log entry, reading it ends in a named error."""
    put(table, {"2024": rows(DAYS)})
    path = log.commit_path(table.folder, table.head()[0])
    path.write_bytes(line)
    with pytest.raises(DamagedLake, match=path.name):
        _again(table).head()


def test_a_commit_that_is_gone_is_named(table: Table, rows: Rows, put: Put) -> None:
    """A gap in the log is damage: what changed there is unknown."""
    put(table, {"2024": rows(DAYS, x=[1.0, 2.0])})
    middle = put(table, {"2024": rows(DAYS, x=[1.0, 3.0])})
    last = put(table, {"2024": rows(DAYS, x=[1.0, 4.0])})
    path = log.commit_path(table.folder, middle)
    path.unlink()
    with pytest.raises(DamagedLake, match=path.name):
        log.changes_between(table.folder, middle - 1, last)


def test_a_rewritten_entry_is_read_again(table: Table, rows: Rows, put: Put) -> None:
    """What is kept in memory of the log never hides what stands there now."""
    last = put(table, {"2024": rows(DAYS)})
    path = log.commit_path(table.folder, last)
    assert table.head()[1].partitions.keys() == {"2024"}
    path.write_bytes(b"x" + path.read_bytes())
    with pytest.raises(DamagedLake):
        table.head()


def test_committing_on_a_damaged_log_is_a_named_error(
    table: Table, rows: Rows, put: Put
) -> None:
    """Nothing is put on top of a torn entry, and no library's error escapes."""
    last = put(table, {"2024": rows(DAYS)})
    path = log.commit_path(table.folder, last)
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(CbiError):
        put(_again(table), {"2024": rows(DAYS, x=[1.0, 2.0])})
    assert log.newest_version(table.folder) == last


def test_rows_are_read_at_the_version_that_is_pinned(
    table: Table, rows: Rows, put: Put
) -> None:
    """An older map still reads its own rows after newer commits."""
    first = put(table, {"2024": rows(DAYS, x=[1.0, 2.0])})
    put(table, {"2024": rows(DAYS, x=[8.0, 9.0])})
    pinned = log.map_at(table.folder, first)
    assert table.read(pinned.partitions.values())["x"].to_list() == [1.0, 2.0]


def _with_column(contract: Contract, name: str) -> Contract:
    plain = contract.model_dump()
    plain["columns"][name] = {"type": "float", "doc": "more", "unit": "1"}
    return Contract.model_validate(plain)


def test_a_changed_contract_empties_the_table_and_it_is_built_again(
    table: Table, rows: Rows, put: Put
) -> None:
    """After a change of columns a plain reader sees the rows of the new ones only."""
    put(table, {"2024": rows(DAYS, x=[1.0, 2.0])})
    wider = Table(table.folder, _with_column(table.contract, "z"))
    wider.open()
    version, current = wider.head()
    assert current == PartitionMap({})
    assert pl.scan_delta(str(table.folder)).collect().height == 0
    more = rows(DAYS, x=[3.0, 4.0]).with_columns(z=pl.lit(5.0))
    put(wider, {"2024": more}, expected=version)
    found = pl.scan_delta(str(table.folder)).collect()
    assert found["z"].to_list() == [5.0, 5.0]
    assert found["x"].to_list() == [3.0, 4.0]


def test_a_commit_under_a_changed_contract_leaves_no_old_file(
    table: Table, rows: Rows, put: Put
) -> None:
    """Partitions of the old columns do not stay in the map beside new ones."""
    old = [date(2023, 5, 2)]
    put(table, {"2023": rows(old, x=[1.0]), "2024": rows(DAYS, x=[1.0, 2.0])})
    wider = Table(table.folder, _with_column(table.contract, "z"))
    more = rows(DAYS).with_columns(z=pl.lit(5.0))
    put(wider, {"2024": more})
    _, current = wider.head()
    mine = wider.read(current.partitions.values())
    theirs = pl.scan_delta(str(table.folder)).collect()
    assert mine.height == theirs.height


def test_many_small_files_do_not_fill_the_memory(
    table: Table, rows: Rows, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame of one row counts for what it really holds: only so many are kept."""
    years = [str(2010 + i) for i in range(8)]
    put(table, {y: rows([date(int(y), 5, 2)]) for y in years})
    monkeypatch.setattr("cbi_stream.lake.table._MOST_FRAMES", 3)
    fresh = _again(table)
    for _ in range(2):
        assert fresh.read(fresh.head()[1].partitions.values()).height == len(years)
        assert len(fresh._files) == 3
