"""The partition map as the text that a commit carries, and back.

What is empty is left out, and recipes that repeat are written once. It never reads a log.
"""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

from cbi_stream.lake.partition_map import (
    Change,
    Partition,
    PartitionMap,
    Recipe,
    StoredFile,
)
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.words.span import Span


def text_of(current: PartitionMap) -> str:
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

    for name, entry in sorted(current.partitions.items()):
        partitions[name] = _partition_to_plain(entry, number_of(entry.recipe))
        if entry.tried is not None:
            partitions[name]["tried"] = number_of(entry.tried)
    return json.dumps(
        {
            "format": 1,
            "root": current.root,
            "partitions": partitions,
            "recipes": recipes,
            "changes": [
                [
                    *_days(c.span),
                    c.known_from and c.known_from.isoformat(),
                    c.columns,
                    c.about,
                ]
                for c in current.changes
            ],
            "batch": current.batch,
            "note": current.note,
            "previous": current.previous,
            "shape": current.shape,
        },
        separators=(",", ":"),
    )


def map_of(text: str) -> PartitionMap:
    """Return the map that `text_of` wrote."""
    plain = json.loads(text)
    recipes = [
        Recipe(r["fingerprint"], {t: (v[0], v[1]) for t, v in r["inputs"].items()})
        for r in plain["recipes"]
    ]
    return PartitionMap(
        partitions={
            name: _partition_from_plain(entry, recipes)
            for name, entry in plain["partitions"].items()
        },
        changes=tuple(
            Change(
                _span(c[:2]),
                date.fromisoformat(c[2]) if c[2] else None,
                None if c[3] is None else tuple(c[3]),
                None if c[4] is None else tuple(c[4]),
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
    for name in ("fates", "held_fates"):
        if getattr(entry, name):
            plain[name] = getattr(entry, name)
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
        held_fates=plain.get("held_fates", {}),
        judged_by=plain.get("judged_by", ""),
        verdicts=tuple(Verdict.from_plain(v) for v in plain.get("verdicts", ())),
        permits=tuple(plain.get("permits", ())),
        carried=tuple(plain.get("carried", ())),
    )
