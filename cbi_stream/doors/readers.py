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
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any, Protocol

import polars as pl

from cbi_stream.doors.reading import Reading, Task, reading_of
from cbi_stream.engine.graph import Graph
from cbi_stream.shapes.source import Parser
from cbi_stream.words.errors import CodeChanged

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
    """Reads in one warm child process, started at the first file unless told earlier.

    Use it as a context: the child ends with it.

    Args:
        graph: what this process has loaded: a child of other code is refused.
        wall_seconds: how long one file may take.
    """

    def __init__(
        self, graph: Graph | None = None, *, wall_seconds: float = WALL_SECONDS
    ) -> None:
        self.graph = graph
        self.wall_seconds = wall_seconds
        self.skipped: tuple[str, ...] = ()
        """The limits that this platform refused to set."""
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False

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
        self._is_ready = False
        if process is not None:
            process.kill()
            process.communicate()

    def warm(self) -> None:
        """Start the child now; it loads every parser, and nobody waits for that."""
        if self._process is not None:
            return
        self._process = self._started()
        sources = self.graph.sources if self.graph else None
        known = self.graph.parsers.values() if self.graph else ()
        plain = {
            "parsers": [_name(parser) for parsers in known for parser in parsers],
            "folders": [str(each) for each in sources.folders] if sources else [],
        }
        with suppress(BrokenPipeError):  # it ended as it began: `ready` says so
            _say(self._process, plain)

    def ready(self) -> None:
        """Wait until the child has loaded the code that this process has.

        Raises:
            CodeChanged: it has loaded other code, or none.
        """
        self.warm()
        if self._is_ready:
            return
        process = self._process
        assert process is not None
        try:
            told = _heard(process)
            if self.graph is not None and self.graph.sources is not None:
                self.graph.sources.check(told["digest"])
        except (OSError, ValueError, EOFError) as error:
            self.close()
            msg = (
                "expected a reader of the code that this process loaded; it ended as "
                f"it began ({error!r}): `cbi doctor` says whether the files load"
            )
            raise CodeChanged(msg) from error
        except BaseException:
            self.close()
            raise
        self.skipped = tuple(told["skipped"])
        self._is_ready = True

    def read(self, parser: Parser, data: bytes, task: Task) -> Reading:
        """Return what a file holds, or why it holds nothing.

        Raises:
            CodeChanged: the child was loaded from other code than this process.
        """
        self.ready()
        process = self._process
        assert process is not None
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
        return subprocess.Popen(  # noqa: S603 - our own words alone
            [sys.executable, "-P", "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            start_new_session=True,
        )

    def _asked(
        self,
        process: subprocess.Popen[bytes],
        parser: Parser,
        data: bytes,
        *,
        task: Task,
    ) -> Reading:
        assert process.stdout is not None
        plain = {"parser": _name(parser), "task": asdict(task), "bytes": len(data)}
        _say(process, plain, data)
        told = _heard(process)
        rows = process.stdout.read(told["bytes"])
        if len(rows) != told["bytes"]:
            raise EOFError
        return Reading(
            pl.read_ipc(io.BytesIO(rows)),
            told["simulated"],
            told["cut"],
            told["refusal"],
        )


def _name(parser: Parser) -> str:
    return f"{parser.parse.__module__}:{parser.parse.__qualname__}"


def _say(
    process: subprocess.Popen[bytes], plain: dict[str, Any], data: bytes = b""
) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(plain).encode() + b"\n")
    process.stdin.write(data)
    process.stdin.flush()


def _heard(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told
