"""A lake and ways to hand files in, for quirks that only the whole door can show.

It never touches a network.
"""

from __future__ import annotations

from tests.doors.conftest import drop, graph, lake, mine, put, registry, rows

__all__ = ["drop", "graph", "lake", "mine", "put", "registry", "rows"]
