"""Has each source asked when it is due, by a process of its own: `cbi ingest SOURCE`.

What is asked by the clock goes the very way of what a person asks by hand. A process of
its own keeps what it reads out of the dispatcher, runs the code that is on the disk, and
can be ended. This room never asks anybody itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from datetime import datetime
from functools import partial

from cbi_stream.doors.journal import Journals
from cbi_stream.doors.logs import Log
from cbi_stream.doors.schedule import Clock, jitter_of
from cbi_stream.doors.secrets import secret
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.fetching import Fetch
from cbi_stream.words.errors import LockHeld, SourceUnavailable

OFFLINE = "CBI_OFFLINE"
_RUN = "from cbi_stream.cli.app import main; main()"
_LONGEST_SECONDS = 3600.0
_LAST_SECONDS = 10.0
_LOOK_SECONDS = 0.5
_HELD, _PARTIAL = 5, 4


@contextmanager
def on_time(lake: Lake, graph: Graph, log: Log, *, offline: bool) -> Iterator[None]:
    """Ask the sources when they are due, inside the block.

    Nobody is asked where that is switched off, and in a simulated lake that names no
    replay server. A source whose key is missing is left out and named once.
    """
    known = lake.registry.data_sources
    off = offline or bool(os.environ.get(OFFLINE))
    if off or (lake.kind == "simulated" and known.replay is None):
        log.info("sources.left", reason="nobody is asked: offline, or simulated")
        yield
        return
    runs = _Runs(lake, jitter_of(lake.id))
    jobs = {}
    for name in sorted(graph.connectors):
        fetch = known.sources[name].fetch
        assert fetch is not None
        if _lacks_key(fetch):
            log.warning("source.left", source=name, reason=f"{fetch.secret} is not set")
            continue
        jobs[name] = (fetch.schedule, partial(runs.ask, name))
    clock = Clock(
        lake.registry.closures,
        past=Journals(lake).read,
        # The process that asks takes the source's lock, and waits its jitter under it.
        lock=lambda _: nullcontext(),
        log=log,
        jitter=runs.keep_jitter,
    )
    clock.start(jobs)
    try:
        yield
    finally:
        runs.end()
        clock.stop()


def _lacks_key(fetch: Fetch) -> bool:
    return bool(fetch.secret and not fetch.keyless and not secret(fetch.secret))


class _Runs:
    """The processes that ask, one for each source that is being asked."""

    def __init__(self, lake: Lake, jitter: object) -> None:
        self.lake = lake
        self._jitter = jitter
        self._seconds: dict[str, float] = {}
        self._ending = threading.Event()

    def keep_jitter(self, source: str, due: datetime, most: int) -> float:
        """Keep for the process how long it is to wait; here nobody waits."""
        assert callable(self._jitter)
        self._seconds[source] = self._jitter(source, due, most)
        return 0.0

    def ask(self, source: str) -> bool:
        """Ask a source in a process of its own; return whether that brought news.

        Raises:
            LockHeld: somebody else asks it now.
            SourceUnavailable: nothing was answered, or the process had to be ended.
        """
        jitter = self._seconds.pop(source, 0.0)
        words = ["ingest", source, "--lake", str(self.lake.folder), "--json"]
        process = subprocess.Popen(  # noqa: S603 - our own words alone
            [sys.executable, "-P", "-c", _RUN, *words, "--jitter", f"{jitter:.1f}"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        told, said = self._outcome(process, _LONGEST_SECONDS + jitter)
        if process.returncode == _HELD:
            raise LockHeld(said.strip() or f"{source} is being asked already")
        if process.returncode not in (0, _PARTIAL):
            msg = f"{source}: nothing was answered (code {process.returncode}): {said}"
            raise SourceUnavailable(msg.strip())
        return any(each["stored"] for each in json.loads(told)["polls"])

    def end(self) -> None:
        """Ask the processes that run to end."""
        self._ending.set()

    def _outcome(
        self, process: subprocess.Popen[str], seconds: float
    ) -> tuple[str, str]:
        """Wait for a process; one that takes too long, or is not wanted, is ended."""
        waited = 0.0
        while True:
            with suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=_LOOK_SECONDS)
            waited += _LOOK_SECONDS
            if self._ending.is_set() or waited >= seconds:
                break
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=_LAST_SECONDS)
        process.kill()
        return process.communicate()
