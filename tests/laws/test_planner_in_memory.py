"""P1 and P2 on the pure planner: thousands of histories of random graphs in memory.

A table is a dict of dates to numbers, and a handler's row is a hash of its whole
window: it changes whenever anything inside the window does. So a row that the planner
misses shows, and a partition that it plans for nothing shows too.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from cbi_stream.engine.plan import Input, plan_table, recipe_of
from cbi_stream.engine.reach import slice_of
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap
from cbi_stream.shapes.reads import Grid, History, InDays, InSessions, Read, Whole
from cbi_stream.words.grain import Grain
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span, plus_days

COVERS = Span(date(2010, 1, 1), date(2016, 1, 1))
FIRST, LAST = date(2011, 3, 1), date(2014, 9, 30)


def _sessions(chance: random.Random) -> Sessions:
    days = [plus_days(COVERS.start, i) for i in range((COVERS.end - COVERS.start).days)]
    return Sessions([d for d in days if chance.random() < 0.25], covers=COVERS)


@dataclass
class Stored:
    """A table: its rows, and the maps of all its versions."""

    grain: Grain
    rows: dict[date, int] = field(default_factory=dict)
    maps: list[PartitionMap] = field(default_factory=list)

    def commit(self, partitions: dict[str, Partition], changes: list[Change]) -> None:
        """Add a version."""
        self.maps.append(PartitionMap(partitions, tuple(coalesce(changes))))

    def entry(self, name: str, rows: dict[date, int], recipe: Any) -> Partition:
        """Return a partition of these rows."""
        text = repr(sorted(rows.items()))
        days = sorted(rows)
        extent = Span(days[0], plus_days(days[-1], 1)) if days else None
        digest = hashlib.sha256(text.encode()).hexdigest()
        return Partition(digest, len(rows), (), recipe, extent)

    def of(self, name: str) -> dict[date, int]:
        """Return the rows of one partition."""
        span = self.grain.span(name)
        return {d: v for d, v in self.rows.items() if d in span}

    def seen(self) -> Input:
        """Return the table as a wave sees it."""
        newest = len(self.maps) - 1
        return Input(
            version=newest,
            map=self.maps[-1] if self.maps else PartitionMap({}),
            changes_since=lambda old: [
                c for m in self.maps[old + 1 :] for c in m.changes
            ],
            extent_at=lambda old: self.maps[old].extent if old >= 0 else None,
            root_at=lambda old: (
                self.maps[old].root if old >= 0 else PartitionMap({}).root
            ),
        )


def _random_read(chance: random.Random, of: str, spine: bool) -> Read:
    back, ahead = chance.randint(0, 40), chance.randint(0, 40)
    kinds: list[Read] = [
        InSessions(chance.randint(0, 30), chance.choice((0, 0, 5))),
        InDays(back, chance.choice((0, 0, ahead))),
        InSessions(0, 0),
        History(),
    ]
    if not spine:
        kinds.append(Whole())
    if chance.random() < 0.2 and spine:
        return Grid(of, chance.choice((0, 60)))
    return chance.choice(kinds)


class Memory:
    """A graph of hash handlers over one record, and the wave that runs it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.sessions = _sessions(chance)
        self.tables = {"raw": Stored(Grain.YEAR)}
        self.nodes: list[Any] = []
        self.prints: dict[str, str] = {}
        for i in range(chance.randint(2, 6)):
            name = f"t{i}"
            above = chance.sample(sorted(self.tables), min(len(self.tables), 2))
            reads = {
                table: _random_read(chance, table, spine=n == 0)
                for n, table in enumerate(above)
            }
            grain = chance.choice((Grain.YEAR, Grain.YEAR, Grain.MONTH))
            self.tables[name] = Stored(grain)
            self.nodes.append(_node(name, reads, grain))
            self.prints[name] = "0"

    def change_raw(self, edits: dict[date, int | None]) -> None:
        """Add, change or take away rows of the record."""
        raw = self.tables["raw"]
        old = dict(raw.rows)
        for day, value in edits.items():
            if value is None:
                raw.rows.pop(day, None)
            else:
                raw.rows[day] = value
        moved = [d for d in edits if old.get(d) != raw.rows.get(d)]
        names = {raw.grain.partition_of(d) for d in raw.rows} | {
            raw.grain.partition_of(d) for d in moved
        }
        recipe = recipe_of("records", {})
        partitions = {n: raw.entry(n, raw.of(n), recipe) for n in names}
        previous = raw.maps[-1].partitions if raw.maps else {}
        raw.commit({**previous, **partitions}, [Change(Span.day(d)) for d in moved])

    def row(self, node: Any, day: date, rows: dict[str, dict[date, int]]) -> int | None:
        """Return the hash of everything that a row may depend on."""
        seen = []
        for table, read in node.reads.items():
            window = slice_of(read, Span.day(day), self.sessions)
            if isinstance(read, Grid):
                extent = _extent(rows[read.of])
                inside = self.sessions.between(window)
                seen.append([(d, extent is not None and d in extent) for d in inside])
            else:
                values = rows[table]
                seen.append(sorted((d, v) for d, v in values.items() if d in window))
        text = repr((self.prints[node.table], seen))
        return int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)

    def output_days(self, node: Any, rows: dict[str, dict[date, int]]) -> list[date]:
        """Return the dates of a table's rows: those of its spine."""
        ((table, read),) = node.spines.items()
        if isinstance(read, Grid):
            extent = _extent(rows[read.of])
            return list(self.sessions.between(extent)) if extent else []
        return sorted(rows[table])

    def compute(self, node: Any, name: str, rows: Any) -> dict[date, int]:
        """Return one partition's rows."""
        span = node.contract.grain.span(name)
        days = [d for d in self.output_days(node, rows) if d in span]
        return {d: self.row(node, d, rows) for d in days}

    def wave(self) -> tuple[int, int]:
        """Bring every table up to date; return partitions planned and changed."""
        planned = changed = 0
        for node in self.nodes:
            table = self.tables[node.table]
            inputs = {t: self.tables[t].seen() for t in node.inputs}
            current = table.maps[-1] if table.maps else PartitionMap({})
            tasks = plan_table(
                node,
                current,
                inputs,
                fingerprint=self.prints[node.table],
                sessions=self.sessions,
            )
            recipe = recipe_of(self.prints[node.table], inputs)
            contents = {t: s.rows for t, s in self.tables.items()}
            done = {n: replace(p, recipe=recipe) for n, p in current.partitions.items()}
            changes = []
            for task in tasks:
                old = table.of(task.partition)
                new = self.compute(node, task.partition, contents)
                moved = [d for d in old.keys() | new.keys() if old.get(d) != new.get(d)]
                changes += [Change(Span.day(d)) for d in moved]
                changed += bool(moved)
                for day in moved:
                    table.rows.pop(day, None)
                table.rows |= new
                done[task.partition] = table.entry(task.partition, new, recipe)
            planned += len(tasks)
            table.commit(done, changes)
        return planned, changed

    def full(self) -> dict[str, dict[date, int]]:
        """Return what every table must hold, row by row, without a plan."""
        rows = {"raw": dict(self.tables["raw"].rows)}
        for node in self.nodes:
            days = self.output_days(node, rows)
            rows[node.table] = {d: self.row(node, d, rows) for d in days}
        return rows


