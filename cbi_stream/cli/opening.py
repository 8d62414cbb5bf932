"""Finds the lake and the registry that a verb speaks of. It creates neither."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

import handlers
from cbi_stream.engine.graph import Graph, discover, every_source_is_served
from cbi_stream.lake import durable, tail
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


def registry(*, rules: Path | None = None) -> Registry:
    """Return the registry: the folder CBI_REGISTRY, else the one beside handlers/.

    Args:
        rules: a file to take instead of its rules.yaml.
    """
    named = os.environ.get("CBI_REGISTRY")
    beside = Path(handlers.__file__ or "").resolve().parent.parent / "registry"
    return loader.load(Path(named) if named else beside, rules_file=rules)


def opened(folder: Path, *, rules: Path | None = None) -> tuple[Lake, Graph]:
    """Return an existing lake and the graph of handlers; `rules` as for `registry`."""
    found = registry(rules=rules)
    graph = discover(found)
    every_source_is_served(graph)
    return Lake(folder, found), graph


@contextmanager
def dispatching(lake: Lake, *, mending: bool = True) -> Iterator[list[str]]:
    """Hold the lock of the one process that writes right of raw.

    Args:
        lake: the lake.
        mending: check the tails of all tables first: what a power cut tore is set aside,
            and a table that is damaged below its newest commit is refused while the
            others go on. A proof does not: it shows the damage as it is.

    Yields:
        What was set aside, in words.

    Raises:
        LockHeld: another process holds it.
    """
    with durable.locked(lake.folder / "dispatch.lock", wait=False):
        lake.sweep()
        torn = []
        for found in tail.check_lake(lake, lake.registry.contracts) if mending else ():
            if found.damage:
                lake.refused[found.table] = found.damage
            torn += [f"torn, so set aside: {fault}" for fault in found.found]
        for each in torn:
            print(each, file=sys.stderr)
        yield torn
