"""Runs effects once a wave has settled, and publishes their files atomically.

An effect's files are all written and synced before the first is renamed into place;
the manifest, which names the file's sha256, comes last. Present means done: an effect
whose manifest has the same key is not run again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine import fingerprint
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.plan import Input
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import durable
from cbi_stream.lake.canonical import digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.table import write_parquet
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.effect import Effect
from cbi_stream.words.errors import DamagedLake, HandlerFailed
from cbi_stream.words.span import Span


def run_all(lake: Lake, graph: Graph, seen: Mapping[str, Input]) -> list[str]:
    """Run every effect whose inputs or code changed; return the names written."""
    written: list[str] = []
    for effect in graph.effects:
        if not all(seen[table].map.partitions for table in effect.after):
            continue  # nothing was computed yet
        if any(
            entry.state == "failed"
            for table in effect.after
            for entry in seen[table].map.partitions.values()
        ):
            continue  # a part of the whole table is not what it should be
        key = _key(graph, effect, seen)
        if key not in _done(lake):
            written += _run(lake, graph, effect, key, seen)
    return written


def manifests(lake: Lake) -> dict[str, dict[str, Any]]:
    """Return the manifest of each published file, by the file's name.

    Raises:
        DamagedLake: a manifest cannot be read.
    """
    found = {}
    for path in sorted((lake.folder / "exports").glob("*.manifest.json")):
        try:
            found[path.name.removesuffix(".manifest.json")] = json.loads(
                path.read_bytes()
            )
        except ValueError as error:
            msg = f"{path}: expected a manifest; {error}"
            raise DamagedLake(msg) from error
    return found


def _done(lake: Lake) -> set[str]:
    return {
        manifest["key"]
        for name, manifest in manifests(lake).items()
        if (lake.folder / "exports" / f"{name}.parquet").exists()
    }


def _key(graph: Graph, effect: Effect, seen: Mapping[str, Input]) -> str:
    parts = [seen[table].map.root for table in effect.after]
    text = json.dumps([fingerprint.of_effect(graph, effect), *parts])
    return hashlib.sha256(text.encode()).hexdigest()


def _run(
    lake: Lake, graph: Graph, effect: Effect, key: str, seen: Mapping[str, Input]
) -> list[str]:
    frames: dict[str, Any] = {
        argument: rows_between(lake, table, Span.all(), seen[table].map)
        for argument, table in effect.arguments.items()
    }
    if effect.spec:
        frames["spec"] = Spec(graph.registry, effect.spec)
    made = effect(**frames)
    finished = [_finish(lake, effect, name, frame) for name, frame in made.items()]
    for name, path, manifest in finished:
        manifest |= {
            "key": key,
            "effect": effect.name,
            "lake": {"id": lake.id, "kind": lake.kind},
            "inputs": {
                t: {"version": seen[t].version, "root": seen[t].map.root}
                for t in effect.after
            },
            "environment": fingerprint.environment(),
        }
        folder = lake.folder / "exports"
        durable.make_folder(folder)
        path.replace(folder / f"{name}.parquet")
        durable.sync(folder)
        text = json.dumps(manifest, indent=1, sort_keys=True)
        durable.write(folder / f"{name}.manifest.json", text.encode())
    return [name for name, _, _ in finished]


def _finish(
    lake: Lake, effect: Effect, name: str, frame: pl.DataFrame
) -> tuple[str, Path, dict[str, Any]]:
    floats = frame.select(pl.selectors.float())
    if (
        floats.width
        and frame.select(
            pl.any_horizontal(pl.selectors.float().is_finite().not_().any())
        ).item()
    ):
        msg = f"{effect.name}: expected finite numbers in {name}; found NaN or infinity"
        raise HandlerFailed(msg)
    path = lake.work / f"{name}.parquet"
    stored = write_parquet(frame.rechunk(), path)
    return (
        name,
        path,
        {
            "rows": frame.height,
            "columns": {n: str(t) for n, t in frame.schema.items()},
            "content": digest(frame.rechunk()),
            "sha256": stored.sha256,
            "bytes": stored.size,
        },
    )
