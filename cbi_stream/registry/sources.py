"""data_sources.yaml: how files are told, what a changed value means, when it is known.

It names no parser: a source and its parser meet by name when the graph is built.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cbi_stream.registry.model import Entry
from cbi_stream.registry.releases import Release, Zone


def _is_a_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        msg = f"expected a pattern of file names; {error}"
        raise ValueError(msg) from None
    return pattern


PitGrade = Literal["A", "B", "C", "D"]
"""A stamped vintages, B never revised, C revised but only the latest held, D computed
backwards before it was first published."""


class Series(Entry):
    """One series of a source of observations."""

    name: str
    unit: str
    pit_grade: PitGrade
    release: Release | None = None
    """Where it differs from its source's."""


class Source(Entry):
    """One source: how its files are told, and what a changed value means."""

    doc: str
    raw: str
    priority: int = 1
    """Among sources of the same staging table the lowest speaks first, cell by cell."""
    key: Literal["symbol", "series", "contract"]
    file_names: Annotated[
        tuple[Annotated[str, AfterValidator(_is_a_pattern)], ...], Field(min_length=1)
    ]
    """Patterns of file names, without `_asof_...` and `.gz`; the group `key`, where a
    pattern has one, is the symbol or series."""
    aliases: dict[str, str] = {}
    """What files call a symbol or series, and what it is called here."""
    final_newline: bool = False
    """Whether a whole file always ends its last line."""
    changes: Literal["vintage", "correction"]
    zone: Zone
    """The days of this zone are the source's days."""
    release: Release | None = None
    """The rule of all symbols or series that have none of their own."""
    volume_release: Release | None = None
    """When the volume and open interest of a bar are final."""
    series: dict[str, Series] = {}

    def release_of(self, key: str) -> Release | None:
        """Return the release rule of one symbol or series; None where none is known."""
        own = self.series[key].release if key in self.series else None
        return own or self.release

    @model_validator(mode="after")
    def _every_series_has_a_rule(self) -> Source:
        without = [n for n, s in self.series.items() if not (s.release or self.release)]
        if without or (self.changes == "correction" and self.release is None):
            msg = f"expected a release rule for the source, or for {without}"
            raise ValueError(msg)
        return self


class DataSources(Entry):
    """data_sources.yaml."""

    sources: dict[str, Source]
