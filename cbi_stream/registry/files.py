"""One model per file of `registry/`: what a person may change without Python.

No model holds a path of a Python module, and none reads anything itself.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time
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


def _is_a_pattern(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        msg = f"expected a pattern of file names; {error}"
        raise ValueError(msg) from None
    return pattern


Zone = Annotated[str, AfterValidator(_known_zone)]


class Settings(Entry):
    """settings.yaml: the few choices that belong to the whole lake."""

    target: str
    """The symbol whose price is forecast."""
    ranges_from: date
    """The first session whose highs and lows can be trusted: before it, range features
    are null."""


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


class Delay(Entry):
    """Observations that came out late: those dated `first` to `last` were out `by`."""

    first: date
    last: date
    by: datetime
    because: str

    @model_validator(mode="after")
    def _in_order(self) -> Delay:
        if self.by.tzinfo is None or self.first > self.last:
            msg = "expected first <= last, and `by` with its time zone"
            raise ValueError(msg)
        return self


class ReleaseTerms(TypedDict):
    """A release rule as plain arguments."""

    weekdays_after: int | None
    days_after: int | None
    at: time
    zone: str
    closed: tuple[date, ...]
    delays: tuple[tuple[date, date, datetime], ...]


class Release(Entry):
    """When an observation is out at the latest: so long after its date, at a local time.

    Either so many weekdays after (those of the closure list `closed` do not count), or
    so many calendar days after.
    """

    weekdays_after: Annotated[int, Field(ge=0)] | None = None
    days_after: Annotated[int, Field(ge=0)] | None = None
    at: time
    zone: Zone
    closed: str | None = None
    """A list of closures.yaml."""
    delays: tuple[Delay, ...] = ()

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Release:
        if (self.weekdays_after is None) == (self.days_after is None):
            msg = "expected weekdays_after or days_after, and not both"
            raise ValueError(msg)
        if self.closed is not None and self.weekdays_after is None:
            msg = "`closed` goes with weekdays_after"
            raise ValueError(msg)
        return self

    def terms(self, closures: Closures) -> ReleaseTerms:
        """The rule as the arguments of `kernels.release.released_at`."""
        return {
            "weekdays_after": self.weekdays_after,
            "days_after": self.days_after,
            "at": self.at,
            "zone": self.zone,
            "closed": closures.lists[self.closed] if self.closed else (),
            "delays": tuple((d.first, d.last, d.by) for d in self.delays),
        }


class Closures(Entry):
    """closures.yaml: weekdays on which a publisher does not work."""

    lists: dict[str, tuple[date, ...]]


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

    source: str
    series: str
    max_age_days: int = Field(ge=0)
    growth_months: Annotated[int, Field(gt=0, le=24)] | None = None
    """Take the log growth over so many months, both values as known at that time."""

    @property
    def reach_days(self) -> int:
        """How many days before its row the column may look."""
        return self.max_age_days + 31 * (self.growth_months or 0)


class JoinedPrice(Entry):
    """One column of the panel: the close of another symbol on the same session."""

    symbol: str


class JoinSpec(Entry):
    """join_spec.yaml: what stands in the panel beside the target's bar."""

    prices: dict[str, JoinedPrice] = {}
    observations: Annotated[dict[str, Joined], Field(min_length=1)]

    @property
    def oldest(self) -> int:
        """The greatest reach of any column, in calendar days."""
        return max(joined.reach_days for joined in self.observations.values())


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
    type: Literal["float", "int"] = "float"


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


class Export(Entry):
    """One training file."""

    surface: Surface
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
