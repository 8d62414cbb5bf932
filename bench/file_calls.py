"""Spoils every file call of one small wave, cuts the power, fills and takes the disk.

One JSON line per hundred runs and one per part: how many runs, and what was wrong. A
difference ends it with exit code 1. It reads no real file and needs Linux with a C
compiler; the power cuts on a volume of their own need root.

Run: python -m bench.file_calls --part calls cuts --stride 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
from tests.faults import cutting, disks, shimming

_PARTS = ("calls", "cuts", "volumes", "disks")
_EVERY = 100
"""So many runs between two lines."""


def say(figure: str, value: int, **more: object) -> None:
    """Print one figure as a line of JSON."""
    print(json.dumps({"figure": figure, "value": value, **more}), flush=True)


def all_calls(scene: shimming.Scene, wanted: slice) -> list[str]:
    """Spoil every call that is wanted in every way; return what was wrong."""
    wrong: list[str] = []
    mixed, codes, done = 0, Counter[str](), 0
    start = time.perf_counter()
    say("file_calls", len(scene.calls), kinds=len(scene.kinds))
    for each in scene.calls[wanted]:
        for act in shimming.KILLS + shimming.ERRORS:
            if act == "half_kill" and each.call != "write":
                continue  # only what is written can be half done
            found = shimming.spoilt(scene, each.number, act)
            done += 1
            mixed += found.is_mixed
            codes[f"{act} {found.code}"] += 1
            if found.wrong:
                kind = each.kind(scene.after)
                wrong.append(f"{act} at {each.number} ({kind}): {found.wrong}")
                say("wrong", done, what=wrong[-1][:2000])
            if done % _EVERY == 0:
                seconds = round(time.perf_counter() - start)
                say("spoilt", done, at=each.number, wrong=len(wrong), seconds=seconds)
    say("spoilt", done, wrong=len(wrong), exports_of_both=mixed, ended=dict(codes))
    return wrong


def all_cuts(scene: shimming.Scene, wanted: slice) -> list[str]:
    """Cut the power after every call that is wanted: all unsynced is lost, and twice by chance."""
    wrong: list[str] = []
    done = 0
    for each in scene.calls[wanted]:
        for seed in (None, 1, 2):
            found = cutting.cut(scene, each.number, seed)
            done += 1
            if found:
                wrong.append(f"after {each.number}, drawn {seed}: {found}")
                say("wrong", done, what=wrong[-1][:2000])
            if done % _EVERY == 0:
                say("cut_by_the_model", done, at=each.number, wrong=len(wrong))
    say("cut_by_the_model", done, wrong=len(wrong))
    return wrong


def all_volumes(scene: shimming.Scene, *, count: int) -> list[str]:
    """Copy a real volume while a wave writes to it, at instants by chance."""
    if not cutting.has_volumes(scene.folder):
        say("cut_volumes", 0, why="no root, or no loop device")
        return []
    start = time.perf_counter()
    place = shimming.copied(scene.before, scene.folder / "timed")
    scene.runner.run(place)
    longest = 1.2 * (time.perf_counter() - start)
    chance = random.Random(count)
    found = [
        cutting.cut_volume(scene, f"volume-{i}", chance.uniform(0.05, longest))
        for i in range(count)
    ]
    wrong = [f"volume {i}: {each.wrong}" for i, each in enumerate(found) if each.wrong]
    say(
        "cut_volumes",
        count,
        wrong=wrong,
        had_ended=sum(each.had_ended for each in found),
        acknowledged=sum(each.acknowledged for each in found),
    )
    return wrong


def all_disks(folder: Path, shim: Path, *, count: int) -> list[str]:
    """Fill the disk, and make it read-only, for a while at instants by chance."""
    base = disks.base(folder, shim)
    wrong: list[str] = []
    for act, spells in (("ENOSPC", count), ("EROFS", max(1, count // 4))):
        lake = base.copy(folder / act)
        with disks.daemon(lake, shim, act) as sick:
            disks.spells(sick, count=spells, first=1, seed=count)
            if not sick.ends_well():
                wrong.append(f"{act}: the daemon did not end well")
        quiet = base.quiet(folder / f"{act}-quiet", spells)
        found = disks.differs(lake, quiet)
        wrong += [f"{act}: {each}" for each in found]
        told = len(disks.events(lake, "turn.recovered"))
        say("disk_sick", spells, act=act, recovered=told, wrong=found)
    return wrong


def main() -> int:
    """Run the parts that are asked for; return 1 where anything was not as it should."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--part", choices=_PARTS, nargs="+", default=_PARTS)
    words.add_argument("--stride", type=int, default=1)
    words.add_argument("--first", type=int, default=0)
    words.add_argument("--last", type=int, default=None)
    words.add_argument("--volumes", type=int, default=50)
    words.add_argument("--spells", type=int, default=20)
    said = words.parse_args()
    wanted = slice(said.first, said.last, said.stride)
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name).resolve()
        shim = shimming.compiled(folder)
        if shim is None:
            say("skipped", 0, why="no Linux, or no C compiler")
            return 0
        with shimming.scene(folder, shim) as scene:
            if "volumes" in said.part:
                wrong += all_volumes(scene, count=said.volumes)
            if "cuts" in said.part:
                wrong += all_cuts(scene, wanted)
            if "calls" in said.part:
                wrong += all_calls(scene, wanted)
        if "disks" in said.part:
            (folder / "disks").mkdir()
            wrong += all_disks(folder / "disks", shim, count=said.spells)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
