"""rules.yaml: which rule holds for what, with which numbers, and how much it matters.

It names rules and never holds one; that they exist is checked where they are bound.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from cbi_stream.registry.model import Entry

Severity = Literal["quarantine", "flag", "off"]
"""quarantine: what breaks the rule is turned away. flag: it is staged and says so. off:
the rule does not hold here, though an earlier entry says so."""
Value = bool | int | float | str
_LONGEST_MONTH, _LONGEST_QUARTER = 30, 91


class On(Entry):
    """What an entry is about: a row must fit every word that is said; `*` is a wildcard."""

    shapes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    """Symbols of bars; a single contract is known by its root as well."""
    series: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    """Of bars: future, index, currency, share, fund."""
    units: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """Which cells of a bar the rule looks at; the close unless said. A line whose other
    cells break a rule stays, without these cells."""


class RuleEntry(Entry):
    """One rule, on something, with numbers."""

    rule: str
    on: On = On()
    numbers: dict[str, Value] = Field(default={}, alias="with")
    severity: Severity = "quarantine"
    since: date | None = Field(default=None, alias="from")
    """The first date for which it holds."""
    until: date | None = None
    """The last date for which it holds."""
    because: str = ""
    """Why these numbers."""

    @model_validator(mode="after")
    def _dates_are_in_order(self) -> RuleEntry:
        if self.since and self.until and self.until < self.since:
            msg = f"expected `from` before `until`; found {self.since} and {self.until}"
            raise ValueError(msg)
        return self


class Rules(Entry):
    """rules.yaml: how far rules look, and the list of what holds."""

    bars_back: Annotated[int, Field(ge=_LONGEST_MONTH, le=400)] = 31
    """How many days before its date the neighbours of a bar may lie."""
    bars_ahead: Annotated[int, Field(ge=_LONGEST_MONTH, le=400)] = 31
    """How far the end of a bar's batch may lie ahead: a batch is a month of one file."""
    statements_back: Annotated[int, Field(ge=_LONGEST_QUARTER, le=1500)] = 400
    """The same of observations and counts, of which some come once a month."""
    statements_ahead: Annotated[int, Field(ge=_LONGEST_QUARTER, le=1500)] = 92
    """A batch of them is a quarter of one file."""
    rules: tuple[RuleEntry, ...] = ()
    """Of several entries about the same rule, cell and row the last one counts."""
