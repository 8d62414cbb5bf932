"""Who reads the bytes of a dropped file: this process, or one limited child of it.

Bytes from outside may make a reader end its process, hang it, or fill the memory: the
child is ended by its own id, the file is refused, and the next file gets a fresh one.
It never lets the bytes of a file choose what code runs.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from types import TracebackType
from typing import Protocol

import polars as pl

from cbi_stream.doors.reading import Reading, Task, reading_of
from cbi_stream.shapes.source import Parser

WALL_SECONDS = 120.0
_SERVE = "from cbi_stream.doors.child import serve; serve()"
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
_KEPT_ALL = ("PYTHON", "POLARS_")


class Reader(Protocol):
    """Whoever turns the bytes of a file into lines."""

    def read(self, parser: Parser, data: bytes, task: Task) -> Reading:
        """Return what a file holds, or why it holds nothing."""
        ...


class Here:
    """Reads in this process: for bytes that we made ourselves, and for tests."""

    def read(self, parser: Parser, data: bytes, task: Task) -> Reading:
        """Return what a file holds, or why it holds nothing."""
        return reading_of(parser, data, task)


class Child:
    """Reads in one warm child process, started at the first file.

    Use it as a context: the child ends with it.
    """

    def __init__(self, wall_seconds: float = WALL_SECONDS) -> None:
        self.wall_seconds = wall_seconds
        self.skipped: tuple[str, ...] = ()
        """The limits that this platform refused to set."""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def read(self, parser: Parser, data: bytes, task: Task) -> Reading:
        """Return what a file holds, or why it holds nothing."""
        process = self._process or self._started()
        slow = threading.Event()

        def end_it() -> None:
            slow.set()
            process.kill()

        watch = threading.Timer(self.wall_seconds, end_it)
        watch.start()
        try:
            return self._asked(process, parser, data, task=task)
        except (OSError, ValueError, EOFError):
            self.close()
            why = (
                "the reader ended its process: it needed too much, or the file broke it"
            )
            if slow.is_set():
                why = f"the reader took more than {self.wall_seconds:g} seconds"
            return Reading(refusal=why)
        except BaseException:
            self.close()  # an answer half read would be taken for the next file's
            raise
        finally:
            watch.cancel()

    def _started(self) -> subprocess.Popen[bytes]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name in _KEPT or name.startswith(_KEPT_ALL)
        }  # no key of ours goes where bytes from outside are read
        self._process = subprocess.Popen(  # noqa: S603 - our own words alone
            [sys.executable, "-P", "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            start_new_session=True,
        )
        return self._process

    def _asked(
        self,
        process: subprocess.Popen[bytes],
        parser: Parser,
        data: bytes,
        *,
        task: Task,
    ) -> Reading:
        assert process.stdin is not None
        assert process.stdout is not None
        function = parser.parse
        name = f"{function.__module__}:{function.__qualname__}"
        plain = {"parser": name, "task": asdict(task), "bytes": len(data)}
        process.stdin.write(json.dumps(plain).encode() + b"\n")
        process.stdin.write(data)
        process.stdin.flush()
        told = json.loads(process.stdout.readline())
        rows = process.stdout.read(told["bytes"])
        if len(rows) != told["bytes"]:
            raise EOFError
        self.skipped = tuple(told["skipped"])
        return Reading(
            pl.read_ipc(io.BytesIO(rows)),
            told["simulated"],
            told["cut"],
            told["refusal"],
        )
