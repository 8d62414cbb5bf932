"""One model per file of `registry/`: what a person may change without Python.

No model holds a path of a Python module, and none reads anything itself.
"""

from __future__ import annotations

import re
from datetime import date, time
from fractions import Fraction
from typing import Annotated, Literal, TypedDict
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from cbi_stream.registry.model import Entry


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"expected a time zone of the IANA list, for instance America/Chicago; found {name!r}"
        raise ValueError(msg) from None
    return name


def _names_the_key(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        msg = f"expected a pattern of file names; {error}"
        raise ValueError(msg) from None
    if "key" not in groups:
        msg = f"expected a group (?P<key>...) for the symbol or series; found {pattern}"
        raise ValueError(msg)
    return pattern


Zone = Annotated[str, AfterValidator(_known_zone)]


class Settings(Entry):
    """settings.yaml: the few choices that belong to the whole lake."""

    target: str
    """The symbol whose price is forecast."""


class Symbol(Entry):
    """One traded instrument."""

    name: str
    unit: str
    tick: str
    """The smallest price step, as a decimal, so that one is a whole number of them."""

    @property
    def ticks_per_unit(self) -> int:
        """How many ticks make one unit of price."""
        return int(1 / Fraction(self.tick))

    @property
    def decimals(self) -> int:
        """How many decimals a price has."""
        return len(self.tick.partition(".")[2])

    @model_validator(mode="after")
    def _tick_divides_one(self) -> Symbol:
        plain = re.fullmatch(r"[0-9]+(\.[0-9]+)?", self.tick)
        tick = Fraction(self.tick) if plain else Fraction(0)
        if not tick or (1 / tick).denominator != 1:
            msg = f"tick: expected a decimal that divides 1, such as 0.25; found {self.tick}"
            raise ValueError(msg)
        return self


class Universe(Entry):
    """universe.yaml: the symbols that may be staged."""

    symbols: dict[str, Symbol]


class ReleaseTerms(TypedDict):
    """A release rule as plain arguments."""

    weekdays_after: int
    at: time
    zone: str


class Release(Entry):
    """When an observation becomes knowable: so many weekdays after its date, at a time."""

    weekdays_after: int = Field(ge=0)
    at: time
    zone: Zone

    @property
    def terms(self) -> ReleaseTerms:
        """The rule as the arguments of `kernels.release.released_at`."""
        return {"weekdays_after": self.weekdays_after, "at": self.at, "zone": self.zone}


class Series(Entry):
    """One series of a source of observations."""

    name: str
    unit: str
    pit_grade: Literal["A", "B", "C", "D"]
    release: Release


class Source(Entry):
    """One source: how its files are told, and what a changed value means."""

    doc: str
    raw: str
    file_name: Annotated[str, AfterValidator(_names_the_key)]
    """A pattern of file names; its group `key` is the symbol or series."""
    key: Literal["symbol", "series"]
    changes: Literal["vintage", "correction"]
    release: Release | None = None
    """The release rule of all symbols of a price source."""
    series: dict[str, Series] = {}

    def release_of(self, key: str) -> Release | None:
        """Return the release rule of one symbol or series; None where none is known."""
        return self.series[key].release if key in self.series else self.release


class DataSources(Entry):
    """data_sources.yaml."""

    sources: dict[str, Source]


class Horizons(Entry):
    """horizons.yaml: the forecast horizons in calendar days."""

    days: Annotated[dict[str, Annotated[int, Field(gt=0)]], Field(min_length=1)]
    slack_days: Annotated[int, Field(ge=0)]
    """How long the calendar may stay closed in one stretch, at most."""

    @property
    def longest(self) -> int:
        """The longest horizon, in calendar days."""
        return max(self.days.values())

    @property
    def reach(self) -> int:
        """How many days after its session a label may be resolved."""
        return self.longest + self.slack_days


class Joined(Entry):
    """One column of the panel, read as it was known at decision time."""

    series: str
    max_age_days: int = Field(ge=0)


class JoinSpec(Entry):
    """join_spec.yaml: which observations stand in the panel, and how old they may be."""

    columns: Annotated[dict[str, Joined], Field(min_length=1)]

    @property
    def oldest(self) -> int:
        """The greatest age that any column allows, in calendar days."""
        return max(joined.max_age_days for joined in self.columns.values())


class Export(Entry):
    """One training file."""

    horizon: str


class Exports(Entry):
    """exports.yaml: the training files that are published."""

    exports: dict[Annotated[str, Field(pattern=r"^[a-z0-9_]+$")], Export]


class SessionOverride(Entry):
    """A day that the list of closings has wrong, and how that is known."""

    date: date
    open: bool
    because: str
    evidence: str


class Covered(Entry):
    """The first and the last day that the calendar speaks of."""

    first: date
    last: date


class SessionsFile(Entry):
    """sessions.yaml: the trading calendar and the hour of decision."""

    calendar: str
    zone: Zone
    decision_time: time
    covers: Covered
    closed: str
    overrides: tuple[SessionOverride, ...] = ()
