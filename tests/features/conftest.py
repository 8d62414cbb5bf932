"""The project's registry, and the two families run on a panel. No lake is opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.lake.canonical import canonical
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from handlers.features.macro import macro
from handlers.features.technical import technical
from tests.features import panels

Family = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@pytest.fixture(scope="session")
def spec(registry: Registry) -> Spec:
    """Return the view of the registry that the technical family asks for."""
    return Spec(registry, ("settings",))


@pytest.fixture(scope="session")
def families(registry: Registry, spec: Spec) -> dict[str, Family]:
    """Return by table a function from a panel to the rows of the table."""

    def of_technical(panel: pl.DataFrame) -> pl.DataFrame:
        out = technical(panel=panel, spec=spec)
        return canonical(out, registry.contracts["features.technical"])

    def of_macro(panel: pl.DataFrame) -> pl.DataFrame:
        return canonical(macro(panel=panel), registry.contracts["features.macro"])

    return {"features.technical": of_technical, "features.macro": of_macro}


@pytest.fixture(scope="session")
def panel(registry: Registry) -> pl.DataFrame:
    """Return a panel with everything that goes wrong in one."""
    return panels.torn(registry, seed=1)


@pytest.fixture(scope="session")
def whole(registry: Registry) -> pl.DataFrame:
    """Return a panel in which nothing is missing."""
    return panels.whole(registry, seed=2)