def _extent(rows: dict[date, int]) -> Span | None:
    return Span(min(rows), plus_days(max(rows), 1)) if rows else None


def _node(name: str, reads: dict[str, Read], grain: Grain) -> Any:
    stored = [r.of if isinstance(r, Grid) else t for t, r in reads.items()]
    return SimpleNamespace(
        table=name,
        reads=reads,
        inputs=tuple(dict.fromkeys(stored)),
        spines=dict([next(iter(reads.items()))]),
        contract=SimpleNamespace(grain=grain),
    )


def _edit(memory: Memory, chance: random.Random) -> dict[date, int | None]:
    """Return a random edit of the record: append, late row, correction or removal."""
    rows = memory.tables["raw"].rows
    sessions = [d for d in memory.sessions.days if FIRST <= d <= LAST]
    kind = chance.choice(("append", "late", "correct", "correct", "remove", "same"))
    if kind == "append" or not rows:
        start = max(rows, default=chance.choice(sessions))
        days = [d for d in sessions if d > start][: chance.randint(1, 30)]
        return {d: chance.randrange(9) for d in days if chance.random() < 0.8}
    day = chance.choice(sorted(rows))
    if kind == "late":
        return {chance.choice(sessions): chance.randrange(9)}
    if kind == "same":
        return {day: rows[day]}
    return {day: None if kind == "remove" else chance.randrange(9)}


