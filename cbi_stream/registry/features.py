"""feature_registry.json: every feature, what it is, and on which surface it stands.

It holds no formula that is computed: the code of a handler is where that stands.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cbi_stream.registry.model import Entry

Surface = Literal["prod", "full"]


class Feature(Entry):
    """One column that a model may learn from, or that stands beside those."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    table: str
    unit: str
    doc: str
    category: Literal[
        "price", "trend", "momentum", "range", "volume", "cross_asset", "macro",
        "positioning", "quality",
    ]  # fmt: skip
    surface: Surface
    """prod: on both surfaces; full: on the full surface only."""
    sources: tuple[str, ...] = ()
    """The observations it draws from, as source.series; empty for prices alone."""
    window_sessions: Annotated[int, Field(ge=1)] = 1
    formula: str | None = None
    type: Literal["float", "int", "bool"] = "float"


class FeatureRegistry(Entry):
    """feature_registry.json: every feature, and on which surface it stands."""

    features: tuple[Feature, ...]

    def of_table(self, table: str) -> list[Feature]:
        """Return the features that a table holds, in their order."""
        return [each for each in self.features if each.table == table]

    def on_surface(self, surface: Surface) -> list[str]:
        """Return the names of the features of a surface, in their order."""
        return [
            f.name for f in self.features if surface == "full" or f.surface == "prod"
        ]
