"""The verb `demo`: the whole road on a simulated market, step by step, then a proof.

Each step says what it promises and whether the lake kept it. It works in a folder of
its own, never touches another lake, and holds no real price.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.downloads import Source
from cbi_stream.cli.opening import AsJson, dispatching, registry
from cbi_stream.cli.stage import Stage
from cbi_stream.cli.steps import walk
from cbi_stream.engine.graph import discover
from cbi_stream.engine.prove import Certificate
from cbi_stream.lake.lake import Lake


def demo(
    *,
    keep: Annotated[Path | None, Parameter(name="--keep")] = None,
    json: AsJson = False,
) -> int:
    """Run the whole road on a simulated market, and prove it. Exit 1: a promise broke.

    Args:
        keep: a new folder in which the lake stays afterwards; else it is removed.
        json: print one JSON object.
    """
    with tempfile.TemporaryDirectory(prefix="cbi-demo-") as temporary:
        folder = keep or Path(temporary)
        found = registry()
        lake = Lake.create(folder / "lake", found, kind="simulated")
        stage = Stage(lake, discover(found), folder / "files", silent=json)
        start = time.perf_counter()
        with dispatching(lake):
            certificate = walk(stage, Source(found.sessions))
        seconds = round(time.perf_counter() - start, 1)
    return _close(stage, certificate, seconds, keep)


def _close(
    stage: Stage, certificate: Certificate, seconds: float, keep: Path | None
) -> int:
    broken = [p for s in stage.steps for p, kept in s.promises.items() if not kept]
    total = sum(len(step.promises) for step in stage.steps)
    if stage.silent:
        show.as_json(
            {
                "simulated": True,
                "kept": not broken,
                "broken": broken,
                "seconds": seconds,
                "steps": [asdict(step) for step in stage.steps],
                "certificate": certificate.to_plain(),
            }
        )
        return 1 if broken else 0
    words = f"{total - len(broken)} of {total} promises kept in {seconds} s."
    rest = f" The lake stays: cbi status --lake {keep}/lake" if keep else ""
    stage.frame(f"SIMULATED. {words}{rest}")
    for promise in broken:
        stage.say(f"BROKEN: {promise}", style="bold red")
    return 1 if broken else 0
