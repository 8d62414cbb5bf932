"""What every commit says about its table: the complete map of its partitions.

The map of the newest commit is the cursor; there is no other. It holds, for each
partition, its content hash, its files, its dates, what it was made from and its
state. It never holds data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
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

    def to_json(self) -> str:
        """Return the map as text; recipes that repeat are written once."""
        recipes: list[dict[str, Any]] = []
        numbers: dict[str, int] = {}
        partitions: dict[str, Any] = {}

        def number_of(recipe: Recipe) -> int:
            written = {
                "fingerprint": recipe.fingerprint,
                "inputs": {t: list(v) for t, v in sorted(recipe.inputs.items())},
            }
            text = json.dumps(written, sort_keys=True)
            if text not in numbers:
                numbers[text] = len(recipes)
                recipes.append(written)
            return numbers[text]

        for name, entry in sorted(self.partitions.items()):
            partitions[name] = _partition_to_plain(entry, number_of(entry.recipe))
            if entry.tried is not None:
                partitions[name]["tried"] = number_of(entry.tried)
        return json.dumps(
            {
                "format": 1,
                "root": self.root,
                "partitions": partitions,
                "recipes": recipes,
                "changes": [
                    [
                        *_days(c.span),
                        c.known_from and c.known_from.isoformat(),
                        c.columns,
                    ]
                    for c in self.changes
                ],
                "batch": self.batch,
                "note": self.note,
                "previous": self.previous,
                "shape": self.shape,
            },
            separators=(",", ":"),
        )

    @classmethod
    def from_json(cls, text: str) -> PartitionMap:
        """Return the map that `to_json` wrote."""
        plain = json.loads(text)
        recipes = [
            Recipe(r["fingerprint"], {t: (v[0], v[1]) for t, v in r["inputs"].items()})
            for r in plain["recipes"]
        ]
        return cls(
            partitions={
                name: _partition_from_plain(entry, recipes)
                for name, entry in plain["partitions"].items()
            },
            changes=tuple(
                Change(
                    _span(c[:2]),
                    date.fromisoformat(c[2]) if c[2] else None,
                    None if c[3] is None else tuple(c[3]),
                )
                for c in plain["changes"]
            ),
            batch=plain["batch"],
            note=plain["note"],
            previous=plain["previous"],
            shape=plain["shape"],
        )


def _days(span: Span) -> list[str]:
    return [span.start.isoformat(), (span.end - timedelta(days=1)).isoformat()]


def _span(days: list[str]) -> Span:
    return Span(
        date.fromisoformat(days[0]), date.fromisoformat(days[1]) + timedelta(days=1)
    )


def _partition_to_plain(entry: Partition, recipe: int) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "hash": entry.hash,
        "rows": entry.rows,
        "files": [[f.path, f.sha256, f.size] for f in entry.files],
        "recipe": recipe,
    }
    if entry.extent:
        plain["extent"] = _days(entry.extent)
    if entry.fates:
        plain["fates"] = entry.fates
    if entry.state != "live":
        plain |= {"state": entry.state, "error": entry.error}
        plain["attempts"] = entry.attempts
    for name in ("candidate", "judged_by", "permits", "carried"):
        if getattr(entry, name):
            plain[name] = getattr(entry, name)
    if entry.verdicts:
        plain["verdicts"] = [verdict.to_plain() for verdict in entry.verdicts]
    return plain


def _partition_from_plain(plain: dict[str, Any], recipes: list[Recipe]) -> Partition:
    return Partition(
        hash=plain["hash"],
        rows=plain["rows"],
        files=tuple(StoredFile(*f) for f in plain["files"]),
        recipe=recipes[plain["recipe"]],
        extent=_span(plain["extent"]) if "extent" in plain else None,
        state=plain.get("state", "live"),
        error=plain.get("error"),
        attempts=plain.get("attempts", 0),
        tried=recipes[plain["tried"]] if "tried" in plain else None,
        fates=plain.get("fates", {}),
        candidate=plain.get("candidate", ""),
        judged_by=plain.get("judged_by", ""),
        verdicts=tuple(Verdict.from_plain(v) for v in plain.get("verdicts", ())),
        permits=tuple(plain.get("permits", ())),
        carried=tuple(plain.get("carried", ())),
    )
