"""What every commit says about its table: the complete map of its partitions.

The map of the newest commit is the cursor; there is no other. It holds, for each
partition, its content hash, its files, its dates, what it was made from and its
state. It never holds data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from cbi_stream.lake.canonical import root
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.words.span import Span

State = Literal["live", "failed", "held"]
"""held: a check keeps the newest candidate back; the content is the last good one."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One Parquet file of a partition: path inside the table, sha256 of its bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a partition was made from: the fingerprint, and per input (version, root)."""

    fingerprint: str
    inputs: Mapping[str, tuple[int, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Partition:
    """One partition of one version of a table."""

    hash: str
    rows: int
    files: tuple[StoredFile, ...]
    recipe: Recipe
    extent: Span | None = None
    """First to last date of the rows that set the table's extent; None: no such row."""
    state: State = "live"
    error: str | None = None
    """Why the newest attempt failed or is held; the content is then the last good one."""
    attempts: int = 0
    """How often it failed in a row with the recipe `tried`."""
    tried: Recipe | None = None
    """The recipe of the attempts that failed, or of the candidate that is held."""
    fates: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of a table made of lines: per raw table, how many of them met which fate."""
    candidate: str = ""
    """The hash of the content that is held back."""
    held_fates: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """What the lines behind the content that is held back would meet, as in `fates`."""
    judged_by: str = ""
    """The print of the gates that judged it; of the candidate where one is held."""
    verdicts: tuple[Verdict, ...] = ()
    """Those that did not pass."""
    permits: tuple[str, ...] = ()
    """The decisions that stood when it was judged, as gate@candidate."""
    carried: tuple[str, ...] = ()
    """The held partitions that it was computed from, as table/partition@candidate."""


@dataclass(frozen=True, slots=True)
class Change:
    """Dates whose rows changed, the first local day on which any was knowable, and how."""

    span: Span
    known_from: date | None = None
    columns: tuple[str, ...] | None = None
    """The columns that changed, sorted; None: any, since rows came or went."""
    about: tuple[str, ...] | None = None
    """Of decisions: the tables whose lines they speak of, sorted; None: not said."""


@dataclass(frozen=True, slots=True)
class PartitionMap:
    """The map that one commit carries, and what that commit changed."""

    partitions: Mapping[str, Partition]
    changes: tuple[Change, ...] = ()
    batch: int = 0
    """The number of the newest append; counts up in records, 0 in derived tables."""
    note: Mapping[str, Any] = field(default_factory=dict)
    """Counters and times of this one commit."""
    previous: str = ""
    """The sha256 of the commit before this one."""
    shape: str = ""
    """The columns and types of the contract that the content was written under."""

    @property
    def root(self) -> str:
        """The hash of the whole content. Empty partitions do not count."""
        return root({n: p.hash for n, p in self.partitions.items() if p.rows})

    @property
    def extent(self) -> Span | None:
        """First to last date over all partitions."""
        spans = [p.extent for p in self.partitions.values() if p.extent]
        if not spans:
            return None
        return Span(min(s.start for s in spans), max(s.end for s in spans))
