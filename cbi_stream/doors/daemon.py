"""The daemon: looks at the landing and at raw, brings every table up to date, waits.

A hint only wakes it: what there is to do it reads from the landing and from the logs of
the tables, at its start, at every hint and every half minute. It keeps no state but
theirs, so it may end at any instant. It never judges a value.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Hashable
from typing import Protocol

from cbi_stream.doors import heartbeat, landing
from cbi_stream.doors.asking import asked_again
from cbi_stream.doors.backoff import Backoff
from cbi_stream.doors.checking import Checking
from cbi_stream.doors.freshness import Freshness
from cbi_stream.doors.logs import Log
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.receipts import Receipt
from cbi_stream.doors.settling import Settling
from cbi_stream.doors.telling import Telling
from cbi_stream.engine.executor import Executor
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import CbiError, DamagedLake

RESCAN_SECONDS = 30.0
_SETTLING_SECONDS = 0.5
_BEAT_SECONDS = 5.0
_SELF = "the daemon itself"
_TAKING_SECONDS = 60.0
"""So long files are taken in before tables are brought up to date in between."""


class Hints(Protocol):
    """Who may say that there is something to look at."""

    def wait(self, timeout: float) -> bool:
        """Return whether a hint came within `timeout` seconds."""
        ...

    def alive(self) -> bool:
        """Return whether hints can still come."""
        ...

    def renew(self) -> object:
        """Begin to watch anew."""
        ...


class Daemon:
    """One dispatcher. Call `run` once, under the dispatcher's lock."""

    def __init__(
        self,
        lake: Lake,
        graph: Graph,
        *,
        hints: Hints,
        reader: Reader,
        executor: Executor,
        log: Log,
    ) -> None:
        self.lake, self.graph = lake, graph
        self.hints, self.reader, self.executor = hints, reader, executor
        self.log = log
        self.turns = 0
        self.outdated = False
        """Whether it ended since code or registry changed: it is to begin anew."""
        self._stopping = threading.Event()
        self._settling = Settling()
        self._backoff = Backoff()
        self._freshness = Freshness(graph)
        self._asked: set[Hashable] = set()
        self._telling = Telling(log)
        self._broken = ""
        self._owing = True
        self._checking = Checking(lake, log)
        self._began = clock.now()
        self._beaten = float("-inf")

    def stop(self) -> None:
        """Ask it to end after the job and the commit at hand."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stopping.is_set()

    def run(self) -> None:
        """Work until asked to stop."""
        self.log.info("daemon.started", pid=os.getpid(), kind=self.lake.kind)
        while not self.stopping:
            seconds = self._guarded_turn()
            self._beat()
            self._look_at_code()
            if not self.stopping and seconds > 0:
                self._wait(seconds)
        self.log.info("daemon.stopped", turns=self.turns)

    def _guarded_turn(self) -> float:
        """Take one turn; whatever goes wrong is logged, and tried again later."""
        try:
            self._same_volume()
            seconds = self.turn()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
            wait = min(self._backoff.failed(_SELF), 60.0)
            self._broken, self._owing = f"{type(error).__name__}: {error}", True
            self.log.error("turn.failed", error=error, again_in_s=round(wait, 1))
            return wait
        self._backoff.worked(_SELF)
        if self._broken:
            # The lines of the failure may have found no room in the log.
            self.log.warning("turn.recovered", reason=self._broken)
            self._broken = ""
        return seconds

    def turn(self) -> float:
        """Look once, do what there is to do; return how long it may wait after that.

        Raises:
            CbiError: a step of the platform itself failed.
            OSError: the disk refused.
        """
        self.turns += 1
        start = time.perf_counter()
        told = landing.take_in(
            self.lake,
            self.graph,
            reader=self.reader,
            settling=self._settling,
            stopping=self._is_stopping,
            seconds=_TAKING_SECONDS,
        )
        left = [receipt for receipt in told if receipt.end != "waiting"]
        report = run_wave(
            self.lake,
            self.graph,
            executor=self.executor,
            again=asked_again(self.lake),
            due=self._is_due,
            stopping=self._is_stopping,
        )
        done = landing.complete(self.lake, self.graph, left)
        self._telling.files([*done, *(r for r in told if r.end == "waiting")])
        spent = time.perf_counter() - start
        self._telling.wave(report, seconds=spent, waits=self._waits(report))
        if left or not report.quiet:
            return 0.0
        if self._owing:
            # Files that were taken before a turn broke, or by a process that ended.
            landing.complete(self.lake, self.graph, landing.incomplete(self.lake))
            self._owing = False
        # Nothing else is to do: stored files are read again, a few at a time.
        if self._checking.look():
            return 0.0
        return self._until_next(told)

    def _is_stopping(self) -> bool:
        """Return whether it was asked to end; what takes long asks now and then."""
        self._beat()
        return self.stopping

    def _look_at_code(self) -> None:
        """End if other code is on the disk; say so if it cannot be loaded."""
        was = self._freshness.problem
        state = self._freshness.look()
        if state == "changed":
            self.log.info("code.changed", mend="none: the daemon begins anew with it")
            self.outdated = True
            self.stop()
        elif state == "broken" and self._freshness.problem != was:
            self.log.error(
                "code.refused",
                reason=self._freshness.problem,
                mend="mend the file; till then the daemon goes on with what it loaded",
            )

    def _is_due(self, table: str, partition: str) -> bool:
        self._asked.add((table, partition))
        return self._backoff.due((table, partition))

    def _until_next(self, told: list[Receipt]) -> float:
        seconds = RESCAN_SECONDS
        if any(receipt.unsettled for receipt in told):
            seconds = _SETTLING_SECONDS
        retry = self._backoff.seconds_to_next()
        return seconds if retry is None else min(seconds, max(retry, 0.05))

    def _waits(self, report: WaveReport) -> dict[tuple[str, str], float]:
        """Note what failed; return in how many seconds each may be tried again."""
        failed = [
            (name, partition)
            for name, table in report.tables.items()
            for partition in table.failed
        ]
        waits = {place: self._backoff.failed(place) for place in failed}
        # One that nobody asked for is set aside for good: waiting for it would never end.
        self._backoff.keep({_SELF, *failed, *self._asked})
        self._asked.clear()
        return waits

    def _wait(self, seconds: float) -> None:
        """Wait for a hint, in steps so short that a stop is heard at once."""
        deadline = time.perf_counter() + seconds
        while not self.stopping and (left := deadline - time.perf_counter()) > 0:
            if self.hints.wait(min(left, 0.5)):
                return
            if not self.hints.alive():
                self.log.info("observer.renewed")
                self.hints.renew()
                return
            self._look_at_code()

    def _same_volume(self) -> None:
        """Refuse to work where another volume, or none, stands in the lake's place.

        Raises:
            DamagedLake: the lake's identity is not there.
        """
        path = self.lake.folder / "lake.json"
        try:
            found = json.loads(path.read_bytes())["id"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            msg = (
                f"{path}: expected this lake's identity; {error!r}: is its volume gone?"
            )
            raise DamagedLake(msg) from error
        if found != self.lake.id:
            msg = f"{path}: expected the lake {self.lake.id}; found {found}"
            raise DamagedLake(msg)

    def _beat(self) -> None:
        """Say that it lives, now and then. A disk that refuses must not end it."""
        if time.perf_counter() - self._beaten < _BEAT_SECONDS and not self.stopping:
            return
        self._beaten = time.perf_counter()
        try:
            heartbeat.beat(
                self.lake,
                pid=os.getpid(),
                started_at=self._began.isoformat(),
                turns=self.turns,
                observer=self.hints.alive(),
                code=self._freshness.problem,
                leaving=self.stopping,
            )
        except (OSError, CbiError) as error:
            self.log.warning("heartbeat.missed", error=error)
