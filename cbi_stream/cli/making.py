"""Verbs that change a lake: init, drop, run. Each is safe to repeat; none deletes."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import receipts, show
from cbi_stream.cli.health import pulse
from cbi_stream.cli.opening import (
    DEFAULT_LAKE,
    AsJson,
    LakeFolder,
    opened,
    registry,
)
from cbi_stream.doors import landing
from cbi_stream.doors.asking import asked_again
from cbi_stream.doors.landing import Receipt
from cbi_stream.doors.readers import Reader
from cbi_stream.doors.settling import Settling, pause
from cbi_stream.doors.stated import read_time
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.report import WaveReport
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage

PATIENCE_SECONDS = 30.0
_STEP_SECONDS = 0.5
_TAKE_IN = "take them in: cbi run --until-idle"


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
        key: the symbol or series, where neither header nor file name says it.
        as_of: when the files were seen: a time with its zone, 2024-05-01T18:00-05:00, or
            a day, 2024-05-01.
        dry_run: say what would be handed in, and hand in nothing.
        json: print one JSON object.
    """
    if not files:
        msg = "expected at least one file: cbi drop FILE..."
        raise WrongUsage(msg)
    found, graph = opened(lake)
    hint = landing.Hint(source, key, _time(as_of))
    for file in files:
        landing.check(found, file)
    placed = [file if dry_run else landing.drop(found, file, hint) for file in files]
    names = [path.name for path in placed]
    ahead = [] if dry_run else landing.foresee(found, graph, names)
    if json:
        plain = {"queued": names, "dry_run": dry_run}
        seen = {} if dry_run else {"foreseen": [asdict(each) for each in ahead]}
        show.as_json(plain | seen)
        return 0
    what = "would queue" if dry_run else "queued"
    lives = pulse(found)["state"] == "alive"
    how = "the dispatcher takes them in: cbi logs -f" if lives else _TAKE_IN
    show.note(f"{what} {len(placed)} file(s); {how}")
    for each in ahead:
        if each.reason is not None:
            for line in receipts.paragraph(each, ahead=True):
                show.note(line)
    return 0


def settle(
    lake: Lake, graph: Graph, *, reader: Reader | None = None, patience: float = 0.0
) -> tuple[list[Receipt], list[WaveReport]]:
    """Take files in and run waves until nothing more changes.

    Args:
        lake: the lake.
        graph: its handlers.
        reader: who reads the files; without one they are read in this process.
        patience: how many seconds to wait for files that are still being copied.

    Returns:
        A receipt for each file, with what became of its lines, and the waves.
    """
    told: list[Receipt] = []
    waves: list[WaveReport] = []
    settling = Settling()
    deadline = time.perf_counter() + patience
    while True:
        arrived = landing.take_in(lake, graph, reader=reader, settling=settling)
        left = [receipt for receipt in arrived if receipt.end != "waiting"]
        still = [receipt for receipt in arrived if receipt.end == "waiting"]
        told += left
        if not left and _may_settle(still) and time.perf_counter() < deadline:
            pause(_STEP_SECONDS)
            continue
        waves.append(run_wave(lake, graph, again=asked_again(lake)))
        if waves[-1].quiet and not left:
            done = landing.complete(lake, graph, told)
            # What another process took in was waiting for this wave as well.
            landing.complete(lake, graph, landing.incomplete(lake))
            return [*done, *still], waves


def _may_settle(still: list[Receipt]) -> bool:
    return any(receipt.unsettled for receipt in still)


def _time(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return read_time(text)
    except ValueError as error:
        msg = f"--as-of: {error}"
        raise WrongUsage(msg) from None
