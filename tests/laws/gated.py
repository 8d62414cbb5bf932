"""Gates of the toy trade, and worlds whose gates they are. No product code imports it.

A gate here fails on values that a test puts into a feed; nothing else in the toy has them.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import polars as pl

from cbi_stream import Finding, Subject, effect, gate, whole_gate
from cbi_stream.engine.graph import Graph, build
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake import permits
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.partition_map import Partition
from cbi_stream.registry.contract import Contract
from cbi_stream.registry.gates import Gates, Placed
from cbi_stream.words import clock
from tests.laws import oracle, toy, worlds
from tests.laws.histories import Feed, World

FAILS, RAISES, LACKS = 901.0, 902.0, 903.0
"""Prices that make the gates fail, raise, and ask for what is not there."""


def _worst(rows: pl.DataFrame, column: str) -> float:
    found = rows[column].max()
    return float(found) if isinstance(found, float) else 0.0


def _finding(rows: pl.DataFrame, column: str, *, most: float) -> Finding:
    worst = _worst(rows, column)
    if worst == RAISES:
        msg = "the gate broke"
        raise ArithmeticError(msg)
    if worst == LACKS:
        rows.select("a_column_that_nobody_has")
    bad = rows.filter(pl.col(column) > most)
    return Finding(
        passed=not bad.height,
        expected=f"{column} up to {most}",
        found=f"{bad.height} of {rows.height} rows above",
        places=tuple(f"{day} {column}" for day in bad["date"].head(5)),
    )


@gate
def not_above(
    rows: pl.DataFrame, subject: Subject, *, most: float, column: str = "x"
) -> Finding:
    """No value lies above a number."""
    assert subject.table, "a subject says what is judged"
    return _finding(rows, column, most=most)


@gate
def dense(rows: pl.DataFrame, subject: Subject) -> Finding:
    """Every session up to the newest one has a row."""
    there = set(rows["date"])
    gaps = [day for day in subject.sessions if day not in there]
    return Finding(
        passed=not gaps,
        expected=f"{len(subject.sessions)} sessions",
        found=f"{len(gaps)} without a row",
        places=tuple(map(str, gaps[:5])),
    )


@gate
def few_lost(rows: pl.DataFrame, subject: Subject, *, most: int) -> Finding:
    """At most so many lines were turned away; the counters say so, not the rows."""
    lost = sum(counts.get("quarantined", 0) for counts in subject.fates.values())
    return Finding(
        passed=lost <= most,
        expected=f"at most {most} lines turned away",
        found=f"{lost}, in {rows.height} rows",
    )


@whole_gate
def files_below(
    tables: Mapping[str, pl.DataFrame],
    subject: Subject,
    *,
    most: float,
    table: str = "features.tip",
    raises: bool = False,
) -> Finding:
    """No value of a table lies above a number."""
    if raises:
        msg = "the gate broke"
        raise ArithmeticError(msg)
    rows = tables[table]
    files = subject.files["toy_file"]
    assert files.height == tables["features.tip"].height
    return _finding(rows, "sum", most=most)


@whole_gate
def nothing_held(tables: Mapping[str, pl.DataFrame], subject: Subject) -> Finding:
    """Nothing behind the tables is held."""
    found = ", ".join(subject.carried) or "nothing"
    return Finding(not subject.carried, f"nothing held behind {len(tables)}", found)


@effect(after=("features.tip",))
def toy_export(tip: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Publish the tip as it is."""
    return {"toy_file": tip}


GATES = (not_above, dense, few_lost, files_below, nothing_held)


def placed(
    name: str, at: str, *on: str, critical: bool = True, **given: object
) -> Placed:
    """Return an entry of gates.yaml."""
    severity = "critical" if critical else "warning"
    plain = {"gate": name, "at": at, "on": list(on), "with": given}
    return Placed.model_validate({**plain, "severity": severity})


def graph_with(
    entries: Iterable[Placed],
    *,
    effects: bool = False,
    max_age: int = 30,
    other_code: bool = False,
) -> Graph:
    """Return the toy's graph with these gates, and with an effect where asked."""
    registry = toy.registry(max_age=max_age)
    contracts = {**registry.contracts}
    contracts["raw.decisions"] = _decisions()
    registry = replace(registry, gates=Gates(gates=tuple(entries)), contracts=contracts)
    plain = toy.graph(max_age=max_age, other_code=other_code)
    # Months are many partitions, and no reader: they would only take time.
    kept = [n.handler for n in plain.nodes if n.table != "features.month"]
    handlers = {id(each): each for each in kept}.values()
    return build(registry, [*handlers, *GATES, *((toy_export,) if effects else ())])


