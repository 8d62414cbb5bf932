"""Times looks, openings, appends and checks of a table whose log grows to 10,000 commits.

Two tables grow: a record, by appends of one line, and a derived one, by commits that
replace a partition; both as the product makes them, with its checkpoints. Only the
commits in between, which nobody times, are not synced. One JSON line per figure. It
asserts nothing about speed, and reads no real file.

Run: python -m bench.log_growth
     python -m bench.log_growth --sizes 10 100 1000 --tables record

All sizes take about ten minutes.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from unittest import mock

import polars as pl

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from bench.figures import say, say_seconds, timed
from bench.lakes import OIL, registry_since
from cbi_stream.engine.graph import discover
from cbi_stream.engine.wave import input_of
from cbi_stream.lake import arrivals, durable, log, tail
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.canonical import canonical, digest, schema_of
from cbi_stream.lake.commit import Finished, commit
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import append_lines
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe
from cbi_stream.lake.table import Table, write_parquet
from cbi_stream.registry.loader import Registry
from cbi_stream.replay.market import market
from cbi_stream.words.span import Span

SIZES = (10, 100, 1_000, 10_000)
LOOKS, ROUNDS, COLD_ROUNDS = 50, 20, 5
FIRST = 1978  # so many years that each of 10,000 appends brings a session of its own
LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


class Grown(Protocol):
    """A table that somebody commits to again and again."""

    table: Table

    def grow(self) -> None:
        """Commit once more."""
        ...


@dataclass
class Record:
    """A raw table: each commit brings the line of one session, seen that evening."""

    lake: Lake
    lines: pl.DataFrame
    table: Table = field(init=False)
    count: int = 0

    def __post_init__(self) -> None:
        """Find the table."""
        self.table = self.lake.table("raw.yahoo")

    def seen(self, after: int) -> datetime:
        """Return when the file that comes so many after the last one is seen."""
        day = self.lines["date"][self.count + after]
        return datetime.combine(day, datetime.min.time(), UTC)

    def grow(self) -> None:
        """Append the line of the next session."""
        line, seen = self.lines[self.count : self.count + 1], self.seen(0)
        self.count += 1
        append_lines(
            self.table,
            line,
            Arrival("yahoo", "ZL", OIL, f"{self.count:064x}", "x", seen),
            work=self.lake.work,
        )


@dataclass
class Derived:
    """A table of 22 years: each commit replaces its newest one, as a session does."""

    lake: Lake
    table: Table = field(init=False)
    partitions: dict[str, Partition] = field(default_factory=dict)
    count: int = 0

    def __post_init__(self) -> None:
        """Find the table, and fill its years."""
        self.table = self.lake.table("features.panel")
        self._put([str(year) for year in range(2000, 2022)])

    def grow(self) -> None:
        """Replace the newest year by other rows."""
        self.count += 1
        self._put(["2021"])

    def _put(self, years: list[str]) -> None:
        recipe = Recipe(
            "f" * 64, {"staging.prices": (self.count, f"{self.count:064x}")}
        )
        finished = {}
        for year in years:
            frame = _year_of_rows(self.table, int(year), self.count)
            path = self.lake.work / f"{uuid.uuid4().hex}.parquet"
            stored = write_parquet(frame, path)
            days = Span(date(int(year), 1, 1), date(int(year) + 1, 1, 1))
            entry = Partition(digest(frame), frame.height, (), recipe, days)
            finished[year] = Finished(path, stored, entry)
        version, current = self.table.head()
        written = PartitionMap(current.partitions)
        commit(self.table, finished, expected=version, written=written)


def _year_of_rows(table: Table, year: int, value: int) -> pl.DataFrame:
    days = [date(year, 1, 1) + timedelta(days=i) for i in range(250)]
    contract = table.contract
    one = next(n for n, c in contract.columns.items() if c.type == "float")
    full: dict[str, Any] = {name: [None] * len(days) for name in contract.columns}
    full |= {"date": days, one: [float(value)] * len(days)}
    return canonical(pl.DataFrame(full, schema=schema_of(contract)), contract)


def record(lake: Lake) -> Record:
    """Return the raw table of prices, and the lines of a long market to append."""
    known = lake.registry
    days = known.sessions.between(Span(date(FIRST, 1, 1), date(2022, 1, 1)))
    oil = next(file for file in market(days) if file.name == OIL)
    parser = discover(known).parsers["yahoo"][0]
    return Record(lake, parser.parse(oil.data, "ZL"))


TABLES: dict[str, Callable[[Lake], Grown]] = {"record": record, "derived": Derived}


@contextmanager
def unsynced() -> Iterator[None]:
    """Let nothing reach the disk inside the block: only commits that nobody times."""
    with mock.patch.object(durable, "sync", _nothing):
        yield


def _nothing(_: Path) -> None:
    pass


def forgotten() -> None:
    """Forget what this process knows of logs, as one that just started."""
    log._known.clear()
    log._map_of.cache_clear()


def look(lake: Lake) -> None:
    """Read what the daemon reads when it looks: the head of every table."""
    for name in lake.registry.contracts:
        input_of(lake.table(name))


def cold(lake: Lake, work: Callable[[Lake], object]) -> float:
    """Return the seconds of some work in a process that knows no log yet."""
    forgotten()
    again = Lake(lake.folder, lake.registry)
    return timed(lambda: work(again))


def say_all(name: str, lake: Lake, grown: Grown) -> None:
    """Print what a table of this many commits costs."""
    table = grown.table.contract.table
    commits = (log.newest_version(grown.table.folder) or 0) + 1

    def say_one(figure: str, seconds: list[float]) -> None:
        say_seconds(f"{name}: {figure}, s", seconds, commits=commits)

    look(lake)
    say_one("a look, warm", [timed(lambda: look(lake)) for _ in range(LOOKS)])
    say_one("a first look", [cold(lake, look) for _ in range(ROUNDS)])
    works: dict[str, Callable[[Lake], object]] = {
        "opened cold": lambda lake: lake.table(table).open(),
        "tail check": lambda lake: tail.check(lake.table(table)),
        "tail check of all tables": lambda lake: tail.check_lake(
            lake, lake.registry.contracts
        ),
    }
    if isinstance(grown, Record):
        # Each file that came about the symbol was seen later than a very late one.
        for what, as_of in (("very late", LONG_AGO), ("slightly late", grown.seen(-5))):
            works[f"what came after a {what} file"] = partial(
                _seen_later, table=table, as_of=as_of
            )
    for figure, work in works.items():
        say_one(figure, [cold(lake, work) for _ in range(COLD_ROUNDS)])
    _say_bytes(name, grown.table, commits=commits)
    grown.grow()  # the handle is warm again
    say_one("one more commit", [timed(grown.grow) for _ in range(ROUNDS)])


def _seen_later(lake: Lake, *, table: str, as_of: datetime) -> object:
    return arrivals.seen_later(lake.table(table), "ZL", as_of)


def _say_bytes(name: str, table: Table, *, commits: int) -> None:
    sizes = {
        path.name: path.stat().st_size
        for path in (table.folder / "_delta_log").iterdir()
    }
    checkpoints = sum(n for path, n in sizes.items() if "checkpoint" in path)
    total = sum(sizes.values())
    say(f"{name}: log, bytes", total, checkpoints=checkpoints, commits=commits)
    say(f"{name}: log, bytes a commit", round(total / len(sizes)), commits=commits)


def part(name: str, folder: Path, known: Registry, sizes: list[int]) -> None:
    """Grow one table in a lake of its own, and print its figures at each size."""
    lake = Lake.create(folder, known, kind="simulated")
    grown = TABLES[name](lake)
    with unsynced():
        grown.grow()
    for size in sorted(sizes):
        with unsynced():
            while (log.newest_version(grown.table.folder) or 0) + 1 < size:
                grown.grow()
        say_all(name, lake, grown)


def main() -> None:
    """Grow the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument(
        "--tables", nargs="+", choices=tuple(TABLES), default=list(TABLES)
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        known = registry_since(FIRST, Path(name) / "registry")
        for table in asked.tables:
            part(table, Path(name) / table, known, asked.sizes)


if __name__ == "__main__":
    main()
