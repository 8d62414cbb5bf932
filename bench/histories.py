"""Many random histories, each checked against full rebuilds. It times nothing.

    python -m bench.histories --kind planner --count 10000
    python -m bench.histories --kind toy --count 300 --first 0

Prints one JSON line at the end (and one every hundred): how many histories and steps,
what happened in them, and how many partitions were planned for each that changed. A
history that breaks a law stops the run with its seed.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter

from tests.laws import test_planner_in_memory as planner
from tests.laws import worlds
from tests.laws.histories import random_history

_REPORT_EVERY = 100


def _in_a_lake(kind: str, seed: int, steps: int) -> tuple[int, int, Counter[str]]:
    world = worlds.toy_world() if kind == "toy" else worlds.real_world()
    try:
        happened = random_history(world, seed, steps)
        world.prove()
        return world.planned, world.changed, happened
    finally:
        world.close()


def main() -> None:
    """Play the histories that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", choices=("planner", "toy", "real"), default="toy")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=12)
    asked = parser.parse_args()
    planned = changed = 0
    happened: Counter[str] = Counter()
    for i in range(asked.count):
        seed = asked.first + i
        if asked.kind == "planner":
            more, moved = planner.play(seed, asked.steps)
            happened["steps"] += asked.steps
        else:
            more, moved, what = _in_a_lake(asked.kind, seed, asked.steps)
            happened += what
        planned, changed = planned + more, changed + moved
        if (i + 1) % _REPORT_EVERY == 0 or i + 1 == asked.count:
            figure = {
                "bench": "histories",
                "kind": asked.kind,
                "histories": i + 1,
                "last_seed": seed,
                "happened": dict(happened),
                "broken_laws": 0,
                "planned_per_changed": round(planned / max(changed, 1), 3),
            }
            print(json.dumps(figure), flush=True)


if __name__ == "__main__":
    main()
