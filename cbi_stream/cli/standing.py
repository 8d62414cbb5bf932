"""What is known of the rows of one table on one date, put together from the facts.

It never looks at another date or to another table's rows, and it never prints.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

from cbi_stream.cli import holding
from cbi_stream.cli.observing import Observed, joined_by, observed_on
from cbi_stream.engine import story
from cbi_stream.engine.fates import conforming
from cbi_stream.engine.graph import Graph, Node, source_table
from cbi_stream.engine.preview import preview
from cbi_stream.engine.reach import slice_of
from cbi_stream.engine.story import Line, Made
from cbi_stream.lake.lake import Lake
from cbi_stream.registry.contract import Contract
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.span import Span

_ON_SESSIONS = ("features", "labels")
"""The zones whose rows are sessions of the calendar."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of the rows of one table on one date, and what is behind them."""

    table: str
    date: date
    column: str | None
    about: str | None
    rows: tuple[Mapping[str, Any], ...]
    absent: str | None
    """Why there is no row."""
    handler: str | None
    made: Made | None
    planned: tuple[str, ...]
    """Why a run would compute the partition again; empty where it would not."""
    lines: tuple[Line, ...] = ()
    observed: tuple[Observed, ...] = ()
    features: tuple[Mapping[str, Any], ...] = ()
    """What feature_registry.json says of the columns."""
    reads: Mapping[str, Span] = field(default_factory=dict)
    """Which dates of each input the rows of this date may look at."""
    carried: Mapping[str, str] = field(default_factory=dict)
    """By held partition that it was computed from: why that one is held."""
    manifest: Mapping[str, Any] | None = None
    """Of a training file: what it was made from."""
    behind: tuple[Story, ...] = ()

    def walk(self) -> Iterator[Story]:
        """Yield this story and all that stand behind it."""
        yield self
        for each in self.behind:
            yield from each.walk()