def _decisions() -> Contract:
    return worlds.discovered().registry.contracts["raw.decisions"]


def world(entries: Iterable[Placed], *, effects: bool = False) -> World:
    """Return a fresh toy lake with these gates."""
    make = partial(graph_with, tuple(entries), effects=effects)
    return World(make(), make, worlds.TOY_FEEDS)


def three_years(world: World) -> None:
    """Let three years of prices and observations arrive, without settling."""
    prices, other = world.feeds
    days = [prices.first + timedelta(days=3 * i) for i in range(360)]
    world.arrive(prices, [(d, 20.0 + d.toordinal() % 31) for d in days])
    world.arrive(other, [(d, 5.0) for d in days[::5]])


def as_rebuilt(world: World) -> bool:
    """Return whether the stored content is what a rebuild without gates gives."""
    want = oracle.digests(oracle.rebuilt(world.lake, world.graph))
    return oracle.stored(world.lake, world.graph) == want


class GatedWorld(World):
    """A world whose gates may hold something back, and the laws that then hold."""

    def settle(self, *, silent: bool = False) -> WaveReport:
        """Run a wave; check content, candidates and what is carried by brute force."""
        before = {n.table: self._partitions(n.table) for n in self.graph.nodes}
        with clock.held_at(self.now):
            report = run_wave(self.lake, self.graph, probing="off")
        assert not report.failed, report.failed
        want = oracle.digests(
            oracle.rebuilt(self.lake, self.graph, self._as_readers_see)
        )
        assert oracle.stored(self.lake, self.graph) == want, "P1: content"
        assert oracle.claimed(self.lake, self.graph) == want, "P1: the map's hashes"
        if silent:
            after = {n.table: self._partitions(n.table) for n in self.graph.nodes}
            hashes = [
                {
                    (t, p): (e.hash, e.state, e.carried)
                    for t in m
                    for p, e in m[t].items()
                }
                for m in (before, after)
            ]
            assert hashes[0] == hashes[1], "P4"
        return report

    def decide(self, chance: random.Random) -> None:
        """Let a held candidate through, or take such a decision back."""
        found = [
            (table, name, entry)
            for table in ("staging.px", "features.window", "features.panel")
            for name, entry in self._partitions(table).items()
            if entry.state == "held" or any(v.let for v in entry.verdicts)
        ]
        if not found:
            return
        table, name, entry = chance.choice(found)
        verdict = chance.choice(entry.verdicts)
        change = permits.withdraw if verdict.let else permits.let_through
        self.now += timedelta(hours=1)
        with clock.held_at(self.now):
            change(
                self.lake,
                table,
                partition=name,
                gate=verdict.gate,
                candidate=entry.candidate if not verdict.let else entry.hash,
                author="law",
                note="because",
            )

    def change_gate(self, chance: random.Random) -> None:
        """Change the number of a gate: what is stored is judged again."""
        self._new_graph(most=chance.choice((45.0, 58.0, 70.0)))

    def _partitions(self, table: str) -> Mapping[str, Partition]:
        return self.lake.table(table).head()[1].partitions

    def _as_readers_see(
        self, table: str, parts: dict[str, pl.DataFrame]
    ) -> dict[str, pl.DataFrame]:
        """Return what was computed, and of held partitions what is served."""
        seen = dict(parts)
        for name, entry in self._partitions(table).items():
            if entry.state != "held":
                continue
            contract = self.lake.table(table).contract
            empty = canonical(self.lake.table(table).read([]), contract)
            computed = digest(parts.get(name, empty))
            assert entry.candidate == computed, f"{table}/{name}: another candidate"
            rows = canonical(self.lake.table(table).read([entry]), contract)
            seen.pop(name, None)
            if rows.height:
                seen[name] = rows
        return seen


def judged_graph(*, most: float = 58.0, **options: object) -> Graph:
    """Return the toy's graph with gates that random prices break now and then."""
    entries = [
        placed("not_above", "POST_STAGING", "staging.px", most=most),
        placed("dense", "POST_ASSEMBLY", "features.panel", critical=False),
        placed(
            "not_above", "POST_FEATURES", "features.window", most=44.0, column="mean_20"
        ),
        placed("nothing_held", "PRE_TRAINING", "effects.*"),
    ]
    return graph_with(entries, effects=True, **options)  # type: ignore[arg-type]


def judged_world() -> GatedWorld:
    """Return a fresh toy lake with these gates."""
    return GatedWorld(judged_graph(), judged_graph, worlds.TOY_FEEDS)


def put(world: World, feed: Feed, day: date, value: float) -> None:
    """Let one value arrive."""
    world.arrive(feed, [(day, value)])
