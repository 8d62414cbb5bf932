"""Takes each rule and each gate out in turn, and counts those that no test misses.

A check is made blind (it passes everything) and deaf to reason (it fails everything);
the tests of rules, gates and failure classes must turn red both times. It never changes
a file: the tests run in a process of their own, in which one check is another.

    python -m bench.mutations                 every check; some minutes
    python -m bench.mutations within no_twins  only these
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench.figures import say, timed
from bench.taken_out import KINDS, TAKEN_OUT, every_check

ROOT = Path(__file__).parents[1]
TESTS = ("tests/rules", "tests/gates", "tests/failures", "tests/handlers")
SECONDS = 900


def main(wanted: list[str]) -> int:
    """Print how many mutants were found out, and each that was not."""
    names = [name for name in sorted(every_check()) if name in wanted or not wanted]
    unknown = sorted(set(wanted) - set(names))
    if unknown:
        print(f"expected names of rules and gates; found {unknown}", file=sys.stderr)
        return 2
    if _found_out("", ""):
        print("expected green tests; some fail with every check there", file=sys.stderr)
        return 1
    missed: list[str] = []

    def all_of_them() -> None:
        for name in names:
            for kind in KINDS:
                if not _found_out(name, kind):
                    missed.append(f"{name}, {kind}")
                    print(json.dumps({"missed": missed[-1]}), flush=True)

    seconds = timed(all_of_them)
    total = len(names) * len(KINDS)
    say("mutants found out", total - len(missed), of=total, seconds=round(seconds))
    return 3 if missed else 0


def _found_out(name: str, kind: str) -> bool:
    """Return whether a test fails while the check is taken out.

    Raises:
        RuntimeError: the tests could not be run at all.
    """
    there = [folder for folder in TESTS if (ROOT / folder).exists()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "bench.taken_out", *there],
        cwd=ROOT,
        env={**os.environ, TAKEN_OUT: name and f"{name}:{kind}"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    if done.returncode not in (0, 1):
        msg = (
            f"{name}, {kind}: pytest ended with {done.returncode}: {done.stdout[-800:]}"
        )
        raise RuntimeError(msg)
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