@dataclass(frozen=True, slots=True)
class Teller:
    """A lake to be asked about, with its plan."""

    lake: Lake
    graph: Graph
    planned: Mapping[tuple[str, str], tuple[str, ...]]

    @classmethod
    def of(cls, lake: Lake, graph: Graph) -> Teller:
        """Return who tells of a lake as it is now."""
        tasks = preview(lake, graph)
        return cls(lake, graph, {(t.table, t.partition): t.reasons for t in tasks})

    def story(
        self,
        table: str,
        day: date,
        *,
        column: str | None = None,
        about: str | None = None,
    ) -> Story:
        """Return what is known of the rows of a table on a date.

        Raises:
            WrongUsage: there is no such table or column, or no calendar has the date.
        """
        contract = self.lake.table(table).contract
        check_column(table, contract.columns, column)
        self._check_day(contract, day)
        if about is not None and story.about_of(contract) is None:
            msg = f"{table} has one row for each date: leave out {about!r}"
            raise WrongUsage(msg)
        node = next((n for n in self.graph.nodes if n.table == table), None)
        made, told = story.made_of(self.lake, self.graph, table, day)
        reader = self._reader_of_lines(table, node)
        if reader is not None and told is None:
            _, told = story.made_of(self.lake, self.graph, reader.table, day)
        raws = [table] if contract.provenance else reader.lines if reader else ()
        lines = story.lines_of(self.lake, raws, day, about=about, told=told)
        if node is not None and node.part == "quarantined":
            lines = [line for line in lines if line.fate == "quarantined"]
        rows = story.rows_on(self.lake, table, day, about)
        observed = self._observed(node, made, day, column)
        return Story(
            table=table,
            date=day,
            column=column,
            about=about,
            rows=tuple(rows.select(_shown(contract, column)).to_dicts()),
            absent=None if rows.height else self._absent(contract, day, made, lines),
            handler=node.handler.name if node else None,
            made=made,
            carried=self._carried(made),
            planned=self.planned.get((table, contract.grain.partition_of(day)), ()),
            lines=tuple(lines),
            observed=tuple(observed),
            features=self.features(table, column),
            reads=self._reads(node, day),
        )

    def _carried(self, made: Made | None) -> dict[str, str]:
        return holding.why_each(self.lake, made.carried if made is not None else ())

    def _check_day(self, contract: Contract, day: date) -> None:
        covers = self.lake.registry.sessions.covers
        if contract.zone in _ON_SESSIONS and day not in covers:
            msg = (
                f"{contract.table} has sessions from {covers.start} to {covers.last} "
                f"(registry/sessions.yaml); found {day}"
            )
            raise WrongUsage(msg)

    def _reader_of_lines(self, table: str, node: Node | None) -> Node | None:
        """Return the node that says the fates of the lines behind a table."""
        readers = conforming(self.graph)
        if node is not None and node.part != "output":
            same = node.handler
            return next(each for each in readers if each.handler is same)
        return next((each for each in readers if table in each.lines), None)

    def _observed(
        self, node: Node | None, made: Made | None, day: date, column: str | None
    ) -> list[Observed]:
        joins = joined_by(node, column)
        if node is None or made is None or not joins:
            return []
        if day not in self.lake.registry.sessions:
            return []
        entry = story.published(self.lake, node.table)[1].partitions[made.partition]
        return observed_on(self.lake, node, day, entry=entry, joins=joins)

    def features(
        self, table: str, column: str | None = None
    ) -> tuple[dict[str, Any], ...]:
        """Return what feature_registry.json says of the columns of a table."""
        every = self.lake.registry.feature_registry.of_table(table)
        return tuple(f.model_dump() for f in every if column in (None, f.name))

    def _reads(self, node: Node | None, day: date) -> dict[str, Span]:
        """Return the dates of each input that are there and may be looked at."""
        if node is None:
            return {}
        found = {}
        for table, read in node.reads.items():
            stored = source_table(table, read)
            extent = story.published(self.lake, stored)[1].extent
            days = slice_of(read, Span.day(day), self.lake.registry.sessions)
            if extent is not None and table == stored and days.intersects(extent):
                found[table] = days.clip(extent)
        return found

    def _absent(
        self, contract: Contract, day: date, made: Made | None, lines: list[Line]
    ) -> str:
        """Return why a table has no row on a date."""
        sessions = self.lake.registry.sessions
        if contract.zone in _ON_SESSIONS and day not in sessions:
            return f"{day:%A} {day} is no session by the calendar"
        if made is not None and made.state != "live":
            return f"its partition is {made.state}: {made.error}"
        place = (contract.table, contract.grain.partition_of(day))
        if place in self.planned:
            because = "; ".join(self.planned[place][:3])
            return f"not computed yet: a run would, because {because}"
        if lines:
            fates = ", ".join(sorted({line.fate for line in lines}))
            return f"none of the {len(lines)} lines of that date stands: {fates}"
        return self._outside(contract, day)

    def _outside(self, contract: Contract, day: date) -> str:
        """Return where a date lies of which nothing is there."""
        extent = story.published(self.lake, contract.table)[1].extent
        if extent is None:
            return "the table is empty"
        if day not in extent:
            return f"outside the extent, {extent.start} to {extent.last}"
        no_session = day not in self.lake.registry.sessions
        closed = f"; {day:%A} {day} is no session" if no_session else ""
        return f"nothing of that date is there{closed}"


def check_column(table: str, columns: Iterable[str], column: str | None) -> None:
    """Refuse a column that a table does not have.

    Raises:
        WrongUsage: there is none of that name.
    """
    known = list(columns)
    if column is None or column in known:
        return
    near = get_close_matches(column, known, n=3) or known
    msg = f"{table} has no column {column!r}; it has {', '.join(near)}"
    raise WrongUsage(msg)


def _shown(contract: Contract, column: str | None) -> list[str]:
    """Return the columns that matter for one; a label is told whole."""
    if column is None or contract.zone == "labels":
        return list(contract.columns)
    return list(dict.fromkeys([*contract.key, column]))
