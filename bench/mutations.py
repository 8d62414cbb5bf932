"""Takes each rule and each gate out in turn, and counts those that no test misses.

A check is made blind (it passes everything) and deaf to reason (it fails everything);
a test must turn red both times. First the tests of rules, gates and failure classes run
whole, and it is written down which of them asks which check; then only those run. It
never changes a file: the tests run in a process of their own, in which one check is another.

    python -m bench.mutations                  every check; some minutes
    python -m bench.mutations within no_twins  only these
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.figures import say, timed
from bench.taken_out import KINDS, TAKEN_OUT, WRITTEN_TO, every_check

ROOT = Path(__file__).parents[1]
TESTS = ("tests/rules", "tests/failures", "tests/handlers")
SECONDS = 1800


def main(wanted: list[str]) -> int:
    """Print how many mutants were found out, and each that was not."""
    names = [name for name in sorted(every_check()) if name in wanted or not wanted]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        print(f"expected names of rules and gates; found {unknown}", file=sys.stderr)
        return 2
    asked = _who_asks()
    missed: list[str] = []

    def all_of_them() -> None:
        for name in names:
            for kind in KINDS:
                tests = asked.get(name, [])
                if not tests or not _is_red(tests, {TAKEN_OUT: f"{name}:{kind}"}):
                    missed.append(f"{name}, {kind}")
                    print(json.dumps({"missed": missed[-1]}), flush=True)

    seconds = timed(all_of_them)
    total = len(names) * len(KINDS)
    say("mutants found out", total - len(missed), of=total, seconds=round(seconds))
    return 3 if missed else 0


def _who_asks() -> Mapping[str, list[str]]:
    """Return, by check, the tests that ask it.

    Raises:
        RuntimeError: a test fails with every check in its place.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "asked.json"
        if _is_red(TESTS, {WRITTEN_TO: str(path)}):
            msg = "expected green tests; some fail with every check in its place"
            raise RuntimeError(msg)
        told: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return told


def _is_red(tests: Iterable[str], environment: Mapping[str, str]) -> bool:
    """Return whether one of these tests fails.

    Raises:
        RuntimeError: they could not be run at all.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "bench.taken_out", *tests],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode not in (0, 1):
        msg = f"pytest ended with {done.returncode}: {done.stdout[-800:]}"
        raise RuntimeError(msg)
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
