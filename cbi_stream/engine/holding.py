"""What a wave does about held partitions: why one is judged again, and what it serves.

It never judges, and never computes a candidate.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from cbi_stream.engine import judging
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.job import Outcome
from cbi_stream.lake import held, permits
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.commit import Finished
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap
from cbi_stream.lake.permits import Permits
from cbi_stream.lake.table import write_parquet
from cbi_stream.words.errors import DamagedLake

DECISION = "decision"
GATES = "gates"


@dataclass(frozen=True, slots=True)
class Judge:
    """What judges in one wave: the same for all of its tables."""

    lake: Lake
    graph: Graph
    permits: Permits | None
    """The decisions that stand; None where they cannot be read: then none is new."""
    served: Lake | None
    """Of a rebuild beside a lake: that lake, whose held partitions it serves."""

    @classmethod
    def of(cls, lake: Lake, graph: Graph) -> Judge:
        """Return what judges now."""
        try:
            return cls(lake, graph, permits.standing(lake), lake.rebuilds)
        except DamagedLake:
            return cls(lake, graph, None, lake.rebuilds)

    def print_of(self, table: str) -> str:
        """Return the print of a table's gates."""
        return judging.print_of(self.graph, table)

    def permits_of(
        self, table: str, partition: str, entry: Partition | None
    ) -> tuple[str, ...]:
        """Return the decisions that stand for a partition."""
        if self.permits is None:
            return entry.permits if entry else ()
        return self.permits.get((table, partition), ())

    def again(self, table: str, current: PartitionMap) -> dict[str, str]:
        """Return, by partition, why it must be judged again whatever its inputs say."""
        found: dict[str, str] = {}
        print_ = self.print_of(table)
        for name in held.missing(self.lake, table, current.partitions):
            found[name] = "its held candidate is missing"
        for name, entry in current.partitions.items():
            if entry.state == "failed":
                continue  # it is planned anyway
            if entry.permits != self.permits_of(table, name, entry):
                found[name] = DECISION
            elif entry.judged_by != print_:
                found[name] = GATES
        for name in self._held_in_served(table):
            if name not in current.partitions:
                found[name] = "held in the lake"
        return found

    def good_rows(self, table: str, partition: str, entry: Partition | None) -> int:
        """Return how many rows would be served of a partition if it were held."""
        if entry is not None:
            return entry.rows
        there = self._held_in_served(table).get(partition)
        return there.rows if there else 0

    def serving(self, table: str, outcome: Outcome) -> Outcome:
        """Return a held outcome with what the lake serves, where this is its rebuild.

        Raises:
            DamagedLake: what the lake serves is not what was written.
        """
        there = self._held_in_served(table).get(outcome.job.partition)
        new = outcome.job.stored is None or not outcome.job.stored.rows
        if outcome.held is None or not there or not there.rows or not new:
            return outcome
        assert self.served is not None
        assert outcome.entry is not None
        source = self.served.table(table)
        rows = canonical(source.read([there]), source.contract)
        if digest(rows) != there.hash:
            msg = f"{source.folder}: {outcome.job.partition}: not the rows of its hash"
            raise DamagedLake(msg)
        entry = replace(
            outcome.entry,
            hash=there.hash,
            rows=there.rows,
            extent=there.extent,
            fates=there.fates,
        )
        path = self.lake.work / f"{uuid.uuid4().hex}.parquet"
        finished = Finished(path, write_parquet(rows, path), entry)
        span = source.contract.grain.span(outcome.job.partition)
        return replace(outcome, entry=entry, finished=finished, changes=(Change(span),))

    def _held_in_served(self, table: str) -> dict[str, Partition]:
        if self.served is None:
            return {}
        entries = self.served.table(table).head()[1].partitions
        return {name: e for name, e in entries.items() if e.state == "held"}


def keep(lake: Lake, table: str, outcomes: Iterable[Outcome]) -> None:
    """Put the held candidates of these outcomes where they are kept, before a commit."""
    for outcome in outcomes:
        if outcome.held is not None and outcome.entry is not None:
            held.keep(
                lake,
                table,
                partition=outcome.job.partition,
                entry=outcome.entry,
                made=outcome.held,
            )
