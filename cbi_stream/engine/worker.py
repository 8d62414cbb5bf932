"""A warm process that runs jobs: killable when one takes too long or too much.

The parent decides and commits; the worker computes one job after the other from pinned
versions and hands back a finished file. It never commits, and a job that ends its
process fails alone: the next one gets a fresh process.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

from cbi_stream.engine.graph import Graph, discover
from cbi_stream.engine.job import Job, Outcome
from cbi_stream.engine.step import run
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.words.errors import CbiError, CodeChanged, DamagedLake, WrongUsage

WALL_SECONDS = 600.0
MEMORY_BYTES = 8 * 1024**3
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Place:
    """What a worker must open to run jobs."""

    lake: Path
    registry: Path
    package: str
    digest: str
    """What the parent was loaded from: a worker of other code must not work for it."""


class Worker:
    """Runs jobs in one warm spawned process. Use it as a context: it ends with it."""

    def __init__(
        self, *, wall_seconds: float = WALL_SECONDS, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self.wall_seconds = wall_seconds
        self.memory_bytes = memory_bytes
        self._process: Any = None
        self._pipe: Connection | None = None
        self._place: _Place | None = None
        self._is_ready = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = self._place = None
        self._is_ready = False
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join()

    def warm(self, lake: Lake, graph: Graph) -> None:
        """Start the process now; what it has loaded is asked at its first job."""
        self._start(_place_of(lake, graph))

    def outcomes(
        self, lake: Lake, graph: Graph, jobs: Iterable[Job]
    ) -> Iterator[Outcome]:
        """Run the jobs and yield their outcomes, in order.

        Raises:
            WrongUsage: the graph was built by hand: another process cannot find it.
            DamagedLake: an input is not what was written.
            OSError: the disk refused: that is no fault of a handler.
            CodeChanged: code or registry are no longer those that the parent loaded.
        """
        place = _place_of(lake, graph)
        for job in jobs:
            yield self._run(place, job)

    def _run(self, place: _Place, job: Job) -> Outcome:
        pipe = self._started(place)
        try:
            pipe.send(job)
            if not pipe.poll(self.wall_seconds):
                why = f"it took more than {self.wall_seconds:g} seconds"
                return self._lost(job, why)
            answer = pipe.recv()
        except (EOFError, OSError):
            return self._lost(job, "it ended its process: it may need too much memory")
        except BaseException:
            self.close()  # an answer half read would be taken for the next job's
            raise
        if isinstance(answer, CbiError | OSError):
            raise answer
        assert isinstance(answer, Outcome), answer
        return answer

    def _lost(self, job: Job, why: str) -> Outcome:
        self.close()
        return Outcome(job, error=f"HandlerFailed: {job.table}/{job.partition}: {why}")

    def _start(self, place: _Place) -> None:
        if self._place != place:
            self.close()
        if self._pipe is None:
            context = multiprocessing.get_context("spawn")
            mine, its = context.Pipe()
            self._process = context.Process(
                target=serve, args=(its, place, self.memory_bytes), daemon=True
            )
            self._process.start()
            its.close()
            self._pipe, self._place = mine, place

    def _started(self, place: _Place) -> Connection:
        """Return the way to a process that has loaded the same as this one."""
        self._start(place)
        assert self._pipe is not None
        if not self._is_ready:
            try:
                self._greeted(self._pipe, place)
            except BaseException:
                self.close()
                raise
            self._is_ready = True
        return self._pipe

    def _greeted(self, pipe: Connection, place: _Place) -> None:
        try:
            if not pipe.poll(_START_SECONDS):
                msg = f"expected a worker within {_START_SECONDS:g} s; it did not start"
                raise WrongUsage(msg)
            if pipe.recv() == place.digest:
                return
            why = "have changed since this process was loaded: start it again"
        except EOFError:
            why = "cannot be loaded any more: `cbi doctor` names the file"
        msg = f"expected the code and registry of this process; on the disk they {why}"
        raise CodeChanged(msg)


def _place_of(lake: Lake, graph: Graph) -> _Place:
    if graph.package is None:
        msg = "a graph built by hand cannot run in another process"
        raise WrongUsage(msg)
    digest = graph.sources.digest if graph.sources else ""
    return _Place(lake.folder, graph.registry.folder, graph.package, digest)


def serve(pipe: Connection, place: _Place, memory_bytes: int) -> None:
    """Answer jobs until the pipe closes; called in the worker's process."""
    graph = discover(loader.load(place.registry), place.package)
    lake: Lake | None = None
    _limit_memory(memory_bytes)
    pipe.send(graph.sources.digest if graph.sources else "")
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)  # the parent is gone, or wants no more
        try:
            # Not before the greeting: a volume that is away is no fault of the code.
            lake = lake or Lake(place.lake, graph.registry)
        except (CbiError, OSError) as error:
            pipe.send(error)
            continue
        pipe.send(_answer(lake, graph, job))


def _answer(lake: Lake, graph: Graph, job: Job) -> Outcome | DamagedLake | OSError:
    try:
        return run(lake, graph, job)
    except (DamagedLake, OSError) as error:
        return error
    except MemoryError:
        return Outcome(
            job, error=f"HandlerFailed: {job.table}: it needs too much memory"
        )


def _limit_memory(most: int) -> None:
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (OSError, ValueError):
        return  # this platform sets no such limit: the wall clock still ends a job
