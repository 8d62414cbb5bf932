"""Parsers that misbehave, for the reader's child. None of them reads a line."""

from __future__ import annotations

import os
import resource
import time
from typing import Any

from cbi_stream.shapes.source import source


def _toy(function: Any) -> Any:
    return source("toy", headers=(), recognises=lambda _: True)(function)


@_toy
def ends_itself(data: bytes, key: str | None) -> None:
    """End the process at once."""
    os._exit(0)


@_toy
def takes_all_memory(data: bytes, key: str | None) -> None:
    """Ask for more memory than there is, in a way that nobody can catch."""
    try:
        bytearray(1 << 40)
    except MemoryError:
        os.abort()


@_toy
def prints_and_dies(data: bytes, key: str | None) -> None:
    """Write what looks like an answer where answers go."""
    os.write(1, b'{"simulated": false, "bytes": 0}\n')
    os.abort()


@_toy
def sleeps(data: bytes, key: str | None) -> None:
    """Never come back."""
    time.sleep(3600)


@_toy
def raises(data: bytes, key: str | None) -> None:
    """Fail as a parser with a fault does."""
    msg = "oh"
    raise ZeroDivisionError(msg)


@_toy
def tells_environment(data: bytes, key: str | None) -> None:
    """Tell the names of the environment."""
    raise RuntimeError(" ".join(sorted(os.environ)))


@_toy
def tells_limits(data: bytes, key: str | None) -> None:
    """Tell the limits of this process."""
    told = {
        "memory": resource.getrlimit(resource.RLIMIT_AS)[0],
        "files": resource.getrlimit(resource.RLIMIT_FSIZE)[0],
        "time": resource.getrlimit(resource.RLIMIT_CPU)[0],
    }
    raise RuntimeError(" ".join(f"{name}={value}" for name, value in told.items()))
