"""What a check said of a candidate, as it stands in maps, held files and manifests.

It holds words and never judges.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cbi_stream.words.points import Severity, Status


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check said of one candidate."""

    gate: str
    severity: Severity
    status: Status
    expected: str
    found: str
    places: tuple[str, ...] = ()
    shows: str = ""
    """The command that shows the rows."""
    let: bool = False
    """Whether a person let the candidate through."""
    token: str = ""
    """Of a check of an effect: what a decision names to let this very finding through."""

    @property
    def blocks(self) -> bool:
        """Whether it holds the candidate back."""
        return self.status != "passed" and self.severity == "critical" and not self.let

    @property
    def said(self) -> str:
        """The verdict as one sentence."""
        where = f" ({'; '.join(self.places)})" if self.places else ""
        return (
            f"{self.gate} {self.status}: expected {self.expected}; "
            f"found {self.found}{where}"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the verdict as plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Verdict:
        """Return the verdict that `to_plain` gave."""
        return cls(**{**plain, "places": tuple(plain["places"])})


def blocking(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return those that hold the candidate back."""
    return [verdict for verdict in verdicts if verdict.blocks]


def because(verdicts: Iterable[Verdict]) -> str:
    """Return why a candidate is held, in one line."""
    return "; ".join(verdict.said for verdict in blocking(verdicts))
