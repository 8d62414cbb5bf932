"""How long after its arrival a file's effects stand, with the real daemon at work.

The daemon is a process of its own; this one renames files into the landing and reads
afterwards from the times of change of files when each thing stood, so that looking
costs the daemon nothing. One JSON line per figure. It asserts nothing about speed, and
reads no real file. It needs Linux.

Run: python -m bench.latency
     python -m bench.latency --parts poison --repeats 12

All parts take about eight minutes.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import handlers
from bench import daemons
from bench.arrivals import OIL_LINE, PRICE_FILES, correction
from bench.daemons import Desk, running, until_told
from bench.figures import say, say_ratio
from bench.lakes import Market, made
from cbi_stream.doors.asking import ask_again
from cbi_stream.doors.readers import Child
from cbi_stream.lake import log
from cbi_stream.replay.market import SimulatedFile

STAGES = {
    "archived": "its bytes are in the archive: the daemon has read it",
    "raw": "every line is committed in raw",
    "staging": "staging.prices is committed",
    "labels": "labels.forward is committed",
    "master": "features.master is committed",
    "published": "current.json is renamed",
    "exports": "the last of ten manifests is renamed",
    "receipts": "the last receipt says what became of each line",
}
_TABLES = {
    "staging": ("staging.prices",),
    "labels": ("labels.forward",),
    "master": ("features.master",),
    "raw": ("raw.yahoo", "raw.yfinance"),
}
DROPS, COPIES, PULLS = 60, 10, 15
WARM, BLOCK = 2, 4
POISONED = "features.technical"
_FLAG = "BENCH_POISON"
_POISON = f"""
    import os, pathlib
    flag = pathlib.Path(os.environ[{_FLAG!r}])
    if flag.exists() and panel["date"].max().year == int(flag.read_text()):
        raise ArithmeticError("planted by a benchmark")
