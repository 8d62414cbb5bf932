"""What files hold now is told column by column, whatever a reader does on them."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from cbi_stream.engine import difference, evidence
from cbi_stream.lake.lake import Lake
from tests.laws import worlds

TABLE = "features.window"


@pytest.fixture
def world():
    """A settled toy lake."""
    world = worlds.toy_world()
    worlds.begin_plain(world)
    world.settle()
    yield world
    world.close()


def _file(world):
    table = world.lake.table(TABLE)
    entry = table.head()[1].partitions["2016"]
    return table, entry, table.folder / entry.files[0].path


def _rebuilt(world, tmp_path):
    """Return the same lake without the damage that comes."""
    shutil.copytree(world.folder, tmp_path / "whole")
    return Lake(tmp_path / "whole", world.graph.registry).table(TABLE)


def test_whole_files_are_no_problem(world):
    """Bytes as they were written give their rows and no complaint."""
    table, entry, _ = _file(world)
    found = evidence.stored_content(table, entry)
    assert found.rows is not None
    assert (found.rows.height, found.problem) == (entry.rows, "")


def test_a_column_that_cannot_be_read_is_named_with_its_first_date(world, tmp_path):
    """Where a page is torn the others still read, and its first cell is named."""
    table, entry, path = _file(world)
    rebuilt = _rebuilt(world, tmp_path)
    data = path.read_bytes()
    for start in range(len(data) // 4, len(data) // 2, 40):
        path.write_bytes(data[:start] + bytes(12) + data[start + 12 :])
        found = evidence.stored_content(table, entry)
        if found.unreadable:
            break
    assert found.rows is None
    assert len(found.unreadable) == 1
    first = next(iter(difference.of_tables(table, rebuilt)))
    assert (first.partition, first.column) == ("2016", found.unreadable[0])
    assert first.lake == "'cannot be read'"
    assert first.date == str(rebuilt.read([entry])["date"].min())


def test_a_file_without_its_end_names_the_partition_alone(world):
    """Without the closing mark no column reads: there is no cell to name."""
    table, entry, path = _file(world)
    path.write_bytes(path.read_bytes()[:-4])
    found = evidence.stored_content(table, entry)
    assert found.rows is None
    assert found.unreadable == ()
    assert "cannot be read" in found.problem


def test_a_hash_that_is_another_is_a_problem(world):
    """Rows that read well but are not those of the log are told apart."""
    table, entry, _ = _file(world)
    found = evidence.stored_content(table, replace(entry, hash="0" * 64))
    assert "not those of the hash in the log" in found.problem
