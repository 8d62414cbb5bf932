"""feature_registry.json: every feature, what it is, and on which surface it stands.

It holds no formula that is computed: the code of a handler is where that stands.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from cbi_stream.registry.model import Entry

Surface = Literal["prod", "full"]
FEATURES = "features."
PANEL = f"{FEATURES}panel"
"""What all families read."""
Grade = Literal["A", "B", "C", "D"]


class Feature(Entry):
    """One column that a model may learn from, or that stands beside those."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    table: str
    unit: str
    doc: str
    category: Literal[
        "price", "trend", "momentum", "range", "volatility", "volume", "cross_asset",
        "crush", "substitutes", "biofuel", "energy", "macro", "currency", "positioning",
        "supply", "weather", "china", "trade", "policy", "seasonal", "curve", "signal",
        "quality",
    ]  # fmt: skip
    surface: Surface
    """prod: on both surfaces; full: on the full surface only."""
    sources: tuple[str, ...] = ()
    """The observations it draws from, as source.series; empty for prices alone."""
    window_sessions: Annotated[int, Field(ge=1)] = 1
    formula: Annotated[str, Field(min_length=1)]
    """What it is, in words or symbols; `x[20]` is x twenty sessions earlier."""
    type: Literal["float", "int", "bool", "string"] = "float"
    reliability: Grade
    """The worst point-in-time grade of its sources; B where it draws on prices alone."""
    lagged_releases: Annotated[int, Field(ge=0)] = 0
    """By how many releases of a series of grade C it is late; with one or more, a change
    of such a series may stand on the prod surface."""
    policy_impact: Literal["none", "low", "medium", "high"]
    """How directly a decision of a government or a central bank moves it."""
    update_frequency: Literal[
        "session", "day", "week", "month", "quarter", "year", "event"
    ]  # fmt: skip
    """How often what it draws on is news."""
    available_from: date
    """The first date at which the world had all that it draws on; null before."""
    null_policy: Literal["keep", "flag", "refuse"]
    """As in join_spec.yaml; nothing is ever filled."""

    @property
    def family(self) -> str:
        """Its table without the zone."""
        return self.table.removeprefix(FEATURES)


class FeatureRegistry(Entry):
    """feature_registry.json: every feature, and on which surface it stands."""

    features: tuple[Feature, ...]

    def of_table(self, table: str) -> list[Feature]:
        """Return the features that a table holds, in their order."""
        return [each for each in self.features if each.table == table]

    @property
    def families(self) -> tuple[str, ...]:
        """The tables that hold features, without their zone and without the panel."""
        tables = dict.fromkeys(each.table for each in self.features)
        return tuple(t.removeprefix(FEATURES) for t in tables if t != PANEL)

    def on_surface(self, surface: Surface) -> list[str]:
        """Return the names of the features of a surface, in their order."""
        return [
            f.name for f in self.features if surface == "full" or f.surface == "prod"
        ]
