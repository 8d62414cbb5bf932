"""Builds one lake from real files for every oracle, through the project's own door.

It never copies real data into the project, and never lets a test change the shared
lake: one that must change a lake is given a copy. Where the real files are not there,
as in a clone without them, the tests are skipped and say so.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cbi_stream.cli.opening import registry
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.lake import Lake
from tests.oracles import real_lake

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "real"


@pytest.fixture(scope="session")
def real() -> Path:
    """Return the folder of real files, or skip."""
    if not REAL.is_dir():
        pytest.skip("no real files: the oracles need the folder shared/data/real")
    return REAL


@pytest.fixture(scope="session")
def graph() -> Graph:
    """Return every handler of the project."""
    return discover(registry())


@pytest.fixture(scope="session")
def lake(real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """Return the real lake. Tests only read it."""
    return real_lake.made(tmp_path_factory.mktemp("real") / "lake", graph, real)


@pytest.fixture
def lake_copy(lake: Lake, tmp_path: Path) -> Lake:
    """Return a copy of the real lake, for a test that changes it."""
    folder = tmp_path / "lake"
    shutil.copytree(lake.folder, folder)
    return Lake(folder, lake.registry)
