"""The stage of the demo: a lake, its steps, and what was promised of it.

It prints each step as it happens and remembers it for JSON. It knows no step, and it
never opens a lake that somebody else made.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.panel import Panel

from cbi_stream.cli import show
from cbi_stream.cli.making import settle
from cbi_stream.doors import landing
from cbi_stream.doors.receipts import Receipt
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.preview import preview
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.market import SimulatedFile, lay_down

_WIDTH = 80


@dataclass(slots=True)
class Step:
    """What one step showed, and which promises were kept."""

    title: str
    promises: dict[str, bool] = field(default_factory=dict)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The derived tables at one moment."""

    versions: dict[str, int]
    roots: dict[str, str]
    partitions: dict[tuple[str, str], str]
    """The hash of each partition of each table."""


Place = tuple[str, str]
"""A table and a partition of it."""


@dataclass(slots=True)
class Stage:
    """A lake, its graph, and the steps so far."""

    lake: Lake
    graph: Graph
    desk: Path
    """Where the simulated source lays its files."""
    silent: bool
    steps: list[Step] = field(default_factory=list)
    handed: list[Receipt] = field(default_factory=list)
    """The receipts of every file so far."""
    _seen_at: datetime | None = None

    def say(self, text: str, *, style: str | None = None) -> None:
        """Print a paragraph, unless JSON is asked for."""
        if not self.silent:
            Console(highlight=False).print(text, style=style, width=_WIDTH)

    def frame(self, text: str) -> None:
        """Print a text in a frame."""
        if not self.silent:
            Console(highlight=False).print(Panel(text, width=_WIDTH))

    @contextmanager
    def step(self, title: str, what: str) -> Iterator[Step]:
        """Open a step; at its end print which promises were kept."""
        step = Step(title)
        self.steps.append(step)
        self.say(f"\n{len(self.steps)}. {title}", style="bold")
        self.say(what)
        start = time.perf_counter()
        yield step
        step.seconds = round(time.perf_counter() - start, 2)
        for promise, kept in step.promises.items():
            word, style = ("kept", "green") if kept else ("BROKEN", "bold red")
            self.say(f"  {word}: {promise}", style=style)

    def promise(self, promise: str, *, kept: bool) -> None:
        """Note what this step promised, and whether it was kept."""
        self.steps[-1].promises[promise] = kept

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Any]) -> None:
        """Print a table that says SIMULATED, and remember it."""
        plain = [dict(zip(columns, row, strict=True)) for row in rows]
        self.steps[-1].tables[title] = plain
        if not self.silent:
            show.table(f"SIMULATED: {title}", columns, rows)

    def hand_in(
        self, *files: SimulatedFile, seen: datetime | None = None
    ) -> list[Receipt]:
        """Drop files and take them in; each time they were seen an hour later.

        Args:
            files: what the sources send.
            seen: when they were seen, where that matters.
        """
        as_of = seen or max(file.as_of for file in files)
        if self._seen_at is not None and seen is None:
            as_of = max(as_of, self._seen_at + timedelta(hours=1))
        self._seen_at = as_of
        for path in lay_down(files, self.desk):
            landing.drop(self.lake, path, landing.Hint(as_of=as_of))
        receipts = landing.take_in(self.lake, self.graph)
        self.handed += receipts
        return receipts

    def clear_landing(self) -> None:
        """Take back what waits in the landing, as the person who dropped it would."""
        for path in landing.waiting(self.lake):
            path.unlink()

    def completed(self) -> list[Receipt]:
        """Return the receipts of all files so far, with what became of each line."""
        return landing.complete(self.lake, self.graph, self.handed)

    def settle(self) -> dict[str, int]:
        """Run waves until nothing changes; a failure is a broken promise.

        Returns:
            By table: how many partitions were computed.
        """
        _, waves = settle(self.lake, self.graph)
        for place, why in (found for w in waves for found in w.failed.items()):
            self.promise(f"{place} is computed ({why})", kept=False)
        return {n: sum(w.tables[n].planned for w in waves) for n in waves[0].tables}

    def snapshot(self) -> Snapshot:
        """Return versions and hashes of every derived table as they are now."""
        heads = {n.table: self.lake.table(n.table).head() for n in self.graph.nodes}
        return Snapshot(
            {table: version for table, (version, _) in heads.items()},
            {table: current.root for table, (_, current) in heads.items()},
            {
                (table, name): entry.hash
                for table, (_, current) in heads.items()
                for name, entry in current.partitions.items()
            },
        )

    def settle_and_compare(self, title: str) -> set[Place]:
        """Plan, run, and show per table what was planned, computed and changed.

        Returns:
            The partitions that changed; it is promised that each one was planned.
        """
        planned = {(t.table, t.partition) for t in preview(self.lake, self.graph)}
        before = self.snapshot()
        computed = self.settle()
        after = self.snapshot()
        changed = {
            place
            for place, hash_ in after.partitions.items()
            if before.partitions.get(place) != hash_
        }
        rows = [
            (
                table,
                _years(planned, table),
                count or "",
                _years(changed, table),
                self._changed_dates(table, before, after),
            )
            for table, count in computed.items()
            if any(place[0] == table for place in after.partitions)
        ]
        columns = ["table", "plan", "ran", "changed", "dates that changed"]
        self.table(title, columns, rows)
        if changed:
            words = f"{len(changed)} of {len(after.partitions)} partitions changed"
            self.promise(f"{words}, each one planned before", kept=changed <= planned)
        return changed

    def _changed_dates(self, table: str, before: Snapshot, after: Snapshot) -> str:
        folder = self.lake.table(table).folder
        old, new = before.versions[table], after.versions[table]
        spans = [change.span for change in log.changes_between(folder, old, new)]
        if not spans:
            return ""
        first, last = min(s.start for s in spans), max(s.last for s in spans)
        return str(first) if first == last else f"{first} to {last}"

    def value(self, table: str, column: str, *, day: date, **where: str) -> Any:
        """Return one value of a table; None where there is none."""
        rows = self.rows(table).filter(pl.col("date") == day, **where)
        return rows[column].item() if rows.height else None

    def rows(self, table: str) -> pl.DataFrame:
        """Return every row of a table, as it is now."""
        stored = self.lake.table(table)
        return stored.read(stored.head()[1].partitions.values())


def _years(places: set[Place], table: str) -> str:
    names = sorted(partition for name, partition in places if name == table)
    return " ".join(names) if len(names) < 3 else f"{names[0]}-{names[-1]}"
