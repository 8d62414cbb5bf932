"""Held candidates: what a check keeps back, as files beside the tables.

`<lake>/held/<table>/<partition>-<hash12>.parquet` with a JSON beside it. A file is on the
disk before the map names it, and is taken away only when no map does. Nothing here judges.
"""

from __future__ import annotations

import hashlib
import io
import json
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.lake import durable
from cbi_stream.lake.canonical import canonical, digest
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Partition
from cbi_stream.lake.table import write_parquet
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.words.errors import DamagedLake

_MEND = "take the file away, and `cbi run` makes it anew"
SHORT = 12
"""How much of a candidate's hash names it."""


def name_of(table: str, partition: str, *, candidate: str) -> str:
    """Return how a held candidate is called, as in `carried`."""
    return f"{table}/{partition}@{candidate[:SHORT]}"


def path_of(lake: Lake, table: str, *, partition: str, candidate: str) -> Path:
    """Return where the rows of a held candidate stand."""
    return lake.folder / "held" / table / f"{partition}-{candidate[:SHORT]}.parquet"


def write_candidate(lake: Lake, rows: pl.DataFrame) -> Path:
    """Write a candidate as an unfinished file, and return where it lies."""
    path = lake.work / f"{uuid.uuid4().hex}.parquet"
    write_parquet(rows, path)
    return path


def keep(
    lake: Lake, table: str, *, partition: str, entry: Partition, made: Path
) -> None:
    """Move a candidate to where it is kept, its verdicts beside it, both synced."""
    path = path_of(lake, table, partition=partition, candidate=entry.candidate)
    durable.make_folder(path.parent)
    sha256 = hashlib.sha256(made.read_bytes()).hexdigest()
    made.replace(path)
    durable.sync(path.parent)
    tried = entry.tried
    plain = {
        "table": table,
        "partition": partition,
        "candidate": entry.candidate,
        "sha256": sha256,
        "served": entry.hash,
        "verdicts": [verdict.to_plain() for verdict in entry.verdicts],
        "tried": tried
        and {"fingerprint": tried.fingerprint, "inputs": dict(tried.inputs)},
    }
    text = json.dumps(plain, indent=1, sort_keys=True)
    durable.write(path.with_suffix(".json"), text.encode())


def rows_of(lake: Lake, table: str, *, partition: str, candidate: str) -> pl.DataFrame:
    """Return the rows of a held candidate.

    Raises:
        DamagedLake: the file is missing, or is not the content that was judged.
    """
    path = path_of(lake, table, partition=partition, candidate=candidate)
    try:
        data = path.read_bytes()
        told = json.loads(path.with_suffix(".json").read_bytes())["sha256"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        msg = f"{path}: expected the held candidate; {error}: {_MEND}"
        raise DamagedLake(msg) from error
    # Damaged bytes may end the process that reads them: they are compared first.
    if hashlib.sha256(data).hexdigest() == told:
        frame = pl.read_parquet(io.BytesIO(data))
        rows = canonical(frame, lake.table(table).contract)
        if digest(rows) == candidate:
            return rows
    msg = f"{path}: expected content {candidate[:SHORT]}; found another: {_MEND}"
    raise DamagedLake(msg)


def missing(lake: Lake, table: str, entries: Mapping[str, Partition]) -> list[str]:
    """Return the held partitions whose candidate does not stand where it should."""
    return [
        name
        for name, entry in entries.items()
        if entry.state == "held"
        and not path_of(lake, table, partition=name, candidate=entry.candidate).exists()
    ]


def tidy(lake: Lake, table: str, entries: Mapping[str, Partition]) -> None:
    """Take away the candidates that no entry holds any more."""
    folder = lake.folder / "held" / table
    if not folder.is_dir():
        return
    kept = {
        path_of(lake, table, partition=name, candidate=entry.candidate)
        for name, entry in entries.items()
        if entry.state == "held"
    }
    kept |= {path.with_suffix(".json") for path in kept}
    for path in sorted(folder.iterdir()):
        if path not in kept:
            path.unlink()


def of_effect(lake: Lake, name: str) -> dict[str, Any] | None:
    """Return what holds an effect back; None where nothing does.

    What cannot be read counts as nothing: the effect is then judged again.
    """
    try:
        found = json.loads(_effect_path(lake, name).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def hold_effect(
    lake: Lake,
    name: str,
    *,
    key: str,
    verdicts: Iterable[Verdict],
    carried: Iterable[str],
) -> None:
    """Write why an effect publishes nothing, with the key of what it was made from."""
    plain = {
        "effect": name,
        "key": key,
        "verdicts": [verdict.to_plain() for verdict in verdicts],
        "carried": list(carried),
    }
    text = json.dumps(plain, indent=1, sort_keys=True)
    durable.write(_effect_path(lake, name), text.encode())


def release_effect(lake: Lake, name: str) -> None:
    """Take away what held an effect back."""
    _effect_path(lake, name).unlink(missing_ok=True)


def _effect_path(lake: Lake, name: str) -> Path:
    return lake.folder / "held" / f"{name.replace('.', '/', 1)}.json"
