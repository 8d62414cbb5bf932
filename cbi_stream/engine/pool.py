"""Several workers for plans that are large, one for those that are not.

Outcomes come in the order of the jobs, whoever computed them: a pool changes how long a
wave takes and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType

from cbi_stream.engine.graph import Graph
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.worker import Worker
from cbi_stream.lake.lake import Lake

MANY = 20
"""So many partitions of one table are worth a second process, which takes its start."""


class Pool:
    """One warm worker, and more of them while a plan is large."""

    def __init__(self, size: int | None = None) -> None:
        count = size or max(1, min(8, os.cpu_count() or 1))
        self.workers = [Worker() for _ in range(count)]

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers:
            worker.close()

    def warm(self, lake: Lake, graph: Graph) -> None:
        """Start the first worker now; what it has loaded is asked at its first job."""
        self.workers[0].warm(lake, graph)

    def outcomes(
        self, lake: Lake, graph: Graph, jobs: Iterable[Job]
    ) -> Iterator[Outcome]:
        """Run the jobs and yield their outcomes, in order."""
        waiting = list(jobs)
        if len(waiting) <= MANY or len(self.workers) == 1:
            yield from self.workers[0].outcomes(lake, graph, waiting)
            return
        free: SimpleQueue[Worker] = SimpleQueue()
        for worker in self.workers:
            free.put(worker)

        def on_a_free_one(job: Job) -> Outcome:
            worker = free.get()
            try:
                (outcome,) = worker.outcomes(lake, graph, [job])
                return outcome
            finally:
                free.put(worker)

        with ThreadPoolExecutor(len(self.workers)) as threads:
            yield from threads.map(on_a_free_one, waiting)
