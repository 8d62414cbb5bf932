"""The verb `status`: what each table is at. It takes no lock and changes nothing."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show, state, stored, watching
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened

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
