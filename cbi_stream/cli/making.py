"""Verbs that change a lake: init, drop, run. Each is safe to repeat; none deletes."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import (
    DEFAULT_LAKE,
    AsJson,
    LakeFolder,
    dispatching,
    opened,
    registry,
)
from cbi_stream.doors import landing
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.wave import WaveReport, run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage


def init(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    simulated: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Make an empty lake.

    Args:
        lake: folder to make.
        simulated: make a lake that takes simulated bytes only, and says so.
        json: print one JSON object.
    """
    made = Lake.create(lake, registry(), kind="simulated" if simulated else "real")
    if json:
        show.as_json({"lake": str(lake), "id": made.id, "kind": made.kind})
    else:
        show.note(
            f"made a {made.kind} lake at {lake}. Next: cbi drop FILE --lake {lake}"
        )
    return 0


def drop(
    *files: Path,
    lake: LakeFolder = DEFAULT_LAKE,
    source: str | None = None,
    key: Annotated[
        str | None, Parameter(name=["--key", "--symbol", "--series"])
    ] = None,
    as_of: str | None = None,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Hand files in. They wait in the landing until `cbi run` takes them in.

    Args:
        files: the files; they are copied.
        lake: folder of the lake.
        source: which source the files are from, where their header does not say it.
        key: the symbol or series, where the file name does not say it.
        as_of: when the files were seen, with time zone, e.g. 2024-05-01T18:00-05:00.
        dry_run: say what would be handed in, and hand in nothing.
        json: print one JSON object.
    """
    if not files:
        msg = "expected at least one file: cbi drop FILE..."
        raise WrongUsage(msg)
    found, _ = opened(lake)
    hint = landing.Hint(source, key, _instant(as_of))
    for file in files:
        landing.check(found, file)
    placed = [file if dry_run else landing.drop(found, file, hint) for file in files]
    if json:
        show.as_json({"queued": [path.name for path in placed], "dry_run": dry_run})
    else:
        what = "would queue" if dry_run else "queued"
        show.note(f"{what} {len(placed)} file(s); take them in: cbi run --until-idle")
    return 0


def run(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    until_idle: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Take in what landed and bring every table up to date.

    Args:
        lake: folder of the lake.
        until_idle: process everything pending, then leave.
        json: print one JSON object.
    """
    if not until_idle:
        msg = "expected --until-idle: a run that stays and watches is not built yet"
        raise WrongUsage(msg)
    found, graph = opened(lake)
    with dispatching(found):
        receipts, waves = settle(found, graph)
    plain = [asdict(receipt) for receipt in receipts]
    failed = {place: why for wave in waves for place, why in wave.failed.items()}
    refused = [receipt for receipt in receipts if not receipt.taken]
    if json:
        show.as_json(
            {
                "kind": found.kind,
                "receipts": plain,
                "waves": _plain(waves),
                "failed": failed,
            }
        )
    else:
        _print_run(found, receipts, waves, failed)
    return 4 if failed or refused else 0


def settle(lake: Lake, graph: Graph) -> tuple[list[landing.Receipt], list[WaveReport]]:
    """Take files in and run waves until nothing more changes."""
    receipts: list[landing.Receipt] = []
    waves: list[WaveReport] = []
    while True:
        arrived = landing.take_in(lake, graph)
        known = {receipt.file for receipt in receipts if not receipt.taken}
        fresh = [r for r in arrived if r.taken or r.file not in known]
        receipts += fresh
        waves.append(run_wave(lake, graph))
        if waves[-1].quiet and not any(receipt.taken for receipt in fresh):
            return receipts, waves


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        msg = (
            "--as-of: expected a time with its zone, like 2024-05-01T18:00-05:00; "
            f"found {text!r}"
        )
        raise WrongUsage(msg)
    return instant


def _plain(waves: list[WaveReport]) -> list[dict[str, Any]]:
    return [asdict(wave) for wave in waves]


def _print_run(
    lake: Lake,
    receipts: list[landing.Receipt],
    waves: list[WaveReport],
    failed: dict[str, str],
) -> None:
    if receipts:
        show.table(
            f"files taken in ({lake.kind} lake)",
            ["file", "table", "lines", "stored", "duplicate", "not taken because"],
            [
                (r.file, r.table, r.lines, r.stored, r.duplicate, r.reason)
                for r in receipts
            ],
        )
    sums = {
        name: (
            sum(w.tables[name].planned for w in waves),
            sum(w.tables[name].changed for w in waves),
            waves[-1].tables[name].version,
        )
        for name in waves[-1].tables
    }
    show.table(
        "tables",
        ["table", "partitions computed", "changed", "version"],
        [(name, *counts) for name, counts in sums.items()],
    )
    for name in dict.fromkeys(n for wave in waves for n in wave.written):
        show.note(f"wrote exports/{name}.parquet")
    for place, why in failed.items():
        show.note(f"failed: {place}: {why}")
