"""data_sources.yaml: how files are told, what a changed value means, when it is known.

It names no parser: a source and its parser meet by name when the graph is built.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from cbi_stream.registry.fetching import Fetch
from cbi_stream.registry.model import Entry
from cbi_stream.registry.releases import Release, Zone
from cbi_stream.words.grain import Grain


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
    release: Release | str | None = None
    """Where it differs from its source's: a rule, or the name of one of its `rules`."""
    max_age_days: Annotated[int, Field(gt=0)] | None = None
    """Where it differs from its source's."""


class Source(Entry):
    """One source: how its files are told, and what a changed value means."""

    doc: str
    shape: Literal["bars", "observations", "events"] | None = None
    """bars, observations, events: its tables have the contracts of that shape, and its
    lines are conformed like those of all others. None: it has contracts and a step of
    its own."""
    tier: Literal["P0", "P1", "P2"] = "P1"
    reliability: Annotated[float, Field(gt=0, le=1)] = 0.9
    """How often a poll has found what it should; for the order of looking into faults."""
    licence: str = "unknown: private use only"
    max_age_days: Annotated[int, Field(gt=0)] | None = None
    """Beyond this age of its newest period a source counts as stale."""
    fetch: Fetch | None = None
    """How it is asked; None where a person hands its files in."""
    grain: Grain = Grain.DECADE
    """The grain of the tables of its shape."""
    priority: int = 1
    """Among sources of the same staging table the lowest speaks first, cell by cell."""
    key: Literal["symbol", "series", "contract", "event"]
    file_names: Annotated[
        tuple[Annotated[str, AfterValidator(_is_a_pattern)], ...], Field(min_length=1)
    ]
    """Patterns of file names, without `_asof_...` and `.gz`; the group `key`, where a
    pattern has one, is the symbol or series."""
    aliases: dict[str, str] = {}
    """What files call a symbol or series, and what it is called here."""
    final_newline: bool = False
    """Whether a whole file always ends its last line."""
    raw: str = ""
    """Its raw table; `raw.<source>` unless said."""
    changes: Literal["vintage", "correction"]
    zone: Zone
    """The days of this zone are the source's days."""
    dates_ahead: bool = False
    """Whether a date may lie after the day on which it was said: a rate is announced
    before it takes effect."""
    release: Release | None = None
    """The rule of all symbols or series that have none of their own."""
    rules: dict[str, Release] = {}
    """Rules that several series share, by name."""
    volume_release: Release | None = None
    """When the volume and open interest of a bar are final."""
    series: dict[str, Series] = {}

    def release_of(self, key: str) -> Release | None:
        """Return the release rule of one symbol or series; None where none is known."""
        own = self.series[key].release if key in self.series else None
        return self.rules[own] if isinstance(own, str) else own or self.release

    def meaning(self) -> dict[str, Any]:
        """Return what changes the rows that are staged: not prose, nor how it is asked."""
        said = {"doc", "tier", "reliability", "licence", "max_age_days", "fetch"}
        told = {"file_names", "aliases", "final_newline"}
        plain = self.model_dump(mode="json", exclude=said | told)
        for series in plain["series"].values():
            del series["name"], series["max_age_days"]
        return plain

    @model_validator(mode="after")
    def _every_series_has_a_rule(self) -> Source:
        without = [n for n, s in self.series.items() if not (s.release or self.release)]
        if without or (self.changes == "correction" and self.release is None):
            msg = f"expected a release rule for the source, or for {without}"
            raise ValueError(msg)
        named = {s.release for s in self.series.values() if isinstance(s.release, str)}
        if named - self.rules.keys():
            unknown = sorted(named - self.rules.keys())
            msg = f"expected a rule under `rules`; found none for {unknown}"
            raise ValueError(msg)
        return self


class DataSources(Entry):
    """data_sources.yaml."""

    replay: str | None = None
    """The address of a replay server on this machine, which is then asked instead of
    every host: http://127.0.0.1:8765."""
    sources: dict[str, Source]

    @field_validator("replay")
    @classmethod
    def _on_this_machine(cls, value: str | None) -> str | None:
        if value is None or re.fullmatch(r"http://(127\.0\.0\.1|localhost):\d+", value):
            return value
        msg = f"expected an address like http://127.0.0.1:8765; found {value!r}"
        raise ValueError(msg)

    @model_validator(mode="before")
    @classmethod
    def _raw_tables_are_named(cls, plain: Any) -> Any:
        for name, entry in (plain or {}).get("sources", {}).items():
            if isinstance(entry, dict):
                entry.setdefault("raw", f"raw.{name}")
        return plain

    def of_shape(self, shape: str) -> tuple[str, ...]:
        """Return the names of the sources of a shape."""
        return tuple(n for n, s in self.sources.items() if s.shape == shape)
