"""A file that was saved earlier, as the answer of a host. It never changes its bytes."""

from __future__ import annotations

from cbi_stream.replay import shelf
from cbi_stream.replay.sites import Reply
from cbi_stream.replay.world import World


def saved(world: World, *patterns: str, content_type: str) -> Reply | None:
    """Return the newest saved file whose name fits; None in a simulated world.

    Of several names the last one counts: they often end in a date.
    """
    if world.folder is None:
        return None
    found = [path for each in patterns for path in shelf.files(world.folder, each)]
    return Reply(shelf.content(found[-1]), content_type) if found else None