def play(seed: int, steps: int) -> tuple[int, int]:
    """Play one history; check every table against the full one after each step."""
    chance = random.Random(seed)
    memory = Memory(chance)
    memory.change_raw(_edit(memory, chance))
    planned = changed = 0
    for _ in range(steps):
        if chance.random() < 0.1:
            memory.prints[chance.choice(memory.nodes).table] += "x"
        for _ in range(chance.choice((1, 1, 3))):
            memory.change_raw(_edit(memory, chance))
        more, moved = memory.wave()
        planned, changed = planned + more, changed + moved
        full = memory.full()
        for node in memory.nodes:
            here = memory.tables[node.table].rows
            assert here == full[node.table], f"seed {seed}: {node.table} {node.reads}"
        assert memory.wave()[1] == 0, f"seed {seed}: a second wave changed something"
    return planned, changed


@pytest.mark.parametrize("start", range(0, 160, 40))
def test_incremental_equals_full_on_random_graphs(start):
    """Thousands of steps over random graphs leave every row as a rebuild has it."""
    counts = [play(seed, steps=8) for seed in range(start, start + 40)]
    assert sum(changed for _, changed in counts) > 400


def test_plans_are_tight():
    """Over the same histories the plan holds few partitions that did not change."""
    counts = [play(seed, steps=8) for seed in range(1000, 1020)]
    planned, changed = (sum(column) for column in zip(*counts, strict=True))
    assert changed <= planned <= 1.25 * changed


def _borders(read: Read) -> None:
    """Correct each session around a year's end; the next year must follow exactly."""
    memory = Memory(random.Random(5))
    memory.nodes = [_node("t0", {"raw": read}, Grain.YEAR)]
    memory.tables = {"raw": Stored(Grain.YEAR), "t0": Stored(Grain.YEAR)}
    memory.prints = {"t0": "0"}
    days = [d for d in memory.sessions.days if FIRST <= d <= LAST]
    memory.change_raw(dict.fromkeys(days, 0))
    memory.wave()
    turn = next(i for i, d in enumerate(days) if d.year == 2013)
    for i in range(turn - 16, turn + 16):
        memory.change_raw({days[i]: i})
        planned, changed = memory.wave()
        assert memory.tables["t0"].rows == memory.full()["t0"], f"seed: {days[i]}"
        assert planned == changed, f"seed: {days[i]} planned too much"


@pytest.mark.parametrize(
    "read",
    [
        InSessions(10, 0),
        InSessions(0, 7),
        InSessions(3, 4),
        InDays(25, 0),
        InDays(2, 30),
    ],
)
def test_reach_is_exact_at_a_border(read):
    """At a partition's border the plan holds what changes, and not one more."""
    _borders(read)


def test_a_plan_that_misses_a_session_is_found(monkeypatch):
    """The law fails when the reach of a window is one session short."""
    honest = Sessions.reach_of

    def short(self, span, *, back, ahead):
        return honest(self, span, back=max(back - 1, 0), ahead=ahead)

    monkeypatch.setattr(Sessions, "reach_of", short)
    with pytest.raises(AssertionError, match="seed"):
        _borders(InSessions(10, 0))


def test_a_plan_that_takes_a_session_too_many_is_found(monkeypatch):
    """The law fails when the reach of a window is one session too long."""
    honest = Sessions.reach_of

    def long(self, span, *, back, ahead):
        return honest(self, span, back=back + 1, ahead=ahead)

    monkeypatch.setattr(Sessions, "reach_of", long)
    with pytest.raises(AssertionError, match="seed"):
        _borders(InSessions(10, 0))


def test_lost_history_plans_everything():
    """An input whose past is not the one that was consumed makes everything stale."""
    chance = random.Random(1)
    memory = Memory(chance)
    memory.change_raw({d: 1 for d in memory.sessions.days if FIRST <= d <= LAST})
    memory.wave()
    memory.tables["raw"].maps[:] = []
    edits = {d: 2 for d in memory.sessions.days if FIRST <= d <= LAST}
    memory.tables["raw"].rows.clear()
    memory.change_raw({d: v for d, v in edits.items() if d.year != 2012})
    memory.change_raw(dict.fromkeys(list(edits)[:1], 3))
    memory.wave()
    full = memory.full()
    assert all(memory.tables[n.table].rows == full[n.table] for n in memory.nodes)


def test_timedelta_of_sessions_is_irregular():
    """The calendars of these histories have gaps, or the law would prove little."""
    days = _sessions(random.Random(3)).days
    gaps = {b - a for a, b in pairwise(days)}
    assert max(gaps) > timedelta(days=5)
