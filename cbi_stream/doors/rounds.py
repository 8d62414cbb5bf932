"""What became of the questions of one poll, by question. It asks none.

A poll is over when each of its questions has an end here, or it was stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cbi_stream.doors.journal import Outcome


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one question."""

    name: str
    series: str
    outcome: Outcome
    reason: str | None = None
    lines: int = 0
    stored: int = 0
    unreadable: int = 0


@dataclass(slots=True)
class Round:
    """What became of one poll of one source."""

    source: str
    told: list[Told] = field(default_factory=list)
    stopped: bool = False

    @property
    def failed(self) -> list[Told]:
        """The questions that failed."""
        return [each for each in self.told if each.outcome == "failed"]

    @property
    def stored(self) -> int:
        """How many lines were news."""
        return sum(each.stored for each in self.told)
