"""A lake of each kind with the project's handlers, and ways to hand files in."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.doors import landing
from cbi_stream.doors.landing import Hint, Receipt
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry

LONG_AGO = 1_700_000_000


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@pytest.fixture(scope="session")
def graph(registry: Registry) -> Graph:
    """Return the project's handlers and parsers."""
    return discover(registry)


@pytest.fixture
def lake(tmp_path: Path, registry: Registry) -> Lake:
    """Return an empty lake for real files."""
    return Lake.create(tmp_path / "lake", registry, kind="real")


@pytest.fixture
def rows(lake: Lake) -> Callable[[str], pl.DataFrame]:
    """Return a function that reads a whole table at its newest version."""

    def read(name: str) -> pl.DataFrame:
        table = lake.table(name)
        found = table.read(table.head()[1].partitions.values())
        return found.sort(table.contract.key)

    return read


@pytest.fixture
def mine(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a file somewhere outside the lake."""

    def written(data: bytes, name: str = "ZL=F.csv", folder: str = "mine") -> Path:
        path = tmp_path / folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    return written


@pytest.fixture
def drop(lake: Lake, graph: Graph, mine: Callable[..., Path]) -> Callable[..., Receipt]:
    """Return a function that hands one file in and takes it in."""

    def dropped(data: bytes, name: str = "ZL=F.csv", hint: Hint = Hint()) -> Receipt:  # noqa: B008
        landing.drop(lake, mine(data, name), hint)
        (receipt,) = landing.take_in(lake, graph, names={name})
        return receipt

    return dropped


@pytest.fixture
def put(lake: Lake) -> Callable[..., Path]:
    """Return a function that copies a file in by hand, long ago or just now."""

    def placed(name: str, data: bytes, *, at: float | None = LONG_AGO) -> Path:
        path = lake.folder / "landing" / name
        path.write_bytes(data)
        if at is not None:
            os.utime(path, (at, at))
        return path

    return placed
