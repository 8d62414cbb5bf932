"""A lake of six versions, made once; every test gets a copy of it to damage.

It stands twice: settled, and as it was when the newest file had been appended and no
wave had seen it. Nothing here reads a clock or real data.
"""

from __future__ import annotations

import copy
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.tail import Tail, check_lake
from cbi_stream.words import clock
from tests.laws import toy
from tests.laws.histories import World
from tests.laws.worlds import TOY_FEEDS

TABLES = ("raw.px", "staging.px", "quarantine.px", "features.expanding")
NEWEST, BELOW, DEEP = 5, 4, 3
"""Versions: the newest, the one under it, and one that a start does not read."""


def small_graph(**_: object) -> Graph:
    """Return the toy's graph with two handlers: three derived tables in two steps."""
    return build(toy.registry(), [toy.px, toy.expanding])


def _days(first: date, count: int) -> list[tuple[date, float]]:
    return [(first + timedelta(days=3 * i), 30.0 + i / 4) for i in range(count)]


# Each file but the fourth goes into a year of its own, so that older files stay.
ARRIVALS = (
    _days(date(2016, 1, 3), 20),
    _days(date(2017, 1, 3), 20),
    _days(date(2018, 1, 3), 20),
    [(date(2016, 1, 6), 99.0)],
    _days(date(2019, 1, 3), 20),
)


@dataclass
class Small:
    """A lake, and what may happen to it."""

    world: World

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.world.lake

    def folder(self, table: str) -> Path:
        """Return the folder of a table."""
        return self.lake.table(table).folder

    def arrive(self, number: int) -> None:
        """Append a file; the same one arrives at the same instant each time."""
        self.world.now = toy_start(number)
        self.world.arrive(TOY_FEEDS[0], ARRIVALS[number])

    def wave(self, *, asked: bool = False) -> None:
        """Run a wave that must not fail."""
        with clock.held_at(toy_start(9)):
            report = run_wave(self.lake, self.world.graph, probing="off", asked=asked)
        assert not report.failed, report.failed

    def check(self) -> dict[str, Tail]:
        """Look at every tail, as a process that starts does."""
        self.world.restart()
        return {tail.table: tail for tail in check_lake(self.lake, TABLES)}

    def roots(self) -> dict[str, str]:
        """Return the root of every table."""
        return {name: self.lake.table(name).head()[1].root for name in TABLES}

    def proven(self) -> bool:
        """Return whether the proof finds everything identical."""
        return prove(self.lake, self.world.graph).identical


def toy_start(number: int):
    """Return the hour before the instant at which a file arrives."""
    return World.__dataclass_fields__["now"].default + timedelta(days=number)


def _copied(world: World, folder: Path) -> Small:
    shutil.copytree(world.folder, folder, symlinks=True)
    again = copy.copy(world)
    again.folder = folder
    again.lake = Lake(folder, world.graph.registry)
    return Small(again)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Small]]:
    """Return the lake, settled and with its newest file appended only."""
    small = Small(World(small_graph(), small_graph, TOY_FEEDS[:1]))
    for number in range(len(ARRIVALS) - 1):
        small.arrive(number)
        small.wave()
    small.arrive(len(ARRIVALS) - 1)
    folder = tmp_path_factory.mktemp("made")
    found = {"appended": _copied(small.world, folder / "appended")}
    small.wave()
    found["settled"] = _copied(small.world, folder / "settled")
    small.world.close()
    for name in ("raw.px", "staging.px", "features.expanding"):
        assert found["settled"].lake.table(name).head()[0] == NEWEST
    yield found
    for each in found.values():
        shutil.rmtree(each.world.folder)


@pytest.fixture
def small(
    made: dict[str, Small], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str], Small]]:
    """Return a function that gives a copy of the lake in a state."""
    # What is torn here is torn by hand: nothing has to reach a disk.
    monkeypatch.setattr(durable, "sync", lambda _: None)
    folder = Path(tempfile.mkdtemp())
    yield lambda state="settled": _copied(made[state].world, folder / state)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def whole_roots(made: dict[str, Small]) -> dict[str, str]:
    """Return the roots of the lake that nothing happened to."""
    return made["settled"].roots()
