"""Puts what a wave made of one table into the lake: held files first, then one commit.

It decides nothing about content: what an outcome says is what stands afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

from cbi_stream.engine import carrying, holding
from cbi_stream.engine.graph import Node
from cbi_stream.engine.job import Outcome
from cbi_stream.engine.plan import Input, fits, same_recipe, up_to_date
from cbi_stream.engine.ready import marked
from cbi_stream.lake import held
from cbi_stream.lake.change import coalesce
from cbi_stream.lake.commit import commit
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition, PartitionMap, Recipe


def record(
    lake: Lake,
    node: Node,
    inputs: Mapping[str, Input],
    *,
    outcomes: list[Outcome],
    recipe: Recipe,
    planned: Set[str],
) -> PartitionMap:
    """Commit new content, and the map where it changed; nothing where nothing did.

    Args:
        lake: the lake.
        node: the table's handler.
        inputs: what it reads, as this wave sees it.
        outcomes: of the jobs that ran.
        recipe: of a partition that is up to date.
        planned: the partitions that were to be computed or judged.

    Returns:
        The table's entries as they stand now.
    """
    table = lake.table(node.table)
    version, current = table.head()
    updates = _updates(current, outcomes, recipe, planned)
    entries = {**current.partitions, **updates}
    carried = carrying.carried_by(
        lake, node, {t: i.map for t, i in inputs.items()}, entries
    )
    entries = {
        name: _settled(
            _carrying(entry, carried.get(name, ())), current.partitions.get(name)
        )
        for name, entry in entries.items()
    }
    finished = {
        o.job.partition: replace(o.finished, entry=entries[o.job.partition])
        for o in outcomes
        if o.finished
    }
    holding.keep(lake, node.table, outcomes)
    changes = coalesce(change for o in outcomes for change in o.changes)
    written = PartitionMap(entries, tuple(changes))
    if finished or entries != current.partitions:
        commit(table, finished, expected=version, written=written)
    held.tidy(lake, node.table, entries)
    return written


def _updates(
    current: PartitionMap, outcomes: list[Outcome], recipe: Recipe, planned: Set[str]
) -> dict[str, Partition]:
    """Return the entries that are to stand, by partition."""
    updates: dict[str, Partition] = {}
    for outcome in outcomes:
        name = outcome.job.partition
        if outcome.error is None and outcome.entry is not None:
            entry = outcome.entry
            # What was judged again only was found unaffected by its inputs.
            is_computed = outcome.job.computes
            updates[name] = entry if is_computed else up_to_date(entry, recipe)
        else:
            updates[name] = marked(outcome)
    for name, entry in current.partitions.items():
        # Judged unaffected: the same content is now known to fit the new inputs.
        if name not in planned and not fits(entry, recipe):
            updates[name] = up_to_date(entry, recipe)
    return updates


def _carrying(entry: Partition, carried: tuple[str, ...]) -> Partition:
    return entry if entry.carried == carried else replace(entry, carried=carried)


def _settled(entry: Partition, before: Partition | None) -> Partition:
    """Keep the old recipe where only versions differ, so that the map stays equal."""
    if before is None or before is entry:
        return entry
    if same_recipe(entry.recipe, before.recipe):
        entry = replace(entry, recipe=before.recipe)
    tried, old = entry.tried, before.tried
    if entry.state == "held" and tried and old and same_recipe(tried, old):
        entry = replace(entry, tried=old)
    return entry
