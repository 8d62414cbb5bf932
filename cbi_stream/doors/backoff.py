"""When to try again: longer after each failure, never all at the same moment.

It counts time by a clock that never goes back. It is not kept on the disk: after a
restart everything may be tried once.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Hashable

FIRST_SECONDS = 1.0
LONGEST_SECONDS = 900.0


class Backoff:
    """Remembers, per place, when it may be tried again."""

    def __init__(
        self,
        *,
        first: float = FIRST_SECONDS,
        longest: float = LONGEST_SECONDS,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.first = first
        self.longest = longest
        self._clock = clock
        self._times: dict[Hashable, int] = {}
        self._next: dict[Hashable, float] = {}

    def failed(self, place: Hashable) -> float:
        """Note a failure; return after how many seconds it may be tried again.

        Between half and the whole of a wait that doubles each time: places that failed
        together are not all tried together.
        """
        times = self._times[place] = self._times.get(place, 0) + 1
        wait = min(self.longest, self.first * 2.0 ** min(times - 1, 20))
        share = zlib.crc32(repr((place, times)).encode()) / 2**32
        seconds = wait * (0.5 + share / 2)
        self._next[place] = self._clock() + seconds
        return seconds

    def worked(self, place: Hashable) -> None:
        """Forget the failures of a place."""
        self._times.pop(place, None)
        self._next.pop(place, None)

    def keep(self, places: set[Hashable]) -> None:
        """Forget every place but these."""
        for place in set(self._times) - places:
            self.worked(place)

    def due(self, place: Hashable) -> bool:
        """Return whether a place may be tried now."""
        return self._next.get(place, float("-inf")) <= self._clock()

    def seconds_to_next(self) -> float | None:
        """Return how long until the next place may be tried; None where none waits."""
        if not self._next:
            return None
        return max(0.0, min(self._next.values()) - self._clock())
