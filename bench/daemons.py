"""The real daemon, for benchmarks: started, waited for, looked at from outside, ended.

It ends only the process that it started, by its own id. What processes cost is read
from /proc, so it needs Linux. It prints nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.doors import dropping, receipts
from cbi_stream.doors.dropping import Hint
from cbi_stream.doors.heartbeat import HEARTBEAT
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.loader import Registry
from cbi_stream.replay.market import SimulatedFile, lay_down

COMMAND = "from cbi_stream.cli.app import main; main()"
PATIENCE_SECONDS = 120.0
_LOOK_SECONDS = 0.005
_TICKS = os.sysconf("SC_CLK_TCK")
_UTIME, _CSTIME = 11, 15  # in /proc/PID/stat, counted behind the name; the end is open
_PROC = Path("/proc")


@contextmanager
def running(
    lake: Lake,
    *options: str,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Iterator[int]:
    """Run `cbi run` on a lake inside the block; give its id once it has looked.

    Args:
        lake: the lake.
        options: more words for `cbi run`.
        environment: what is added to this process's.
        folder: where it is started.

    Raises:
        RuntimeError: it ended by itself.
    """
    where = str(lake.folder.absolute())
    words = [sys.executable, "-c", COMMAND, "run", "--lake", where, *options]
    began = time.time()
    process = subprocess.Popen(
        words, cwd=folder, env={**os.environ, **(environment or {})}
    )
    try:
        _until_it_looked(lake, process, began)
        yield process.pid
        if process.poll() is not None:
            msg = f"expected a daemon that stays; it ended with {process.returncode}"
            raise RuntimeError(msg)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _until_it_looked(
    lake: Lake, process: subprocess.Popen[bytes], began: float
) -> None:
    path = lake.folder / HEARTBEAT
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not path.exists() or path.stat().st_mtime < began:
        if process.poll() is not None or time.monotonic() > deadline:
            msg = f"expected a heartbeat in {path}; found none"
            raise RuntimeError(msg)
        time.sleep(0.05)


class Desk:
    """Where files are made ready, beside a lake: whole, synced, and announced.

    Then only renames are left, so that the moment of arrival is known. It is a landing
    like that of the lake, on the same volume, which nobody looks at.
    """

    def __init__(self, folder: Path, registry: Registry) -> None:
        self._inbox = folder / "inbox"
        self._lake = Lake.create(folder / "lake", registry, kind="simulated")

    def laid(self, files: Iterable[SimulatedFile]) -> list[Path]:
        """Hand files in at the desk, as `cbi drop --as-of` does at a lake."""
        found = list(files)
        paths = lay_down(found, self._inbox)
        return [
            dropping.drop(self._lake, path, Hint(as_of=file.as_of))
            for path, file in zip(paths, found, strict=True)
        ]

    @staticmethod
    def moved(lake: Lake, paths: Sequence[Path]) -> int:
        """Rename files into the lake's landing; return when, in nanoseconds."""
        landing = lake.folder / "landing"
        for path in paths:
            hint = receipts.beside(path, receipts.HINT)
            hint.rename(landing / hint.name)
        at = time.time_ns()
        for path in paths:
            path.rename(landing / path.name)
        return at


def copied(lake: Lake, file: SimulatedFile) -> int:
    """Copy a file into the landing by hand, and say with `.asof` when it was seen.

    Returns:
        When the copy was finished, in nanoseconds.
    """
    place = lake.folder / "landing" / file.name
    beside = receipts.beside(place, receipts.ASOF)
    beside.write_text(file.as_of.isoformat(), encoding="utf-8")
    place.write_bytes(file.data)
    return time.time_ns()


def until_told(lake: Lake, sha256s: Mapping[str, str]) -> None:
    """Wait until each file's receipt says what became of its lines.

    Args:
        lake: the lake.
        sha256s: by the file's name, the hash of its bytes.

    Raises:
        RuntimeError: a file was not taken, or not in time.
    """
    waiting = dict(sha256s)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting:
        for name, sha256 in list(waiting.items()):
            told = receipts.read(lake.folder / "landing" / name)
            if told.get("sha256") != sha256:
                continue
            if told["end"] == "archive" and told["staged"] is not None:
                waiting.pop(name)
            elif told["end"] == "quarantine":
                msg = f"expected {name} to be taken; {told['reason']}"
                raise RuntimeError(msg)
        if time.monotonic() > deadline:
            msg = f"expected every file to be taken; {sorted(waiting)} are not"
            raise RuntimeError(msg)
        time.sleep(_LOOK_SECONDS)


@dataclass(frozen=True, slots=True)
class Process:
    """What one process has used up to a moment."""

    name: str
    """daemon, reader, worker, tracker (of Python itself) or other."""
    cpu: float
    """Seconds, with those of its children that ended."""
    resident: int
    peak: int
    """Bytes now, and at most so far."""
    switches: int
    """How often one of its threads went to wait and came back."""


def family(pid: int) -> dict[int, Process]:
    """Return a process and all that descend from it, by id."""
    parents = {}
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(_fields(stat)[1])
        except FileNotFoundError:
            continue  # it ended while we looked
    found, fresh = {pid}, {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - found
        found |= fresh
    seen = {each: _seen(each, is_first=each == pid) for each in found}
    return {each: process for each, process in seen.items() if process}


def _fields(stat: Path) -> list[str]:
    return stat.read_text().rpartition(")")[2].split()


def _seen(pid: int, *, is_first: bool) -> Process | None:
    folder = _PROC / str(pid)
    try:
        ticks = sum(map(int, _fields(folder / "stat")[_UTIME:_CSTIME]))
        status = _status(folder / "status")
        switches = sum(
            int(_status(each)["voluntary_ctxt_switches"])
            for each in folder.glob("task/*/status")
        )
        words = (folder / "cmdline").read_bytes()
    except FileNotFoundError:
        return None
    name = "daemon" if is_first else "other"
    if not is_first:
        name = "tracker" if b"resource_tracker" in words else name
        name = "worker" if b"spawn_main" in words else name
        name = "reader" if b"\0-P\0" in words else name
    return Process(
        name,
        ticks / _TICKS,
        resident=_bytes(status, "VmRSS"),
        peak=_bytes(status, "VmHWM"),
        switches=switches,
    )


def _bytes(status: dict[str, str], name: str) -> int:
    return int(status.get(name, "0 kB").split()[0]) * 1024


def _status(path: Path) -> dict[str, str]:
    lines = (line.partition(":") for line in path.read_text().splitlines())
    return {key: value.strip() for key, _, value in lines}


def turns(lake: Lake) -> int:
    """Return how often the daemon has looked, by its heartbeat."""
    return int(json.loads((lake.folder / HEARTBEAT).read_bytes())["turns"])
