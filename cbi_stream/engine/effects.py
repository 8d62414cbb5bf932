"""Runs effects once a wave has settled, and publishes their files atomically.

An effect's files are all written, synced and judged before the first is renamed into
place; the manifest, which names the file's sha256, comes last. Present means done: an
effect whose manifest has the same key is not run again, and neither is one that a gate
held back with that key. It never replaces a file by one that was not judged.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine import fingerprint, whole
from cbi_stream.engine.gating import place_of
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.judging import print_of
from cbi_stream.engine.plan import Input
from cbi_stream.engine.report import Made
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import durable, held
from cbi_stream.lake.canonical import digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.permits import NO_PERMITS, Permits
from cbi_stream.lake.table import write_parquet
from cbi_stream.lake.verdicts import Verdict, because, blocking
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.effect import Effect
from cbi_stream.words.errors import CbiError, DamagedLake, HandlerFailed
from cbi_stream.words.span import Span

SEAL = "seal"
"""The field of a manifest that shows whether any other byte of it was changed."""


def run_all(
    lake: Lake,
    graph: Graph,
    seen: Mapping[str, Input],
    *,
    permits: Permits = NO_PERMITS,
) -> Made:
    """Run every effect whose inputs, code, gates or decisions changed.

    Args:
        lake: the lake.
        graph: its handlers.
        seen: the tables as this wave sees them.
        permits: the decisions that stand.
    """
    done = Made()
    for effect in graph.effects:
        if not all(t in seen and seen[t].map.partitions for t in effect.after):
            continue  # nothing was computed yet, or a table is damaged
        if any(
            entry.state == "failed"
            for table in effect.after
            for entry in seen[table].map.partitions.values()
        ):
            continue  # a part of the whole table is not what it should be
        place = place_of(effect)
        job = _Job(effect, _key(graph, effect, seen, permits), seen, permits)
        try:
            holds = held.of_effect(lake, place)
            if holds is not None and holds.get("key") == job.key:
                done.held[place] = _because(holds)
            elif not _done(lake, job.key):
                _run(lake, graph, job, done)
        except CbiError as error:
            done.failed[effect.name] = f"{type(error).__name__}: {error}"
    return done


def _because(holds: Mapping[str, Any]) -> str:
    return because(Verdict.from_plain(each) for each in holds["verdicts"])


@dataclass(frozen=True, slots=True)
class _Job:
    """An effect, and what it is to be made from."""

    effect: Effect
    key: str
    seen: Mapping[str, Input]
    permits: Permits


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


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """Return the bytes of a manifest, with the sha256 over all else that it says."""
    plain = {name: value for name, value in manifest.items() if name != SEAL}
    text = json.dumps(plain, indent=1, sort_keys=True)
    plain[SEAL] = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps(plain, indent=1, sort_keys=True).encode()


def unsealed(data: bytes) -> dict[str, Any] | None:
    """Return the manifest in these bytes; None where they are not as they were written."""
    try:
        plain = json.loads(data)
        return plain if sealed(plain) == data else None
    except (ValueError, AttributeError, RecursionError):
        return None


def _readable(lake: Lake) -> dict[str, dict[str, Any]]:
    """Return the manifests that can be read: a file without one is written again."""
    found = {}
    for path in sorted((lake.folder / "exports").glob("*.manifest.json")):
        with suppress(ValueError):
            found[path.name.removesuffix(".manifest.json")] = json.loads(
                path.read_bytes()
            )
    return found


def _done(lake: Lake, key: str) -> bool:
    """Return whether every file that was made from these inputs stands there."""
    found = _readable(lake)
    made: list[str] = next((m["files"] for m in found.values() if m["key"] == key), [])
    folder = lake.folder / "exports"
    return bool(made) and all(
        name in found
        and found[name]["key"] == key
        and (folder / f"{name}.parquet").exists()
        for name in made
    )


def _key(
    graph: Graph, effect: Effect, seen: Mapping[str, Input], permits: Permits
) -> str:
    parts = [
        fingerprint.of_effect(graph, effect),
        *(seen[table].map.root for table in effect.after),
        whole.carried_by(effect, seen),
        print_of(graph, place_of(effect)),
        whole.permits_of(effect, permits),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _run(lake: Lake, graph: Graph, job: _Job, done: Made) -> None:
    """Make the files of an effect, judge them, and publish all of them or none."""
    effect, seen = job.effect, job.seen
    tables = {
        table: rows_between(lake, table, Span.all(), seen[table].map)
        for table in effect.after
    }
    frames: dict[str, Any] = {
        argument: tables[table] for argument, table in effect.arguments.items()
    }
    if effect.spec:
        frames["spec"] = Spec(graph.registry, effect.spec)
    made = _made(effect, frames)
    finished = [_finish(lake, effect, name, frame) for name, frame in made.items()]
    verdicts = whole.verdicts_of(
        lake,
        graph,
        effect,
        tables=tables,
        files=made,
        seen=seen,
        permits=whole.permits_of(effect, job.permits),
    )
    place, carried = place_of(effect), whole.carried_by(effect, seen)
    if blocking(verdicts):
        held.hold_effect(lake, place, key=job.key, verdicts=verdicts, carried=carried)
        done.held[place] = because(verdicts)
        for _, path, _ in finished:
            path.unlink()
        return
    told = {
        "key": job.key,
        "effect": effect.name,
        "files": sorted(made),
        "lake": {"id": lake.id, "kind": lake.kind},
        "inputs": {
            t: {"version": seen[t].version, "root": seen[t].map.root}
            for t in effect.after
        },
        "environment": fingerprint.environment(),
        "verdicts": whole.plain(verdicts),
        "carried": list(carried),
    }
    _publish(lake, finished, told)
    held.release_effect(lake, place)
    _withdraw(lake, effect, set(made))
    done.written += sorted(made)


def _publish(
    lake: Lake, finished: list[tuple[str, Path, dict[str, Any]]], told: dict[str, Any]
) -> None:
    folder = lake.folder / "exports"
    durable.make_folder(folder)
    for name, path, manifest in finished:
        path.replace(folder / f"{name}.parquet")
        durable.sync(folder)
        durable.write(folder / f"{name}.manifest.json", sealed(manifest | told))


def _withdraw(lake: Lake, effect: Effect, made: set[str]) -> None:
    """Take away what this effect made once and makes no more: nobody keeps it fresh."""
    for name, manifest in _readable(lake).items():
        if manifest["effect"] == effect.name and name not in made:
            (lake.folder / "exports" / f"{name}.manifest.json").unlink()
            (lake.folder / "exports" / f"{name}.parquet").unlink(missing_ok=True)


def _made(effect: Effect, frames: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    try:
        return effect(**frames)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        msg = f"{effect.name}: {type(error).__name__}: {error}"
        raise HandlerFailed(msg) from error


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
            "columns": {
                name: {"type": str(kind), "unit": _unit(lake, effect, name)}
                for name, kind in frame.schema.items()
            },
            "content": digest(frame.rechunk()),
            "sha256": stored.sha256,
            "bytes": stored.size,
        },
    )


def _unit(lake: Lake, effect: Effect, column: str) -> str | None:
    """Return the unit of a column by the contracts of the tables that it is made from."""
    contracts = (lake.registry.contracts[table].columns for table in effect.after)
    return next((c[column].unit for c in contracts if column in c), None)
