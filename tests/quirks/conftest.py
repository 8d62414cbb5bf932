"""The project's own registry for tests of quirks. Nothing here changes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")
