"""The reader's child: takes files from its parent one by one, with limits on itself.

What comes in is a line of JSON and the bytes of a file; what goes out is a line of JSON
and rows in Arrow's format. It opens no file but those of its own code, to say what it
was loaded from; code never comes over this road.
"""

from __future__ import annotations

import io
import json
import os
import pkgutil
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from cbi_stream.doors.reading import Reading, Task, reading_of
from cbi_stream.engine.sources import digest_of
from cbi_stream.shapes.source import Parser

CPU_SECONDS = 60
MEMORY_BYTES = 4 * 1024**3


def serve() -> None:
    """Answer tasks from stdin until it ends."""
    sys.dont_write_bytecode = True
    tasks = sys.stdin.buffer
    # What a library may print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _greet(json.loads(tasks.readline() or "{}"), answers)
    while True:
        header = tasks.readline()
        if not header:
            return
        plain = json.loads(header)
        data = tasks.read(plain["bytes"])
        parser = _parser(plain["parser"])
        renew_cpu()
        reading = reading_of(parser, data, Task(**plain["task"]))
        answer(answers, reading)


def _greet(plain: dict[str, Any], to: BinaryIO) -> None:
    """Load every parser, say what that code is, and take the limits on."""
    for name in plain.get("parsers", ()):
        _parser(name)
    digest = digest_of(tuple(map(Path, plain.get("folders", ()))))
    told = {"digest": digest, "skipped": limited()}
    to.write(json.dumps(told).encode() + b"\n")
    to.flush()


def _parser(name: str) -> Parser:
    found = pkgutil.resolve_name(name)
    assert isinstance(found, Parser), name
    return found


def answer(to: BinaryIO, reading: Reading) -> None:
    """Write one answer."""
    rows = io.BytesIO()
    reading.lines.write_ipc(rows, compression="uncompressed")
    plain = {
        "simulated": reading.simulated,
        "cut": reading.cut,
        "refusal": reading.refusal,
        "bytes": rows.tell(),
    }
    to.write(json.dumps(plain).encode() + b"\n")
    to.write(rows.getvalue())
    to.flush()


def limited() -> list[str]:
    """Limit memory and files of this process; return the limits it could not set."""
    limits: list[tuple[str, Callable[[], Any]]] = [
        ("memory", lambda: _lower(resource.RLIMIT_AS, _memory_now() + MEMORY_BYTES)),
        ("files", lambda: _lower(resource.RLIMIT_FSIZE, 0)),
        ("time", renew_cpu),
    ]
    skipped = []
    for name, limit in limits:
        try:
            limit()
        except (OSError, ValueError):
            skipped.append(name)
    return skipped


def renew_cpu() -> None:
    """Let this process compute for another minute, and no longer."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _lower(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime) + CPU_SECONDS)


def _lower(what: int, soft: int) -> None:
    _, hard = resource.getrlimit(what)
    most = soft if hard == resource.RLIM_INFINITY else min(soft, hard)
    resource.setrlimit(what, (most, hard))


def _memory_now() -> int:
    """Return the size of this process's address space in bytes.

    Raises:
        OSError: the platform does not tell.
    """
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    return pages * resource.getpagesize()
