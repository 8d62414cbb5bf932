"""A lake of each kind with the project's handlers, and files as sources write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry


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
