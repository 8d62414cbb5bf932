"""A small table of each kind, and frames that fit it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.lake.canonical import canonical, digest, schema_of
from cbi_stream.lake.commit import Finished, commit
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table, write_parquet
from cbi_stream.registry import loader
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.loader import Registry

Frames = Mapping[str, pl.DataFrame]

SMALL = {
    "table": "features.small",
    "doc": "a small table",
    "grain": "year",
    "key": ["date", "name"],
    "columns": {
        "date": {"type": "date", "doc": "day", "required": True},
        "name": {"type": "string", "doc": "who", "required": True},
        "x": {"type": "float", "doc": "a number", "unit": "1"},
        "y": {"type": "float", "doc": "another", "unit": "1"},
        "n": {"type": "int", "doc": "a count"},
        "up": {"type": "bool", "doc": "whether"},
        "note": {"type": "string", "doc": "text"},
        "at": {"type": "time", "doc": "instant"},
    },
}


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@pytest.fixture(scope="session")
def small() -> Contract:
    """Return the contract of a table with a column of every type."""
    return Contract.model_validate(SMALL)


@pytest.fixture(scope="session")
def rows(small: Contract) -> Callable[..., pl.DataFrame]:
    """Return a function that makes canonical rows: days, and columns by name."""

    def make(days: list[date], **columns: object) -> pl.DataFrame:
        n = len(days)
        given = {"date": days, "name": ["a"] * n} | columns
        full = {name: given.get(name, [None] * n) for name in small.columns}
        return canonical(pl.DataFrame(full, schema=schema_of(small)), small)

    return make


@pytest.fixture
def table(tmp_path: Path, small: Contract) -> Table:
    """Return an empty table."""
    return Table(tmp_path / "features" / "small", small)


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., int]:
    """Return a function that commits frames by partition, as a wave does."""

    def commits(
        table: Table,
        frames: Frames,
        *,
        append: bool = False,
        expected: int | None = None,
    ) -> int:
        version, current = table.head()
        finished = {}
        for name, frame in frames.items():
            path = tmp_path / "work" / f"{name}-{version}.parquet"
            stored = write_parquet(frame, path)
            whole = frame
            if append and name in current.partitions:
                before = table.read([current.partitions[name]])
                whole = canonical(pl.concat([before, frame]), table.contract)
            entry = Partition(digest(whole), whole.height, (), Recipe("by hand"))
            finished[name] = Finished(path, stored, entry)
        return commit(
            table,
            finished,
            expected=version if expected is None else expected,
            written=PartitionMap(current.partitions),
            append=append,
        )

    return commits
