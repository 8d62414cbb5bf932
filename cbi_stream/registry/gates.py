"""gates.yaml: which check stands where, on which tables, with what numbers.

It names gates and never says how one judges: a gate is a function in handlers/gates/.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from cbi_stream.registry.model import Entry
from cbi_stream.words.points import Point, Severity

EFFECTS = "effects"
"""What stands before the dot where a gate is on effects, as a zone does for tables."""
ZONES: dict[Point, tuple[str, ...]] = {
    "POST_COLLECTION": ("quarantine",),
    "POST_STAGING": ("staging",),
    "POST_FEATURES": ("features", "labels"),
    "POST_ASSEMBLY": ("features", "labels", EFFECTS),
    "PRE_TRAINING": (EFFECTS,),
}
"""What may be judged at each point."""


class Placed(Entry):
    """One gate at one point."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    gate: str
    at: Point
    on: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z*]+\.[a-z_*]+$")], ...],
        Field(min_length=1),
    ]
    """Tables, or effects as `effects.<name>`; a star stands for any letters."""
    given: Annotated[dict[str, Any], Field(alias="with")] = {}
    severity: Severity


class Gates(Entry):
    """gates.yaml: every gate that judges."""

    gates: tuple[Placed, ...] = ()
