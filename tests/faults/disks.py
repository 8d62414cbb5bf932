"""The real daemon on a disk that is full, read-only or gone for a while.

The disk is sick for the daemon and its children alone, by the shim, while a file exists;
a volume that is gone is a folder that was moved away. It never fills a real disk, and
ends only processes that it started.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cbi_stream.doors import dropping, landing, receipts
from cbi_stream.engine import fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import tail
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import SimulatedFile, lay_down
from cbi_stream.replay.pull import complex_market
from tests.faults import killing
from tests.faults.shimming import DAYS, GRAPH, NAME, copied, prepared, the_file

PATIENCE_SECONDS = 120.0
_FIRST = 50


@cache
def file_of(number: int) -> SimulatedFile:
    """Return a file with so many more sessions than the one that waits, which is 0."""
    if number == 0:
        return the_file()
    (found,) = (
        f for f in complex_market(DAYS[: _FIRST + number], lead=20) if f.name == NAME
    )
    return found


def hand_in(lake: Lake, number: int) -> None:
    """Drop a file as a person would; the disk is not sick for this process."""
    waits_until(lambda: not landing.waiting(lake), "the file before was taken in")
    file = file_of(number)
    (path,) = lay_down([file], lake.folder.parent / f"{lake.folder.name}-desk")
    dropping.drop(lake, path, dropping.Hint(as_of=file.as_of))


def waits_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds; say what did not."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            msg = f"{what}: not within {PATIENCE_SECONDS:g} s"
            raise TimeoutError(msg)
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Base:
    """A lake to copy, and the shim."""

    lake: Path
    shim: Path

    def copy(self, to: Path) -> Lake:
        """Return a copy of the lake."""
        return Lake(copied(self.lake, to), GRAPH.registry)

    def quiet(self, to: Path, files: int) -> Lake:
        """Return a lake that took in so many files, and nothing happened to it."""
        lake = self.copy(to)
        for number in range(files + 1):
            if number:
                hand_in(lake, number)
            told = landing.take_in(lake, GRAPH)
            assert all(each.taken for each in told), told
            run_wave(lake, GRAPH, probing="off")
        return lake


def base(folder: Path, shim: Path) -> Base:
    """Make the lake that every case starts from; one file waits in its landing."""
    return Base(prepared(folder.resolve()).folder, shim)


@dataclass(frozen=True, slots=True)
class Sick:
    """The daemon's process on a lake, and the file that makes its disk sick."""

    lake: Lake
    process: subprocess.Popen[str]
    marker: Path

    def begin(self) -> None:
        """Let every call that the disk would refuse fail from now on."""
        self.marker.touch()

    def end(self) -> None:
        """Let the disk be well again."""
        self.marker.unlink()

    def met(self) -> bool:
        """Return whether work met the sick disk, and not the log or the heartbeat alone."""
        path = self.marker.with_suffix(".sick.met")
        if not path.exists():
            return False
        met = [Path(line.split("\t")[2]) for line in path.read_text().splitlines()]
        besides = ("logs", "heartbeat")
        return any(not any(b in str(each.parts) for b in besides) for each in met)

    def lives(self) -> bool:
        """Return whether the daemon is up."""
        return self.process.poll() is None

    def took(self, number: int) -> bool:
        """Return whether a file was taken, and what became of its lines is known."""
        told = receipts.read(self.lake.folder / "landing" / NAME)
        mine = hashlib.sha256(file_of(number).data).hexdigest()
        return told.get("sha256") == mine and told.get("staged") is not None

    def ends_well(self) -> bool:
        """Ask the daemon to end; return whether it did so with exit code 0."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60) == 0


@contextmanager
def daemon(lake: Lake, shim: Path, act: str) -> Iterator[Sick]:
    """Run the real daemon under the shim; end it by its own id."""
    marker = lake.folder.with_name(f"{lake.folder.name}.sick")
    words = [sys.executable, "-c", killing.COMMAND, "run", "--lake", str(lake.folder)]
    more = {
        "LD_PRELOAD": str(shim),
        "SHIM_ROOT": str(lake.folder),
        "SHIM_SICK": str(marker),
        "SHIM_ACT": act,
    }
    began = time.time()
    process = subprocess.Popen(
        words, env={**os.environ, **more}, stderr=subprocess.DEVNULL, text=True
    )
    try:
        heartbeat = lake.folder / "heartbeat.json"
        waits_until(
            lambda: heartbeat.exists() and heartbeat.stat().st_mtime >= began,
            "the daemon's first heartbeat",
        )
        yield Sick(lake, process, marker)
    finally:
        process.kill()
        process.communicate()
        marker.unlink(missing_ok=True)


def events(lake: Lake, name: str) -> list[dict[str, Any]]:
    """Return the lines of the log that tell of an event."""
    lines = (lake.folder / "logs" / "cbi.log").read_text().splitlines()
    return [
        each for each in map(json.loads, filter(None, lines)) if each["event"] == name
    ]


def spells(sick: Sick, *, count: int, first: int, seed: int) -> None:
    """Let the disk be sick `count` times, from an instant by chance on, amid files."""
    chance = random.Random(seed)
    waits_until(lambda: not landing.waiting(sick.lake), "the first file is taken in")
    for number in range(first, first + count):
        if number == first:
            sick.begin()  # so that at least one file surely meets the sick disk
        hand_in(sick.lake, number)
        time.sleep(chance.uniform(0.0, 1.2))
        sick.marker.touch()
        time.sleep(chance.uniform(1.0, 2.0))
        if number == first:
            waits_until(sick.met, "work meets the sick disk")
        assert sick.lives(), "the daemon ended"
        sick.end()
        waits_until(lambda n=number: sick.took(n), f"file {number} is taken in")  # type: ignore[misc]


def differs(lake: Lake, quiet: Lake) -> list[str]:
    """Return how a lake differs from the quiet one, in words; empty where nothing."""
    found = []
    waits_until(lambda: not landing.waiting(lake), "the landing is empty")
    if killing.exports(lake) != killing.exports(quiet):
        found.append("the exports differ")
    if killing.raw_lines(lake) != killing.raw_lines(quiet):
        found.append("lines were lost or doubled")
    if any(counts["unaccounted"] for counts in fates.of_lake(lake, GRAPH).values()):
        found.append("lines are unaccounted for")
    states = [
        f"{name}/{partition}: {entry.error}"
        for name in (node.table for node in GRAPH.nodes)
        for partition, entry in lake.table(name).head()[1].partitions.items()
        if entry.state == "failed"
    ]
    found += [f"a handler was blamed: {each}" for each in states]
    for name in sorted(GRAPH.registry.contracts):
        found += [str(fault) for fault in tail.verify(lake.table(name))]
    if not prove(lake, GRAPH).identical:
        found.append("the proof says different")
    return found
