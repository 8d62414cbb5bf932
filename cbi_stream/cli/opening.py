"""Finds the lake and the registry that a verb speaks of. It creates neither."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import handlers
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry

LakeFolder = Annotated[
    Path, Parameter(name="--lake", env_var="CBI_LAKE", help="Folder of the lake.")
]
AsJson = Annotated[
    bool, Parameter(name="--json", negative="", help="Print one JSON object.")
]
DEFAULT_LAKE = Path("lake")


def registry() -> Registry:
    """Return the registry: the folder CBI_REGISTRY, else the one beside handlers/."""
    named = os.environ.get("CBI_REGISTRY")
    beside = Path(handlers.__file__ or "").resolve().parent.parent / "registry"
    return loader.load(Path(named) if named else beside)


def opened(folder: Path) -> tuple[Lake, Graph]:
    """Return an existing lake and the graph of handlers."""
    found = registry()
    return Lake(folder, found), discover(found)


@contextmanager
def dispatching(lake: Lake) -> Iterator[None]:
    """Hold the lock of the one process that writes right of raw."""
    with durable.locked(lake.folder / "dispatch.lock", wait=False):
        lake.sweep()
        yield
