"""Whether code and registry, as they are on the disk now, can be loaded at all.

Another process tries it: this one keeps what it has and never takes the other.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.registry import loader
from cbi_stream.words.errors import WrongUsage


def problem(graph: Graph) -> str:
    """Return why what is on the disk cannot be loaded; empty if it can.

    Raises:
        WrongUsage: the graph was built by hand: there is nothing to load.
    """
    if graph.package is None:
        msg = "a graph built by hand cannot be loaded in another process"
        raise WrongUsage(msg)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        folder = graph.registry.folder
        try:
            return pool.submit(_tried, graph.package, folder).result()
        except BrokenProcessPool:
            return "the process that tried it ended while it loaded them"


def _tried(package: str, registry: Path) -> str:
    try:
        graph = discover(loader.load(registry), package)
        fingerprint.take(graph)
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a handler's module may raise anything
        return f"{type(error).__name__}: {error}"
    return ""
