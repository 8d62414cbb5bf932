"""The clock of the sources: it calls each source's action when the agenda says so.

The one room of APScheduler, which is used as a timer and never decides anything: when a
source is due, doors/agenda.py says; one run at a time, the source's own lock. A wall clock
that jumps, or a machine that slept, is noticed at the next look.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor  # type: ignore[import-untyped]
from apscheduler.schedulers.background import BackgroundScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from cbi_stream.doors.agenda import Agenda, Past, Why
from cbi_stream.doors.logs import Log
from cbi_stream.registry.fetching import Schedule
from cbi_stream.registry.releases import Closures
from cbi_stream.words import clock
from cbi_stream.words.errors import LockHeld

Action = Callable[[], bool]
"""Asks a source, under its lock; returns whether that brought anything new."""
Jitter = Callable[[str, datetime, int], float]
"""(source, due time, at most so many seconds) to the seconds to wait."""
Lock = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Timing:
    """How patient the clock is."""

    look_seconds: float = 30.0
    """Between two looks for a wall clock that jumped."""
    spread_seconds: float = 5.0
    """Between the first moments of two sources that are late."""
    at_once: int = 4
    """So many sources are asked at the same time."""


def jitter_of(machine: str) -> Jitter:
    """Return waits that differ by machine, source and due time, and repeat for the same.

    Args:
        machine: what tells this one from others: the lake's id.
    """

    def wait(source: str, due: datetime, most: int) -> float:
        said = f"{machine} {source} {due.astimezone(UTC).isoformat()}"
        share = int.from_bytes(hashlib.sha256(said.encode()).digest()[:4]) / 2**32
        return share * most

    return wait


_NEVER_TWICE = timedelta(hours=1)
"""A source that fires is set anew at the end of its run, or at the next look."""


class _Due(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires when the agenda says; what lies between two times is one time."""

    def __init__(self, wait: Callable[[], timedelta]) -> None:
        self._wait = wait

    def get_next_fire_time(
        self, previous_fire_time: datetime | None, now: datetime
    ) -> datetime:
        """Return when to fire next, by the timer's own clock."""
        wait = self._wait()
        if previous_fire_time is not None:
            # It fires just now: the end of that run says when the next one is.
            wait = max(wait, _NEVER_TWICE)
        return now + wait


