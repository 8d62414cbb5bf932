"""The verb `run`: until nothing is left to do, or for good.

It prints what happened and decides nothing.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from cyclopts import Parameter

from cbi_stream.cli import receipts, show
from cbi_stream.cli.making import PATIENCE_SECONDS, settle
from cbi_stream.cli.opening import (
    DEFAULT_LAKE,
    AsJson,
    LakeFolder,
    dispatching,
    opened,
)
from cbi_stream.cli.staying import stay
from cbi_stream.doors.readers import Child
from cbi_stream.engine import fates
from cbi_stream.engine.report import WaveReport

HELD = 3
"""A gate holds something."""


def run(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    until_idle: Annotated[bool, Parameter(negative="")] = False,
    watch: Annotated[bool, Parameter(negative="--no-watch")] = True,
    offline: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Take in what landed and bring every table up to date; stay, and go on so.

    While it stays each source is asked when it is due. Ctrl-C or SIGTERM ends it after
    the commit at hand.

    Args:
        lake: folder of the lake.
        until_idle: process everything pending, then leave.
        watch: listen for changes of files; without it the lake is looked at every 30 s.
        offline: ask no source; with CBI_OFFLINE set nobody is asked either.
        json: with --until-idle: print one JSON object.
    """
    found, graph = opened(lake)
    if not until_idle:
        return stay(found, graph, watching=watch, offline=offline)
    with dispatching(found), Child(graph) as reader:
        told, waves = settle(found, graph, reader=reader, patience=PATIENCE_SECONDS)
        skipped = reader.skipped
    failed = {place: why for wave in waves for place, why in wave.failed.items()}
    held = waves[-1].held
    if json:
        show.as_json(
            {
                "kind": found.kind,
                "receipts": [asdict(receipt) for receipt in told],
                "waves": _plain(waves),
                "lines": fates.of_lake(found, graph),
                "failed": failed,
                "held": held,
            }
        )
    else:
        receipts.print_receipts(told, kind=found.kind)
        if skipped:
            show.note(f"the reader could not limit its {', '.join(skipped)} here")
        _print_waves(waves, failed)
        show.failures(held, "held")
    code = receipts.PARTIAL if failed else receipts.exit_code(told)
    return code or (HELD if held else 0)


def _plain(waves: list[WaveReport]) -> list[dict[str, Any]]:
    return [asdict(wave) for wave in waves]


def _print_waves(waves: list[WaveReport], failed: dict[str, str]) -> None:
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
    show.failures(failed)
