"""Which partitions must be computed, and why. A pure function of maps and changes.

It reads no data and no clock. What it leaves out cannot have changed: a partition is
planned when its slice holds a changed date, when its recipe is another handler's, or
when somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce

from cbi_stream.engine.graph import Node, source_table
from cbi_stream.engine.reach import reached_by, sees
from cbi_stream.lake.change import between_extents
from cbi_stream.lake.partition_map import Change, Partition, PartitionMap, Recipe
from cbi_stream.shapes.reads import Grid, Read
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span

_NO_REASONS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Input:
    """An input table as one wave sees it."""

    version: int
    map: PartitionMap
    changes_since: Callable[[int], list[Change]]
    """What changed after a version, up to this one."""
    extent_at: Callable[[int], Span | None]
    root_at: Callable[[int], str | None]
    """The root that a version had; None where this table has no such version."""
    pending: tuple[Change, ...] = ()
    """What would change besides, in a plan that is not run."""

    @property
    def extent(self) -> Span | None:
        """First to last date, with what is pending."""
        spans = [self.map.extent] if self.map.extent else []
        spans += [change.span for change in self.pending]
        return reduce(Span.hull, spans) if spans else None


@dataclass(frozen=True, slots=True)
class Task:
    """One partition of one table, and the reasons to compute it."""

    table: str
    partition: str
    reasons: tuple[str, ...]
    dates: tuple[Span, ...]
    """The dates whose rows may change."""
    again: bool = False
    """Whether nothing new reached the partition since it last failed."""
    computes: bool = True
    """Whether its handler is called; without it what is stored is judged again."""


@dataclass(slots=True)
class _Draft:
    reasons: dict[str, None] = field(default_factory=dict)
    dates: list[Span] = field(default_factory=list)

    def add(self, reason: str, dates: Span) -> None:
        self.reasons[reason] = None
        self.dates.append(dates)

    def task(self, table: str, partition: str, *, again: bool, computes: bool) -> Task:
        reasons, dates = tuple(self.reasons), tuple(self.dates)
        return Task(table, partition, reasons, dates, again, computes)


def recipe_of(fingerprint: str, inputs: Mapping[str, Input]) -> Recipe:
    """Return the recipe of a partition that is up to date with these inputs."""
    return Recipe(fingerprint, {t: (i.version, i.map.root) for t, i in inputs.items()})


def same_recipe(left: Recipe, right: Recipe) -> bool:
    """Return whether two recipes make the same content: versions may differ."""
    return left.fingerprint == right.fingerprint and (
        {t: v[1] for t, v in left.inputs.items()}
        == {t: v[1] for t, v in right.inputs.items()}
    )


def plan_table(
    node: Node,
    current: PartitionMap,
    inputs: Mapping[str, Input],
    *,
    fingerprint: str,
    sessions: Sessions,
    asked: bool = False,
    besides: Mapping[str, str] = _NO_REASONS,
) -> list[Task]:
    """Return the tasks of one table, oldest partition first.

    Args:
        node: the table's handler.
        current: the table's newest map.
        inputs: every stored table that the handler reads, as this wave sees it.
        fingerprint: the handler's.
        sessions: the trading calendar.
        asked: plan every partition, as a rebuild does.
        besides: by partition why it must be judged again, whatever its inputs say.
    """
    wanted = recipe_of(fingerprint, inputs)
    tasks = []
    # Partitions were mostly made together: each distinct recipe is judged once.
    reached: dict[tuple[tuple[str, int, str], ...], list[tuple[str, Span]]] = {}

    def since(recipe: Recipe) -> list[tuple[str, Span]]:
        key = tuple((t, *v) for t, v in sorted(recipe.inputs.items()))
        if key not in reached:
            reached[key] = _reached(node, recipe, wanted, inputs, sessions)
        return reached[key]

    for name in sorted({*_domain(node, current, inputs), *besides}):
        span = node.contract.grain.span(name)
        entry = current.partitions.get(name)
        draft = _drafted(entry, span, fingerprint=fingerprint, since=since)
        if asked:
            draft.add("asked", span)
        # What is stored is judged as it stands; what is held is computed once more.
        computes = bool(draft.reasons) or (entry is not None and entry.state != "live")
        if name in besides:
            draft.reasons[besides[name]] = None
            draft.dates += [span] if computes else []
        if draft.reasons:
            again = _tried_before(entry, span, fingerprint=fingerprint, since=since)
            task = draft.task(node.table, name, again=again, computes=computes)
            tasks.append(task)
    return tasks


def _tried_before(
    entry: Partition | None,
    span: Span,
    *,
    fingerprint: str,
    since: Callable[[Recipe], list[tuple[str, Span]]],
) -> bool:
    """Return whether nothing new reached a partition since it was last tried."""
    tried = None if entry is None else entry.tried
    return (
        tried is not None
        and tried.fingerprint == fingerprint
        and not any(dates.intersects(span) for _, dates in since(tried))
    )


def _drafted(
    entry: Partition | None,
    span: Span,
    *,
    fingerprint: str,
    since: Callable[[Recipe], list[tuple[str, Span]]],
) -> _Draft:
    """Return why a partition must be computed, if it must, and for which dates."""
    draft = _Draft()
    if entry is None:
        draft.add("new", span)
        return draft
    if entry.state == "failed":
        draft.add("failed before", span)
    # What is held was tried with newer inputs than what is served.
    made = entry.tried if entry.state == "held" and entry.tried else entry.recipe
    if entry.state != "failed" and made.fingerprint != fingerprint:
        draft.add("code or registry", span)
    for reason, dates in since(made):
        if dates.intersects(span):
            draft.add(reason, dates.clip(span))
    return draft


def up_to_date(entry: Partition, recipe: Recipe) -> Partition:
    """Return a partition that was judged unaffected, with the recipe that now fits it."""
    if entry.state == "held":
        return replace(entry, tried=recipe)
    return replace(entry, recipe=recipe)


def fits(entry: Partition, recipe: Recipe) -> bool:
    """Return whether a partition, or what is held of it, was made as this recipe says."""
    if entry.state == "held":
        return entry.tried is not None and same_recipe(entry.tried, recipe)
    return same_recipe(entry.recipe, recipe)


def _domain(
    node: Node, current: PartitionMap, inputs: Mapping[str, Input]
) -> list[str]:
    """Return the partitions that the table has or must have."""
    names = set(current.partitions)
    for table, read in node.spines.items():
        spine = inputs[source_table(table, read)]
        spans = [p.extent for p in spine.map.partitions.values() if p.extent]
        spans += [change.span for change in spine.pending]
        if isinstance(read, Grid):
            spans = [spine.extent] if spine.extent else []
        for span in spans:
            names.update(node.contract.grain.partitions(span))
    return sorted(names)


def _reached(
    node: Node,
    made: Recipe,
    wanted: Recipe,
    inputs: Mapping[str, Input],
    sessions: Sessions,
) -> list[tuple[str, Span]]:
    """Return what changed in the inputs since a recipe, as dates of rows."""
    found: list[tuple[str, Span]] = []
    for table, read in node.reads.items():
        stored = source_table(table, read)
        there = inputs[stored]
        version, root = made.inputs.get(stored, (-1, ""))
        moved = root != wanted.inputs[stored][1]
        if moved and there.root_at(version) != root:
            # A backup came back, or the log lost commits: nothing can be inferred.
            return [(f"{stored} has another history", Span.all())]
        for change in _changes(read, there, version if moved else None):
            rows = reached_by(read, change, sessions)
            if not rows.empty and sees(read, change) and _concerns(node, change):
                days = f"{change.span.start}..{change.span.last}"
                what = "extent of " if isinstance(read, Grid) else ""
                found.append((f"{what}{stored} {days}", rows))
    return found


def _concerns(node: Node, change: Change) -> bool:
    """Return whether a decision is about lines that the handler reads."""
    return change.about is None or not set(change.about).isdisjoint(node.lines)


def _changes(read: Read, there: Input, version: int | None) -> list[Change]:
    if isinstance(read, Grid):
        if version is None and not there.pending:
            return []
        version = there.version if version is None else version
        ends = between_extents(there.extent_at(version), there.extent)
        return [Change(span) for span in ends]
    seen = [] if version is None else there.changes_since(version)
    return [*seen, *there.pending]


def pending_after(tasks: list[Task], there: Input) -> Input:
    """Return the table with what these tasks might change added as pending."""
    extra = tuple(Change(span) for task in tasks for span in task.dates)
    return replace(there, pending=(*there.pending, *extra))
