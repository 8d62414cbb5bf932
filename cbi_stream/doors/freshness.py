"""Whether the daemon still runs the code and registry that are on the disk.

It keeps what it has loaded while files are being saved, and while what they say cannot
be loaded. It never loads anything into this process: whoever is told `changed` begins
anew as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from cbi_stream.engine import loading
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.sources import Stamps, digest_of

State = Literal["same", "changed", "broken"]
SETTLE_SECONDS = 2.0
LOOK_SECONDS = 5.0


class Freshness:
    """Looks at files of code and registry: at their times first, then at their bytes.

    It may be asked as often as one likes: it looks every five seconds.
    """

    def __init__(
        self, graph: Graph, *, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self.graph = graph
        self.problem = ""
        """Why what is on the disk cannot be loaded, once that is so."""
        self._clock = clock
        self._state: State = "same"
        self._judged: Stamps | None = None
        self._moving: Stamps | None = None
        self._since = 0.0
        self._looked = float("-inf")

    def look(self) -> State:
        """Return how the disk stands to what this process loaded.

        Files that changed less than two seconds ago are not judged yet: an editor, or
        git, may not be done. `broken` means that what is there cannot be loaded;
        `problem` says why.
        """
        if self.graph.sources is None:
            return "same"
        if self._clock() - self._looked < LOOK_SECONDS:
            return self._state
        self._looked = self._clock()
        try:
            stamps = self.graph.sources.stamps()
        except FileNotFoundError:
            return self._state  # a file went while it looked: the next look tells
        if stamps == self._judged:
            return self._state
        if stamps != self._moving:
            self._moving, self._since = stamps, self._clock()
        if self._clock() - self._since < SETTLE_SECONDS:
            return self._state
        self._state = self._judge()
        self._judged = stamps
        return self._state

    def _judge(self) -> State:
        assert self.graph.sources is not None
        self.problem = ""
        if digest_of(self.graph.sources.folders) == self.graph.sources.digest:
            return "same"
        self.problem = loading.problem(self.graph)
        return "broken" if self.problem else "changed"
