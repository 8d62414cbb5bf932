"""A job and its outcome: what goes to a worker, and what comes back. They do nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cbi_stream.lake.commit import Finished
from cbi_stream.lake.partition_map import Change, Partition, Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """A task with everything pinned: it means the same in any process."""

    table: str
    partition: str
    versions: Mapping[str, int]
    """The version of each input; -1 where the table does not exist yet."""
    stored: Partition | None
    """What the table holds for this partition now."""
    recipe: Recipe
    verify: bool = False
    """Whether to look at the stored bytes though the hash in the log is the same."""
    again: bool = False
    """Whether nothing new reached the partition since it last failed."""
    computes: bool = True
    """Whether to call the handler; without it what is stored is judged again."""
    judged_by: str = ""
    """The print of the gates that judge it."""
    permits: tuple[str, ...] = ()
    """The decisions that stand for it, as gate@candidate."""
    good_rows: int = 0
    """How many rows its last good content has, which is served if this one is held."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one job gave."""

    job: Job
    entry: Partition | None = None
    finished: Finished | None = None
    """The new file; None where the content is what is stored already, or is held."""
    changes: tuple[Change, ...] = ()
    error: str | None = None
    held: Path | None = None
    """The candidate's file, where a check holds it back; nothing else is new then."""
