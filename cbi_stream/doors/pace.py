"""Takes turns at a host: so many questions in so many seconds, over all processes.

The one door to pyrate-limiter. It never speaks to a host, and it counts questions, not
answers: a turn that was taken is spent, whatever becomes of it.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from pyrate_limiter import Rate, RateItem, SQLiteBucket

from cbi_stream.lake import durable
from cbi_stream.registry.fetching import Pace
from cbi_stream.words import clock
from cbi_stream.words.errors import LockHeld, SourceUnavailable

_DAY = 86_400_000
_TORN = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
_LOCK_SECONDS = 0.02


class Turns:
    """The turns of one lake, in a file that all its processes share."""

    def __init__(
        self,
        folder: Path,
        *,
        stop: threading.Event | None = None,
        longest: float = 120.0,
    ) -> None:
        self.path = folder / "pace.sqlite"
        self._stop = stop or threading.Event()
        self._longest = longest

    def take(self, host: str, pace: Pace) -> float:
        """Wait for a turn at a host and take it; return how many seconds that took.

        Two sources may ask the same host at different paces: each counts the
        questions of both.

        Raises:
            SourceUnavailable: a stop came first, the next turn is farther away than
                anybody waits for, or the turns cannot be counted.
        """
        began = time.perf_counter()
        while wait := self._wait_of(host, pace):
            self._pause(wait, host)
        return time.perf_counter() - began

    def _wait_of(self, host: str, pace: Pace) -> float:
        """Take a turn if there is one and return 0, else the seconds until there is."""
        try:
            # A bucket counts first and adds then: without a lock around both, three
            # processes took seven turns where five were free.
            with durable.locked(self.path.with_suffix(".lock"), wait=False):
                return self._counted(host, pace)
        except LockHeld:
            return _LOCK_SECONDS
        except (sqlite3.Error, OSError) as error:
            said = str(error)
        msg = (
            f"expected to count the questions to {host} in {self.path}; {said}. "
            "Mend: make room on the disk, or remove that file"
        )
        raise SourceUnavailable(msg)

    def _counted(self, host: str, pace: Pace) -> float:
        try:
            return self._asked(host, pace)
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode not in _TORN:
                raise
        # What it held is worth a few seconds of waiting, no more.
        self.path.unlink()
        self.path.with_name(f"{self.path.name}-journal").unlink(missing_ok=True)
        return self._asked(host, pace)

    def _asked(self, host: str, pace: Pace) -> float:
        rate = Rate(pace.questions, max(1, math.ceil(pace.seconds * 1000)))
        bucket = SQLiteBucket.init_from_file([rate], table=host, db_path=str(self.path))
        with closing(bucket):
            now = int(clock.now().timestamp() * 1000)
            # A clock that was set back leaves turns in the future; they would be
            # waited for as long as it went back. A host's name holds no quotes.
            later = f'DELETE FROM "{host}" WHERE item_timestamp > ?'  # noqa: S608
            bucket.conn.execute(later, (now,))
            # Another source's pace may count further back than this one's.
            bucket.leak(now - 2 * _DAY)
            item = RateItem(host, now)
            if bucket.put(item):
                return 0.0
            waiting = bucket.waiting(item)
            assert isinstance(waiting, int)
            return max(waiting, 1) / 1000

    def _pause(self, seconds: float, host: str) -> None:
        if seconds > self._longest:
            again = clock.now() + timedelta(seconds=seconds)
            msg = (
                f"all questions that {host} takes are asked; the next one may be asked "
                f"at {again:%Y-%m-%dT%H:%M:%SZ} (pace, data_sources.yaml)"
            )
            raise SourceUnavailable(msg)
        if self._stop.wait(seconds):
            msg = f"asked to stop while waiting for a turn at {host}; ask again later"
            raise SourceUnavailable(msg)
