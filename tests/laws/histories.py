"""A world: one lake that a history of arrivals happens to, and the laws it must obey.

Every step may be followed by `settle`, which runs a wave and checks P1, P2 and P4
against the naive rebuild. Its data is invented; nothing here reads a clock.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from cbi_stream.engine.graph import Graph
from cbi_stream.engine.prove import prove
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import records
from cbi_stream.lake.arrivals import Arrival
from cbi_stream.lake.decisions import decide
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import Appended, append_lines
from cbi_stream.words import clock
from tests.laws import oracle

START = datetime(2019, 6, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Feed:
    """One series of one record table: how its lines look."""

    table: str
    entity: str
    key: str
    cells: Callable[[float], dict[str, str]]
    first: date
    step: int
    """Days between observations."""


@dataclass(slots=True)
class World:
    """A lake, what arrived so far, and counts for P2."""

    graph: Graph
    make_graph: Callable[..., Graph]
    feeds: Sequence[Feed]
    kind: str = "simulated"
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp()))
    lake: Lake = field(init=False)
    now: datetime = START
    known: dict[str, dict[date, float]] = field(default_factory=dict)
    batches: list[tuple[Feed, list[tuple[date, float]]]] = field(default_factory=list)
    rejected: list[tuple[str, int]] = field(default_factory=list)
    before: dict[str, dict[str, str]] = field(default_factory=dict)
    planned: int = 0
    changed: int = 0
    options: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        shutil.rmtree(self.folder)
        self.lake = Lake.create(self.folder, self.graph.registry, kind="simulated")
        self.known = {feed.table: {} for feed in self.feeds}

    def close(self) -> None:
        """Remove the lake."""
        shutil.rmtree(self.folder)

    # -- what may happen -------------------------------------------------------

    def arrive(
        self,
        feed: Feed,
        rows: list[tuple[date, float]],
        *,
        as_of: datetime | None = None,
    ) -> Appended:
        """Let one file of lines arrive."""
        cells = [feed.cells(value) for _, value in rows]
        lines = pl.DataFrame(
            {
                feed.entity: [feed.key] * len(rows),
                "date": [day for day, _ in rows],
                **{name: [cell[name] for cell in cells] for name in feed.cells(1.0)},
                "line": list(range(2, len(rows) + 2)),
                "problem": [None] * len(rows),
                "text": [None] * len(rows),
            },
            schema_overrides={
                "line": pl.Int64,
                "date": pl.Date,
                "problem": pl.String,
                "text": pl.String,
            },
        )
        sha256 = self.lake.archive.keep(repr((feed.key, rows)).encode())
        arrival = Arrival("toy", feed.key, "toy.csv", sha256, "toy", as_of)
        self.now += timedelta(hours=5)
        with clock.held_at(self.now):
            done = append_lines(
                self.lake.table(feed.table), lines, arrival, work=self.lake.work
            )
        assert done.lines == done.stored + done.duplicate, "P5: a line was lost"
        if as_of is None:
            self.known[feed.table].update(dict(rows))
        self.batches.append((feed, rows))
        return done

    def append(self, chance: random.Random) -> None:
        """Let the next observations arrive."""
        feed = chance.choice(list(self.feeds))
        day = max(self.known[feed.table])
        rows = []
        for _ in range(chance.randint(1, 40)):
            day += timedelta(days=feed.step * chance.choice((1, 1, 1, 1, 2, 9)))
            if day.year < 2019:
                rows.append((day, round(chance.uniform(20, 60), 2)))
        if rows:
            self.arrive(feed, rows)

    def late_row(self, chance: random.Random) -> None:
        """Let a row arrive behind the newest one."""
        feed = chance.choice(list(self.feeds))
        days = self.known[feed.table]
        if days:
            length = (max(days) - feed.first).days // feed.step
            day = feed.first + timedelta(days=feed.step * chance.randint(-20, length))
            self.arrive(feed, [(day, round(chance.uniform(20, 60), 2))])

    def correct(self, chance: random.Random) -> None:
        """Let other values arrive for old dates."""
        feed = chance.choice(list(self.feeds))
        days = sorted(self.known[feed.table])
        if days:
            picked = chance.sample(days, min(len(days), chance.choice((1, 1, 3))))
            rows = [(day, round(chance.uniform(20, 60), 2)) for day in picked]
            self.arrive(feed, rows)

    def stated_revision(self, chance: random.Random) -> None:
        """Let an old file arrive with the time at which it was seen."""
        feed = chance.choice(list(self.feeds))
        days = sorted(self.known[feed.table])
        if days:
            day = chance.choice(days)
            seen = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            seen += timedelta(days=chance.choice((0, 2, 9, 200)))
            rows = [(day, round(chance.uniform(20, 60), 2))]
            self.arrive(feed, rows, as_of=min(seen, self.now))

    def reject(self, chance: random.Random) -> None:
        """Reject a stored line, or withdraw a rejection."""
        verdict = "withdraw" if self.rejected and chance.random() < 0.5 else "reject"
        if verdict == "withdraw":
            sha256, line = self.rejected.pop()
        else:
            table = self.lake.table(chance.choice(list(self.feeds)).table)
            rows = table.read(table.head()[1].partitions.values()).sort("batch", "line")
            if not rows.height:
                return
            row = rows.row(chance.randrange(rows.height), named=True)
            sha256, line = row["sha256"], row["line"]
            self.rejected.append((sha256, line))
        self.now += timedelta(hours=1)
        with clock.held_at(self.now):
            decide(
                self.lake,
                sha256=sha256,
                line=line,
                verdict="reject" if verdict == "reject" else "withdraw",
                author="law",
                note="because",
            )

    def change_rule(self, chance: random.Random) -> None:
        """Change a number of the registry."""
        self._new_graph(max_age=chance.choice((3, 10, 30)))

    def change_code(self, chance: random.Random) -> None:
        """Exchange the code of a handler."""
        self._new_graph(other_code=chance.random() < 0.5)

    def _new_graph(self, **options: object) -> None:
        self.options |= options
        self.graph = self.make_graph(**self.options)
        self.restart()

    def restart(self, _: random.Random | None = None) -> None:
        """Forget everything that is not on the disk."""
        self.lake = Lake(self.folder, self.graph.registry)

    # -- what must change nothing ----------------------------------------------

    def duplicate(self, chance: random.Random) -> None:
        """Let the newest lines of a feed arrive again, in another order and cut."""
        feed = chance.choice(list(self.feeds))
        rows = sorted(self._newest(feed).items())
        chance.shuffle(rows)
        cut = chance.randint(0, len(rows))
        for part in (rows[:cut], rows[cut:]):
            if part:
                done = self.arrive(feed, part)
                assert done.stored == 0, "P4: a known line was stored again"

    def noise(self, chance: random.Random) -> None:
        """Let the newest prices arrive with noise below the tick."""
        feed = self.feeds[0]
        # A noisy copy of a rejected line is a line of its own, and stands.
        decided = self.lake.table("raw.decisions")
        days = decided.read(decided.head()[1].partitions.values())["date"].to_list()
        rows = [r for r in sorted(self._newest(feed).items()) if r[0] not in days]
        picked = chance.sample(rows, min(len(rows), 25))
        noisy = [
            (day, value + chance.choice((-2e-6, 1e-6, 2e-6))) for day, value in picked
        ]
        if noisy:
            self.arrive(feed, noisy)
            self.known[feed.table].update(dict(picked))

    def compact(self, _: random.Random) -> None:
        """Rewrite the files of every record."""
        for feed in self.feeds:
            table = self.lake.table(feed.table)
            root = table.head()[1].root
            records.compact(table, work=self.lake.work)
            assert table.head()[1].root == root, "P4: compaction changed the content"

    def _newest(self, feed: Feed) -> dict[date, float]:
        """Return what the newest version of each date says, read back from raw."""
        table = self.lake.table(feed.table)
        rows = table.read(table.head()[1].partitions.values()).sort(
            "as_of", "batch", "sha256", "line"
        )
        cell = next(iter(feed.cells(1.0)))
        return {day: float(text) for day, text in rows.select("date", cell).iter_rows()}

    # -- the laws --------------------------------------------------------------

    def settle(self, *, silent: bool = False) -> WaveReport:
        """Run a wave; check P1 and P2, and P4 where nothing may have changed."""
        tables = [node.table for node in self.graph.nodes]
        versions = {t: self.lake.table(t).head()[0] for t in tables}
        with clock.held_at(self.now):
            report = run_wave(self.lake, self.graph, probing="off")
        assert not report.failed, report.failed
        want = oracle.digests(oracle.rebuilt(self.lake, self.graph))
        assert oracle.stored(self.lake, self.graph) == want, "P1: content"
        assert oracle.claimed(self.lake, self.graph) == want, "P1: the map's hashes"
        self._reach_is_exact(report, want)
        if silent:
            written = {t: r.changed for t, r in report.tables.items() if r.changed}
            assert not written, f"P4: {written}"
            data = {t: _data_commits(self.lake, t, versions[t]) for t in tables}
            assert not any(data.values()), f"P4: {data}"
        self.before = want
        return report

    def _reach_is_exact(
        self, report: WaveReport, want: dict[str, dict[str, str]]
    ) -> None:
        """P2: what was committed is what differs; what was planned contains it."""
        for table, parts in want.items():
            old = self.before.get(table, {})
            differ = {
                p for p in old.keys() | parts.keys() if old.get(p) != parts.get(p)
            }
            assert report.tables[table].changed == len(differ), f"P2: {table}"
            assert report.tables[table].planned >= len(differ), f"P2: {table}"
            if not table.startswith("quarantine."):
                # A conform step is computed once for its two tables.
                self.planned += report.tables[table].planned
                self.changed += len(differ)

    def prove(self) -> None:
        """P1, as the product says it."""
        certificate = prove(self.lake, self.graph)
        assert certificate.identical, certificate.first_difference


def _data_commits(lake: Lake, table: str, since: int) -> int:
    """Count the commits after a version that add or remove files."""
    folder = lake.table(table).folder / "_delta_log"
    count = 0
    for path in sorted(folder.glob("*.json")):
        if int(path.stem) > since:
            text = path.read_text()
            count += '{"add":' in text or '{"remove":' in text
    return count


STEPS = (
    "append",
    "append",
    "late_row",
    "correct",
    "stated_revision",
    "reject",
    "change_rule",
    "change_code",
    "restart",
)
SILENT = ("duplicate", "noise", "compact", "restart")


def begin(world: World, chance: random.Random) -> None:
    """Let the first files arrive, and settle."""
    for feed in world.feeds:
        day = feed.first + timedelta(days=feed.step * chance.randint(0, 200))
        rows = [
            (day + timedelta(days=feed.step * i), round(chance.uniform(20, 60), 2))
            for i in range(chance.randint(1, 120))
        ]
        world.arrive(feed, rows)
    world.settle()


def random_history(world: World, seed: int, steps: int) -> Counter[str]:
    """Let `steps` random things happen, checking the laws; return what happened."""
    chance = random.Random(seed)
    done: Counter[str] = Counter()
    begin(world, chance)
    for _ in range(steps):
        if chance.random() < 0.25 and world.before:
            world.settle()
            name = chance.choice(SILENT)
            getattr(world, name)(chance)
            world.settle(silent=True)
        else:
            name = chance.choice(STEPS)
            getattr(world, name)(chance)
            if chance.random() < 0.7:
                world.settle()
        done[name] += 1
    world.settle()
    return done
