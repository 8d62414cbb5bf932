"""Kills the real daemon at random instants while files arrive, many times over.

One JSON line per hundred kills and one at the end: kills, what was lost or doubled,
whether the exports equal those of an undisturbed lake, and the proof. A difference ends
it with exit code 1. It reads no real file.

Run: python -m bench.faults --kills 300
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from cbi_stream.doors import landing
from cbi_stream.engine import fates
from cbi_stream.engine.prove import prove
from cbi_stream.engine.wave import run_wave
from cbi_stream.lake.lake import Lake
from tests.faults import killing

KILLS_A_ROUND = 20


def undisturbed(folder: Path) -> Lake:
    """Return a lake that took in the same files in one quiet process."""
    lake = Lake.create(folder / "lake", killing.GRAPH.registry, kind="simulated")
    for files in killing.arrivals():
        killing.hand_in(lake, folder, files)
        landing.take_in(lake, killing.GRAPH)
        run_wave(lake, killing.GRAPH, probing="off")
    return lake


def round_of(folder: Path, quiet: Lake, *, seed: int) -> tuple[int, list[str]]:
    """Kill the daemon while ten sessions arrive; return how often, and what is wrong."""
    chance = random.Random(seed)
    lake = killing.prepared(folder)
    coming = list(killing.arrivals())[1:]
    count = 0
    while coming or count < KILLS_A_ROUND:
        with killing.daemon(lake) as process:
            time.sleep(chance.uniform(0.0, 2.5))
            if coming:
                killing.hand_in_some(lake, folder, coming.pop(0))
            time.sleep(chance.uniform(0.0, 1.5))
            process.send_signal(signal.SIGKILL)
            process.wait()
        count += 1
    began = time.time()
    with killing.daemon(lake) as process:
        killing.beats(lake, after=began)
        same = killing.settled(lake, killing.exports(quiet))
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=30)
    return count, wrong(lake, quiet, same=same, code=code)


def wrong(lake: Lake, quiet: Lake, *, same: bool, code: int) -> list[str]:
    """Return what differs from the undisturbed lake, in words; empty where nothing."""
    found = [] if same else ["the exports differ"]
    if code != 0:
        found.append(f"the daemon ended with {code}")
    if killing.raw_lines(lake) != killing.raw_lines(quiet):
        found.append("lines were lost or doubled")
    if any(c["unaccounted"] for c in fates.of_lake(lake, killing.GRAPH).values()):
        found.append("lines are unaccounted for")
    if not prove(lake, killing.GRAPH).identical:
        found.append("the proof says different")
    return found


def main() -> int:
    """Kill until the count is reached; return 1 where anything was not as it should."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--kills", type=int, default=300)
    wanted = words.parse_args().kills
    total, rounds = 0, 0
    bad: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        quiet = undisturbed(Path(name) / "quiet")
        while total < wanted:
            folder = Path(name) / f"round-{rounds}"
            count, problems = round_of(folder, quiet, seed=rounds)
            total, rounds, bad = total + count, rounds + 1, bad + problems
            said = {"figure": "kills", "value": total, "rounds": rounds, "wrong": bad}
            print(json.dumps(said), flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
