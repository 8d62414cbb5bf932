"""Builds one lake from real files for every oracle, through the project's own door.

It never copies real data into the project, and never lets a test change the shared
lake: one that must change a lake is given a copy. Where the real files are not there,
as in a clone without them, the tests are skipped and say so.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from cbi_stream.cli.opening import registry
from cbi_stream.doors.landing import complete
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from tests.oracles import real_lake, road

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


@pytest.fixture(scope="session")
def whole(
    real: Path, graph: Graph, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Lake, list[Receipt]]:
    """Return a settled lake with every file of the road, and the completed receipts."""
    folder = tmp_path_factory.mktemp("whole") / "lake"
    lake, receipts = road.made(folder, graph, real)
    with clock.held_at(road.NOW):
        real_lake.settle(lake, graph)
    return lake, complete(lake, graph, receipts)


@pytest.fixture(scope="session")
def whole_lake(whole: tuple[Lake, list[Receipt]]) -> Lake:
    """Return the lake with every file. Tests only read it."""
    return whole[0]


@pytest.fixture(scope="session")
def whole_receipts(whole: tuple[Lake, list[Receipt]]) -> list[Receipt]:
    """Return what became of every file."""
    return whole[1]


@pytest.fixture
def lake_copy(lake: Lake, tmp_path: Path) -> Lake:
    """Return a copy of the real lake, for a test that changes it."""
    return real_lake.copied(lake, tmp_path / "lake")
