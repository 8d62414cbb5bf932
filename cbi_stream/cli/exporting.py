"""The verb `export`: the training files brought up to date, listed, and copied out.

It never changes a file that stands there under the right key, and never a table.
"""

from __future__ import annotations

import hashlib
from json import loads
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, dispatching, opened
from cbi_stream.engine import effects
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.preview import preview
from cbi_stream.engine.report import Made
from cbi_stream.engine.wave import input_of
from cbi_stream.lake import durable, permits
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import DamagedLake, WrongUsage

HELD, PARTIAL = 3, 4
PRICE = "front month, unadjusted"
"""What the target's price is."""


def export(
    *,
    to: Path | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Bring the training files up to date, list them, and copy them out.

    Args:
        to: a folder to copy each file and its manifest to.
        dry_run: list what stands there; write and copy nothing.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    made = Made()
    if to is not None:
        _may_be_written(found, to)
    if not dry_run:
        with dispatching(found):
            made = _brought_up_to_date(found, graph)
    files = _listed(found)
    missing = [name for name in found.registry.exports.exports if name not in files]
    copied = [] if to is None or dry_run else _copied(files, to)
    behind = _not_up_to_date(found, graph)
    if json:
        show.as_json(
            {
                "kind": found.kind,
                "price": PRICE,
                "files": list(files.values()),
                "written": made.written,
                "copied": copied,
                "missing": missing,
                "failed": made.failed,
                "held": made.held,
                "not_up_to_date": behind,
                "dry_run": dry_run,
            }
        )
    else:
        _print(found, files, made.written)
        if copied:
            show.note(f"copied {len(copied)} files with their manifests to {to}")
    _warn(missing, made.failed, behind)
    show.failures(made.held, "held")
    if missing or made.failed:
        return PARTIAL
    return HELD if made.held else 0


def _brought_up_to_date(lake: Lake, graph: Graph) -> Made:
    tables = {table for effect in graph.effects for table in effect.after}
    seen = {table: input_of(lake.table(table)) for table in sorted(tables)}
    return effects.run_all(lake, graph, seen, permits=permits.standing(lake))


def _not_up_to_date(lake: Lake, graph: Graph) -> list[str]:
    """Return the tables behind the files that a run would compute."""
    waiting = [table for effect in graph.effects for table in effect.after]
    needed: set[str] = set()
    inputs = {node.table: node.inputs for node in graph.nodes}
    while waiting:
        table = waiting.pop()
        if table not in needed:
            needed.add(table)
            waiting += inputs.get(table, ())
    return sorted({task.table for task in preview(lake, graph)} & needed)


def _listed(lake: Lake) -> dict[str, dict[str, Any]]:
    """Return what is known of each file of exports.yaml that stands there.

    Raises:
        DamagedLake: a file is not the one that its manifest speaks of.
    """
    folder, found = lake.folder / "exports", {}
    manifests = effects.manifests(lake)
    for name, entry in lake.registry.exports.exports.items():
        path, manifest = folder / f"{name}.parquet", manifests.get(name)
        if manifest is None or not path.exists():
            continue
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != manifest["sha256"]:
            msg = (
                f"{path}: its bytes are not those that its manifest names: remove both, "
                "then `cbi export` writes them anew"
            )
            raise DamagedLake(msg)
        dates = pl.read_parquet(data, columns=["date"])["date"]
        found[name] = {
            "name": name,
            "surface": entry.surface,
            "horizon": entry.horizon,
            "rows": manifest["rows"],
            "columns": len(manifest["columns"]),
            "first": dates.min(),
            "last": dates.max(),
            "sha256": manifest["sha256"],
            "path": str(path),
            "manifest": str(folder / f"{name}.manifest.json"),
            "inputs": manifest["inputs"],
        }
    return found


def _may_be_written(lake: Lake, to: Path) -> None:
    """Refuse a folder that is none, or that the lake keeps for itself.

    Raises:
        WrongUsage: it is a file, or lies in the lake.
    """
    if to.exists() and not to.is_dir():
        msg = f"--to: expected a folder; {to} is a file"
        raise WrongUsage(msg)
    if to.resolve().is_relative_to(lake.folder.resolve()):
        msg = f"--to: expected a folder outside the lake; found {to}"
        raise WrongUsage(msg)


def _copied(files: dict[str, dict[str, Any]], to: Path) -> list[str]:
    """Copy each file durably, and its manifest after it; return the new paths.

    Raises:
        DamagedLake: a run wrote other files meanwhile.
    """
    made = []
    for name, entry in files.items():
        source = Path(entry["path"])
        data, manifest = source.read_bytes(), Path(entry["manifest"]).read_bytes()
        if loads(manifest)["sha256"] != hashlib.sha256(data).hexdigest():
            msg = f"{source}: it was written anew while it was copied: export again"
            raise DamagedLake(msg)
        durable.write(to / source.name, data)
        durable.write(to / f"{name}.manifest.json", manifest)
        made.append(str(to / source.name))
    return made


def _print(lake: Lake, files: dict[str, dict[str, Any]], written: list[str]) -> None:
    show.table(
        f"{lake.kind} lake: {lake.folder / 'exports'} ({PRICE})",
        ["file", "rows", "columns", "first", "last", "sha256", "now"],
        [
            (
                name,
                entry["rows"],
                entry["columns"],
                entry["first"],
                entry["last"],
                entry["sha256"][:8],
                "written" if name in written else "",
            )
            for name, entry in files.items()
        ],
    )
    if files:
        show.note("each is FILE.parquet, with FILE.manifest.json beside it")


def _warn(missing: list[str], failed: dict[str, str], behind: list[str]) -> None:
    if behind:
        show.note(
            f"not up to date: {', '.join(behind)}; the files are of what was computed "
            "last: cbi run --until-idle"
        )
    for name, why in failed.items():
        show.note(f"failed: {name}: {why}")
    for name in missing:
        show.note(f"missing: {name}: its tables are empty or failed: see cbi status")
