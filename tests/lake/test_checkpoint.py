"""Checkpoints keep the log quick to open, and none is ever needed."""

from __future__ import annotations

from datetime import timedelta

import polars as pl
import pytest

from cbi_stream.lake.commit import CHECKPOINT_EVERY
from tests.laws import worlds


@pytest.fixture
def world():
    """A toy lake whose raw table has more commits than one checkpoint covers."""
    world = worlds.toy_world()
    prices = world.feeds[0]
    for i in range(CHECKPOINT_EVERY + 4):
        world.arrive(prices, [(prices.first + timedelta(days=3 * i), 30.0 + i)])
    yield world
    world.close()


def _checkpoints(world):
    return sorted((world.folder / "raw/px/_delta_log").glob("*checkpoint*"))


def _rows(world):
    table = world.lake.table("raw.px")
    return table.read(table.head()[1].partitions.values()).height


def test_a_checkpoint_is_made_and_every_commit_is_kept(world):
    """The twentieth commit has a checkpoint beside it; no JSON commit is gone."""
    names = [path.name for path in _checkpoints(world)]
    assert names == [f"{CHECKPOINT_EVERY:020d}.checkpoint.parquet", "_last_checkpoint"]
    commits = list((world.folder / "raw/px/_delta_log").glob("*.json"))
    assert len(commits) == world.lake.table("raw.px").head()[0] + 1


@pytest.mark.parametrize("left", [0, 100])
def test_a_torn_checkpoint_is_set_aside(world, left):
    """A checkpoint that a power cut tore stops nobody, and no row is lost."""
    path = _checkpoints(world)[0]
    path.write_bytes(path.read_bytes()[:left])
    world.restart()
    prices = world.feeds[0]
    before = _rows(world)
    world.arrive(prices, [(prices.first + timedelta(days=300), 55.0)])
    assert _rows(world) == before + 1
    assert list((world.folder / "raw/px/_torn").glob(f"*-{path.name}"))
    found = pl.read_delta(str(world.folder / "raw/px"))
    assert found.height == before + 1


def test_many_small_files_become_one(world):
    """After sixteen appends to a partition it is one file again, with all its rows."""
    current = world.lake.table("raw.px").head()[1]
    assert sum(len(p.files) for p in current.partitions.values()) < CHECKPOINT_EVERY
    assert _rows(world) == CHECKPOINT_EVERY + 4
    world.settle()
    world.prove()
