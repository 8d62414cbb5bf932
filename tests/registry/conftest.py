"""A copy of the project's registry that a test may spoil."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import cbi_stream  # noqa: F401 - before polars, which takes its thread count from it
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry

REGISTRY = Path(__file__).resolve().parents[2] / "registry"

Edit = Callable[[str, str, str], Path]


@pytest.fixture(scope="session")
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(REGISTRY)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of the project's registry."""
    return Path(shutil.copytree(REGISTRY, tmp_path / "registry"))


@pytest.fixture
def edit(copied: Path) -> Edit:
    """Return a function that replaces one text in one file of the copy."""

    def replaced(file: str, old: str, new: str) -> Path:
        path = copied / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) >= 1, f"{file} no longer says {old!r}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return copied

    return replaced
