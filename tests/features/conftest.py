"""The project's registry, and the families run on a panel. No lake is opened.

A family is a table of features whose handler reads the panel and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.engine.graph import discover
from cbi_stream.lake.canonical import canonical
from cbi_stream.registry import loader
from cbi_stream.registry.features import PANEL
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.handler import Handler
from tests.features import panels

Family = Callable[[pl.DataFrame], pl.DataFrame]
REGISTRY = Path(__file__).resolve().parents[2] / "registry"
HANDLERS: dict[str, Handler] = {
    node.table: node.handler
    for node in discover(loader.load(REGISTRY)).nodes
    if list(node.reads) == [PANEL]
}
TABLES = tuple(sorted(HANDLERS))


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(REGISTRY)


@pytest.fixture(scope="session")
def families(registry: Registry) -> dict[str, Family]:
    """Return by table a function from a panel to the rows of the table."""

    def family(table: str) -> Family:
        made = HANDLERS[table]
        asked = {"spec": Spec(registry, made.spec)} if made.spec else {}

        def of_panel(panel: pl.DataFrame) -> pl.DataFrame:
            return canonical(made(panel=panel, **asked), registry.contracts[table])

        return of_panel

    return {table: family(table) for table in TABLES}


@pytest.fixture(scope="session")
def panel(registry: Registry) -> pl.DataFrame:
    """Return a panel with everything that goes wrong in one."""
    return panels.torn(registry, seed=1)


@pytest.fixture(scope="session")
def whole(registry: Registry) -> pl.DataFrame:
    """Return a panel in which nothing is missing."""
    return panels.whole(registry, seed=2)
