"""Verbs that only look: status and plan. They take no lock and change nothing."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show, state, stored, watching
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors import landing
from cbi_stream.engine.preview import preview

BREACH = 3


def status(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    watch: Annotated[bool, Parameter(negative="")] = False,
    every: float = watching.EVERY_SECONDS,
    json: AsJson = False,
) -> int:
    """Show what each table is at, and what became of every line. Exit 3: lines are lost.

    Args:
        lake: folder of the lake.
        watch: show it again and again, until Ctrl-C; what changed is marked with a star.
        every: with --watch: seconds between two looks.
        json: print one JSON object; with --watch one a line for each look.
    """
    if watch:
        return watching.watch(lake, every=every, as_json=json)
    found, graph = opened(lake)
    plain = {**state.looked_at(found, graph), **state.files(found)}
    plain |= stored.looked_at(found)
    if json:
        show.as_json({"lake": str(lake), **plain})
        state.print_lost(plain["lost"])
    else:
        state.print_state(f"{found.kind} lake: {lake}", plain)
        for line in stored.lines(plain):
            show.note(line)
    return BREACH if plain["lost"] else 0


def plan(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Show what a run would compute, and why.

    Files still in the landing are not looked into. A run computes at most this: it
    stops where content stays the same.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    tasks = preview(found, graph)
    if json:
        plain = [
            {
                "table": task.table,
                "partition": task.partition,
                "reasons": task.reasons,
                "dates": [[s.start, s.last] for s in task.dates],
            }
            for task in tasks
        ]
        show.as_json(
            {"tasks": plain, "landing": [p.name for p in landing.waiting(found)]}
        )
        return 0
    show.table(
        f"{len(tasks)} partitions to compute",
        ["table", "partition", "because"],
        [(t.table, t.partition, "; ".join(t.reasons[:3])) for t in tasks],
    )
    return 0
