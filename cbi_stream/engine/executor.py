"""Where jobs run. The interface is one method; a pool of processes fits behind it.

An executor never commits: it hands outcomes back in the order of the jobs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from cbi_stream.engine.graph import Graph
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.step import run
from cbi_stream.lake.lake import Lake


class Executor(Protocol):
    """Runs jobs somewhere."""

    def outcomes(
        self, lake: Lake, graph: Graph, jobs: Iterable[Job]
    ) -> Iterator[Outcome]:
        """Run the jobs and yield their outcomes, in order."""


class InProcess:
    """Runs each job here, one after the other."""

    def outcomes(
        self, lake: Lake, graph: Graph, jobs: Iterable[Job]
    ) -> Iterator[Outcome]:
        """Run the jobs and yield their outcomes, in order."""
        for job in jobs:
            yield run(lake, graph, job)
