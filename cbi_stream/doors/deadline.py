"""Cuts a connection when its time is over or a stop is asked for.

The timeouts of a client count from one byte to the next: an answer that drips in never
meets them. It never says that an answer is good, only that it came too late.
"""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any

_LOOK_SECONDS = 0.1


class Deadline:
    """The time for one answer; `over` says why it ended, if it did."""

    def __init__(self, seconds: float, stop: threading.Event) -> None:
        self.over: str | None = None
        self._seconds = seconds
        self._stop = stop
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Deadline:
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._watcher.join()
        if self._connection is not None:
            self._connection.close()

    def trace(self, event: str, values: dict[str, Any]) -> None:
        """Take note of the connection, as the client tells that it stands."""
        if not event.endswith("connect_tcp.complete"):
            return
        found: socket.socket = values["return_value"].get_extra_info("socket")
        with self._lock:
            # One of our own: TLS replaces the client's, before its first byte.
            self._connection = found.dup()
        if self.over:
            self._cut()

    def _watch(self) -> None:
        until = time.perf_counter() + self._seconds
        while not self._done.wait(_LOOK_SECONDS):
            if self._stop.is_set():
                self.over = "asked to stop"
            elif time.perf_counter() > until:
                self.over = f"no whole answer within {self._seconds:g} s"
            if self.over:
                self._cut()
                return

    def _cut(self) -> None:
        with self._lock:
            if self._connection is not None:
                # It may have ended by itself meanwhile.
                with suppress(OSError):
                    self._connection.shutdown(socket.SHUT_RDWR)