class Clock:
    """Asks each source when it is due. `start` it once, and `stop` it once.

    Args:
        closures: when publishers are closed.
        past: what is known of a source from before: `Journals(lake).read`.
        lock: holds a source's lock: `Journals(lake).asking`. The jitter is waited for
            under it, so that no second process comes in between.
        log: takes what was done.
        now: says what time it is.
        jitter: `jitter_of(lake.id)`.
        timing: how patient it is.
    """

    def __init__(
        self,
        closures: Closures,
        *,
        past: Callable[[str], Past],
        lock: Lock,
        log: Log,
        jitter: Jitter,
        now: Callable[[], datetime] = clock.now,
        timing: Timing = Timing(),
    ) -> None:
        self._closures, self._past, self._hold = closures, past, lock
        self._log, self._jitter, self._now, self._timing = log, jitter, now, timing
        self._actions: dict[str, Action] = {}
        self._schedules: dict[str, Schedule] = {}
        self._stopping = threading.Event()
        self._slots = threading.BoundedSemaphore(timing.at_once)
        self._turnstile = threading.Lock()
        self._running: set[str] = set()
        self._idle = threading.Condition()
        self._free_at = time.perf_counter()
        self._agenda: Agenda | None = None
        self._timer: BackgroundScheduler | None = None
        self._looker = threading.Thread(target=self._keep_looking, daemon=True)

    def start(self, jobs: Mapping[str, tuple[Schedule, Action]]) -> None:
        """Begin: what was missed is asked once, one source after another.

        Args:
            jobs: by source, when it is asked, and what asks it.

        Raises:
            BadRegistry: a source is never due.
        """
        self._schedules = {source: schedule for source, (schedule, _) in jobs.items()}
        self._actions = {source: action for source, (_, action) in jobs.items()}
        past = {source: self._past(source) for source in jobs}
        now = self._now()
        self._agenda = Agenda(self._schedules, self._closures, past=past, now=now)
        for source in jobs:
            self._agenda.next_at(source, now)
        # Whatever it has to say, it says to our log, through `_run`.
        logging.getLogger("apscheduler").addHandler(logging.NullHandler())
        self._timer = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(max(1, len(jobs)))},
            # However late a run begins, it is one run, and it is wanted.
            job_defaults={
                "coalesce": True,
                "max_instances": 1,
                "misfire_grace_time": None,
            },
        )
        for source in jobs:
            self._timer.add_job(
                self._run, _Due(self._waits_for(source)), args=(source,), id=source
            )
        self._timer.start()
        self._looker.start()
        self._log.info("clock.started", sources=sorted(jobs))

    def stop(self, *, wait_seconds: float = 10.0) -> bool:
        """Begin no run any more, and wait a little for those that go on.

        Returns:
            Whether all have ended.
        """
        self._stopping.set()
        if self._timer is not None:
            self._timer.shutdown(wait=False)
            self._looker.join(wait_seconds)
            self._timer = None
        with self._idle:
            ended = self._idle.wait_for(lambda: not self._running, wait_seconds)
            left = sorted(self._running)
        self._log.info("clock.stopped", still_running=left)
        return ended

    def look(self) -> None:
        """Compare the timer with the agenda, and set right what differs.

        The timer waits for a length of time: it does not see that the wall clock was
        set, nor that the machine slept.
        """
        for source in self._schedules:
            self._set(source)

    def _keep_looking(self) -> None:
        while not self._stopping.wait(self._timing.look_seconds):
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - no look, no source is asked
                self._log.error("look.failed", error=error)

    def _waits_for(self, source: str) -> Callable[[], timedelta]:
        def wait() -> timedelta:
            assert self._agenda is not None
            now = self._now()
            return self._agenda.next_at(source, now) - now

        return wait

    def _set(self, source: str) -> None:
        timer = self._timer
        if timer is None or self._stopping.is_set() or source in self._running:
            return
        job, at = timer.get_job(source), clock.now() + self._waits_for(source)()
        if job is not None and abs(job.next_run_time - at) > timedelta(seconds=1):
            timer.modify_job(source, next_run_time=at)

    def _run(self, source: str) -> None:
        assert self._agenda is not None
        with self._idle:
            if self._stopping.is_set() or source in self._running:
                return
            self._running.add(source)
        brought = False
        why, due = self._agenda.begin(source, self._now())
        try:
            brought = self._asked(source, why, due=due)
        finally:
            self._agenda.end(source, self._now(), brought=brought)
            with self._idle:
                self._running.discard(source)
                self._idle.notify_all()
            self._set(source)

    def _asked(self, source: str, why: Why, *, due: datetime) -> bool:
        """Ask a source under its lock; whatever goes wrong is logged, and tried again."""
        log = self._log.bind(source=source, why=why, due=due.isoformat())
        try:
            with self._hold(source):
                if not self._paused(source, why, due=due):
                    return False
                log.info("poll.started")
                try:
                    brought = self._actions[source]()
                finally:
                    self._slots.release()
        except LockHeld as error:
            log.info("poll.left", reason=str(error))
            return False
        except BaseException as error:  # noqa: BLE001 - a polars panic is no Exception
            log.error("poll.failed", error=error)
            return False
        log.info("poll.ended", brought=brought)
        return brought

    def _paused(self, source: str, why: Why, *, due: datetime) -> bool:
        """Wait for its moment and for a free slot; return whether it may go on."""
        if why == "due":
            most = self._schedules[source].jitter_seconds
            seconds = self._jitter(source, due, most)
        else:
            seconds = self._queued() if why == "late" else 0.0
        if self._stopping.wait(seconds):
            return False
        while not self._slots.acquire(timeout=0.2):
            if self._stopping.is_set():
                return False
        return True

    def _queued(self) -> float:
        """Return how long to wait, so that late sources begin one after another."""
        with self._turnstile:
            now = time.perf_counter()
            at = max(now, self._free_at)
            self._free_at = at + self._timing.spread_seconds
            return at - now
