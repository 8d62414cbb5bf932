"""data_sources.yaml: how files are told, what a changed value means, when it is known.

It names no parser: a source and its parser meet by name when the graph is built.
"""

from __future__ import annotations

import re
from datetime import date
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
    ended: date | None = None
    """The last date that there will ever be: it is not asked any more, and never stale;
    its files are taken, and its history stays."""


class Measure(Entry):
    """One count that a source gives for each of its contracts, as for instance longs."""

    name: str
    unit: str
    pit_grade: PitGrade


class Source(Entry):
    """One source: how its files are told, and what a changed value means."""

    doc: str
    shape: Literal["bars", "observations", "counts", "events"] | None = None
    """bars, observations, counts, events: its tables have the contracts of that shape,
    and its lines are conformed like those of all others. None: it has contracts and a
    step of its own."""
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
    provider: str | None = None
    """Who says it: sources of one provider do not confirm each other. Its own unless
    said."""
    priority: int = 1
    """Among sources of the same staging table the lowest speaks first, cell by cell."""
    key: Literal["symbol", "series", "contract", "event", "group", "part"]
    """What a file, or each of its lines, is about. `group`: what several series have in
    common before their first point: a place, a station, a direction of trade. `part`:
    which part of the source the file holds (one report, one season); its lines name
    their series themselves."""
    file_names: Annotated[
        tuple[Annotated[str, AfterValidator(_is_a_pattern)], ...], Field(min_length=1)
    ]
    """Patterns of file names, without `_asof_...` and `.gz`; the group `key`, where a
    pattern has one, is the symbol or series."""
    aliases: dict[str, str] = {}
    """What files call a symbol or series, and what it is called here."""
    final_newline: bool = False
    """Whether a whole text file always ends its last line."""
    raw: str = ""
    """Its raw table; `raw.<source>` unless said."""
    changes: Literal["vintage", "correction"]
    zone: Zone
    """The days of this zone are the source's days."""
    release: Release | None = None
    """The rule of all symbols or series that have none of their own."""
    rules: dict[str, Release] = {}
    """Rules that several series share, by name."""
    volume_release: Release | None = None
    """When the volume and open interest of a bar are final."""
    ahead_days: Annotated[int, Field(ge=0, le=4000)] = 0
    """How far the periods of its numbers may lie ahead of the day on which they are
    published: projections of a season that has not begun."""
    series: dict[str, Series] = {}
    contracts: dict[str, str] = {}
    """Of the shape `counts`: the contracts that are staged, by code, and their names."""
    measures: dict[str, Measure] = {}
    """Of the shape `counts`: what is counted of each contract; a column of the raw table
    each. Contract code, a point and measure are a series: it need not be written out."""

    def keys(self) -> tuple[str, ...]:
        """Return what files may be about: contracts, series, or groups of them."""
        if self.key != "group":
            return tuple(self.contracts or self.series)
        return tuple(dict.fromkeys(name.partition(".")[0] for name in self.series))

    def release_of(self, key: str) -> Release | None:
        """Return the release rule of one symbol or series; None where none is known."""
        own = self.series[key].release if key in self.series else None
        return self.rules[own] if isinstance(own, str) else own or self.release

    @property
    def living(self) -> tuple[str, ...]:
        """The series that still get observations."""
        return tuple(n for n, s in self.series.items() if s.ended is None)

    def meaning(self) -> dict[str, Any]:
        """Return what changes the rows that are staged: not prose, nor how it is asked."""
        said = {"doc", "tier", "reliability", "licence", "max_age_days", "fetch"}
        told = {"file_names", "aliases", "final_newline"}
        product = {"contracts", "measures"}  # their series say the same
        plain = self.model_dump(mode="json", exclude=said | told | product)
        for series in plain["series"].values():
            del series["name"], series["max_age_days"], series["ended"]
        return plain

    @model_validator(mode="before")
    @classmethod
    def _counts_are_series(cls, plain: Any) -> Any:
        if not isinstance(plain, dict):
            return plain
        codes, measures = plain.get("contracts"), plain.get("measures")
        if not (isinstance(codes, dict) and isinstance(measures, dict)):
            return plain
        made = {
            f"{code}.{name}": {**said, "name": f"{market} {said.get('name')}"}
            for code, market in codes.items()
            for name, said in measures.items()
            if isinstance(said, dict)
        }
        return {**plain, "series": made | plain.get("series", {})}

    @model_validator(mode="after")
    def _counts_have_contracts(self) -> Source:
        counted = bool(self.contracts), bool(self.measures)
        if counted != ((self.shape == "counts"),) * 2:
            msg = "expected contracts and measures with `shape: counts`, and only there"
            raise ValueError(msg)
        return self

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