"""


@dataclass
class Bench:
    """A lake with its daemon at work, and files that come."""

    market: Market
    desk: Desk
    chance: random.Random
    asking: bool = False
    """Whether what failed is asked for again with each arrival: by itself it would be
    set aside after five attempts, and cost nothing."""
    until: dict[str, list[float]] = field(default_factory=dict)
    """Seconds to each stage, arrival by arrival."""

    def dropped(self, files: Sequence[SimulatedFile]) -> dict[str, float]:
        """Let files arrive by rename; return the seconds to each stage."""
        paths = self.desk.laid(files)
        return self._timed(files, lambda: self.desk.moved(self.market.lake, paths))

    def copied(self, files: Sequence[SimulatedFile]) -> dict[str, float]:
        """Copy files in by hand; return the seconds from the end of the copy."""
        lake = self.market.lake
        return self._timed(files, lambda: max(daemons.copied(lake, f) for f in files))

    def note(self, found: Mapping[str, float]) -> None:
        """Add one arrival."""
        for stage, seconds in found.items():
            self.until.setdefault(stage, []).append(seconds)

    def _timed(
        self, files: Sequence[SimulatedFile], arrive: Callable[[], int]
    ) -> dict[str, float]:
        lake = self.market.lake
        # Arrivals keep no step with the daemon's own looks.
        time.sleep(self.chance.uniform(0.3, 1.2))
        before = _versions(self.market)
        known = {file.name: hashlib.sha256(file.data).hexdigest() for file in files}
        if self.asking:
            ask_again(lake)
        start = arrive()
        until_told(lake, known)
        ends = {
            "archived": max(_archived(lake.folder, each) for each in known.values()),
            **{stage: _committed(self.market, stage, before) for stage in _TABLES},
            "published": _changed([lake.folder / "current.json"]),
            "exports": _changed((lake.folder / "exports").glob("*.manifest.json")),
            "receipts": _changed(
                lake.folder / "landing" / f"{name}.receipt.json" for name in known
            ),
        }
        late = {stage: (ends[stage] - start) / 1e9 for stage in STAGES}
        # The times of files go in steps of some milliseconds.
        if min(late.values()) < -0.02:
            msg = f"expected every stage after the arrival; found {late}"
            raise RuntimeError(msg)
        return {stage: max(0.0, seconds) for stage, seconds in late.items()}


def _archived(lake: Path, sha256: str) -> int:
    return _changed([lake / "archive" / sha256[:2] / sha256])


def _changed(paths: Iterable[Path]) -> int:
    """Return when the newest of these files got its name, in nanoseconds."""
    return max(path.stat().st_ctime_ns for path in paths)


def _versions(market: Market) -> dict[str, int]:
    tables = [market.lake.table(name) for names in _TABLES.values() for name in names]
    return {t.contract.table: log.newest_version(t.folder) or 0 for t in tables}


def _committed(market: Market, stage: str, before: Mapping[str, int]) -> int:
    """Return when the newest commit since `before` got its name."""
    now = _versions(market)
    commits = [
        log.commit_path(market.lake.table(table).folder, now[table])
        for table in _TABLES[stage]
        if now[table] > before[table]
    ]
    if not commits:
        msg = f"expected a commit in {_TABLES[stage]}; found none"
        raise RuntimeError(msg)
    return _changed(commits)


def say_until(what: str, until: Mapping[str, Sequence[float]]) -> None:
    """Print p50, p90 and p99 of each stage; with few arrivals p99 is the highest."""
    for stage in STAGES:
        seconds = sorted(until[stage])
        say(
            f"{what}: until {stage}, s",
            round(_percentile(seconds, 50), 3),
            p90=round(_percentile(seconds, 90), 3),
            p99=round(_percentile(seconds, 99), 3),
            lowest=round(seconds[0], 3),
            highest=round(seconds[-1], 3),
            arrivals=len(seconds),
        )


def _percentile(ordered: Sequence[float], percent: int) -> float:
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def opened(folder: Path, *, to_come: int, seed: int) -> Bench:
    """Return an up-to-date lake of 22 years, and a desk beside it."""
    with Child() as reader:
        market = made(folder / "x1", reader=reader, to_come=to_come)
    desk = Desk(folder / "desk", market.graph.registry)
    return Bench(market, desk, random.Random(seed))


def _drops(bench: Bench) -> dict[str, float]:
    return bench.dropped(OIL_LINE.files(bench.market))


def _copies(bench: Bench) -> dict[str, float]:
    return bench.copied(OIL_LINE.files(bench.market))


def _pulls(bench: Bench) -> dict[str, float]:
    return bench.dropped(PRICE_FILES.files(bench.market))


ARRIVALS: dict[str, tuple[str, Callable[[Bench], dict[str, float]]]] = {
    "drop": ("ZL alone, new line, dropped", _drops),
    "copy": ("ZL alone, new line, copied by hand", _copies),
    "all": ("all eight price files, whole, dropped", _pulls),
}


def part_arrivals(folder: Path, counts: Mapping[str, int], *, seed: int) -> None:
    """Print how long each kind of arrival takes, one kind after the other."""
    to_come = sum(counts.values()) + WARM * len(counts)
    bench = opened(folder, to_come=to_come, seed=seed)
    with running(bench.market.lake):
        for part, count in counts.items():
            what, arrive = ARRIVALS[part]
            bench.until = {}
            for turn in range(WARM + count):
                found = arrive(bench)
                if turn >= WARM:
                    bench.note(found)
            say_until(what, bench.until)


def poisoned_handlers(folder: Path) -> Path:
    """Copy the project's handlers, with one that raises for the year that a flag names.

    Raises:
        RuntimeError: the handler does not stand where it stood.
    """
    source = Path(handlers.__file__ or "").resolve().parent
    shutil.copytree(source, folder / "handlers")
    path = folder / "handlers" / "features" / "technical.py"
    text = path.read_text(encoding="utf-8")
    found = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.FunctionDef) and node.name == "technical"
    ]
    if not found or "panel" not in [each.arg for each in found[0].args.args]:
        msg = f"{path}: expected a function technical(panel, ...)"
        raise RuntimeError(msg)
    lines = text.splitlines(keepends=True)
    docstring_ends = found[0].body[0].end_lineno or 0
    lines.insert(docstring_ends, _POISON)
    path.write_text("".join(lines), encoding="utf-8")
    return folder


@dataclass
class Poison:
    """A partition of ten years ago that can be made to fail, and to work again."""

    bench: Bench
    flag: Path
    _undo: SimulatedFile | None = None

    def plant(self) -> None:
        """Make the handler fail for that year, and give it a reason to run."""
        file, self._undo = correction(self.bench.market)
        year = file.data.splitlines()[-1][:4].decode()
        self.flag.write_text(year, encoding="utf-8")
        self.bench.dropped([file])

    def heal(self) -> None:
        """Let the handler work again, and take the correction back."""
        self.flag.unlink()
        # The same line as before, seen later than all that came since.
        as_of = correction(self.bench.market)[1].as_of
        assert self._undo is not None
        undo = SimulatedFile(self._undo.name, self._undo.data, as_of)
        self.bench.dropped([undo])

    def attempts(self) -> int:
        """Return how often the partition failed in a row; 0 where it is well."""
        current = self.bench.market.lake.table(POISONED).head()[1]
        return max((p.attempts for p in current.partitions.values()), default=0)


def part_poison(folder: Path, repeats: int, *, seed: int) -> None:
    """Print what a partition that fails at every wave costs the others, in turn."""
    bench = opened(folder, to_come=2 * BLOCK * repeats + WARM, seed=seed)
    poison = Poison(bench, folder / "poison")
    environment = {
        "PYTHONPATH": str(poisoned_handlers(folder / "code")),
        "CBI_REGISTRY": str(bench.market.graph.registry.folder),
        _FLAG: str(poison.flag),
    }
    bench.asking = True
    middles: dict[str, dict[str, list[float]]] = {"with": {}, "without": {}}
    failures = 0
    with running(bench.market.lake, environment=environment, folder=folder / "code"):
        for _ in range(WARM):
            _drops(bench)
        for turn in range(2 * repeats):
            kind = ("with", "without")[(turn + turn // 2) % 2]
            if kind == "with":
                poison.plant()
            failures += _block(bench, poison, middles[kind], failing=kind == "with")
            if kind == "with":
                poison.heal()
    say(f"poison: failures of {POISONED} while others arrived", failures)
    for stage in STAGES:
        for kind, found in middles.items():
            middle = sorted(found[stage])
            say(
                f"poison: {kind}: p50 until {stage}, s",
                round(_percentile(middle, 50), 3),
                lowest=round(middle[0], 3),
                highest=round(middle[-1], 3),
                blocks=len(middle),
            )
        above, below = middles["with"][stage], middles["without"][stage]
        say_ratio(f"poison: with / without: p50 until {stage}", above, below)


def _block(
    bench: Bench, poison: Poison, into: dict[str, list[float]], *, failing: bool
) -> int:
    """Let some sessions arrive; note the p50 of each stage, and return the failures.

    Raises:
        RuntimeError: the partition did not fail at each wave, or failed unasked.
    """
    bench.until, failures = {}, 0
    for _ in range(BLOCK):
        before = poison.attempts()
        bench.note(_drops(bench))
        after = poison.attempts()
        if (after > before) != failing:
            msg = f"expected failures: {failing}; found {before}, then {after} attempts"
            raise RuntimeError(msg)
        failures += after - before
    for stage, seconds in bench.until.items():
        into.setdefault(stage, []).append(_percentile(sorted(seconds), 50))
    return failures


def main() -> None:
    """Do the parts that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = (*ARRIVALS, "poison")
    parser.add_argument("--parts", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--drops", type=int, default=DROPS)
    parser.add_argument("--copies", type=int, default=COPIES)
    parser.add_argument("--pulls", type=int, default=PULLS)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    counts = {"drop": asked.drops, "copy": asked.copies, "all": asked.pulls}
    wanted = {part: n for part, n in counts.items() if part in asked.parts}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        if wanted:
            part_arrivals(Path(name) / "arrivals", wanted, seed=asked.seed)
        if "poison" in asked.parts:
            part_poison(Path(name) / "poison", asked.repeats, seed=asked.seed)


if __name__ == "__main__":
    main()
