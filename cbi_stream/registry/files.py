"""One model per file of `registry/`: what a person may change without Python.

No model holds a path of a Python module, and none reads anything itself.
"""

from __future__ import annotations

import re
from datetime import date, time
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cbi_stream.registry.features import Surface
from cbi_stream.registry.model import Entry
from cbi_stream.registry.releases import Zone


class Settings(Entry):
    """settings.yaml: the few choices that belong to the whole lake."""

    target: str
    """The symbol whose price is forecast."""
    ranges_from: date
    """The first session whose highs and lows can be trusted: before it, range features
    are null."""
    positions_weekly_from: date
    """The first Tuesday whose positions came out by the weekly rule: before it they came
    every two weeks, and on no weekday for sure."""


AS_PRINTED = "as_printed"
"""The tick of an instrument whose prices are never rounded."""
_CONTRACT = re.compile(r"(?P<root>[A-Z]{1,4})(?P<month>[FGHJKMNQUVXZ])[0-9]{2}")
Kind = Literal["future", "index", "currency", "share", "fund"]


class Symbol(Entry):
    """One traded instrument."""

    name: str
    unit: str
    tick: str
    """The smallest price step, as a decimal, so that one is a whole number of them; or
    `as_printed`: prices are staged as the source printed them."""
    kind: Kind = "future"
    plausible: tuple[float, float]
    """The lowest and the highest close that can be one, in this unit."""
    months: Annotated[str, Field(pattern="^[FGHJKMNQUVXZ]*$")] = ""
    """The letters of the delivery months; empty where it has no contracts."""

    @property
    def ticks_per_unit(self) -> int | None:
        """How many ticks make one unit of price; None where there is no tick."""
        return None if self.tick == AS_PRINTED else int(1 / Fraction(self.tick))

    @property
    def decimals(self) -> int | None:
        """How many decimals a price has; None where there is no tick."""
        if self.tick == AS_PRINTED:
            return None
        return len(self.tick.partition(".")[2])

    @model_validator(mode="after")
    def _tick_divides_one(self) -> Symbol:
        if self.tick == AS_PRINTED:
            return self
        plain = re.fullmatch(r"[0-9]+(\.[0-9]+)?", self.tick)
        tick = Fraction(self.tick) if plain else Fraction(0)
        if not tick or (1 / tick).denominator != 1:
            msg = (
                "tick: expected a decimal that divides 1, such as 0.25, or "
                f"{AS_PRINTED}; found {self.tick}"
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _plausible_is_a_range(self) -> Symbol:
        low, high = self.plausible
        if not low < high:
            msg = f"plausible: expected the lower number first; found {low} and {high}"
            raise ValueError(msg)
        return self


class Universe(Entry):
    """universe.yaml: the symbols that may be staged."""

    symbols: dict[str, Symbol]

    def of(self, name: str) -> Symbol | None:
        """Return what is known of a symbol, or of a single contract of one; else None.

        A contract is a symbol, a letter of its delivery months and two digits of the
        year: ZLZ25. One digit would not say which decade is meant.
        """
        contract = _CONTRACT.fullmatch(name)
        if name in self.symbols or contract is None:
            return self.symbols.get(name)
        root = self.symbols.get(contract["root"])
        return root if root and contract["month"] in root.months else None


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
