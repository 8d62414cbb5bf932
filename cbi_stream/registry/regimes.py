"""regime_calendar.yaml: which regime each session belongs to, as a weight of training.

A regime is often named in hindsight: it is never a feature, and says from when it was
known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from cbi_stream.registry.model import Entry, Read
from cbi_stream.words.sessions import Sessions

Weight = Annotated[int, Field(ge=50, le=5000)]


class Regime(Entry):
    """A stretch of sessions that trained models count more or less."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    start: date
    """Its first day."""
    end: date | None = None
    """The day after its last one; None: it goes on."""
    known_from: date
    """The day from which one could have named it."""
    weight: Weight
    doc: Annotated[str, Field(exclude=True)]


class RegimeCalendar(Entry):
    """regime_calendar.yaml: every day belongs to exactly one regime."""

    weight_before_known: Weight
    """What a session counts at a cutoff that came before its regime could be named."""
    regimes: tuple[Regime, ...] = ()


def regimes_fit(read: Read[RegimeCalendar], sessions: Sessions) -> Iterator[str]:
    """Yield each gap, overlap and day that cannot be, with file and line."""
    found = read.content.regimes
    if not found:
        yield f"{read.place('regimes')}: expected at least one regime; found none"
        return
    names: set[str] = set()
    for i, each in enumerate(found):
        if each.name in names:
            yield f"{read.place('regimes', i, 'name')}: {each.name} stands twice"
        names.add(each.name)
        if each.known_from < each.start:
            where = read.place("regimes", i, "known_from")
            said = f"known from {each.known_from}, before it began on {each.start}"
            yield f"{where}: {each.name}: {said}"
    first = sessions.covers.start
    if found[0].start > first:
        where = read.place("regimes", 0, "start")
        yield f"{where}: {found[0].name}: expected a start by {first}, the calendar's"
    if found[-1].end is not None:
        where = read.place("regimes", len(found) - 1, "end")
        yield f"{where}: {found[-1].name}: the last regime has no end; take it away"
    for i, (before, after) in enumerate(pairwise(found), start=1):
        yield from _neighbours_meet(read, i, before, after)


def _neighbours_meet(
    read: Read[RegimeCalendar], i: int, before: Regime, after: Regime
) -> Iterator[str]:
    where = read.place("regimes", i, "start")
    if before.end is None:
        ends = read.place("regimes", i - 1)
        yield f"{ends}: {before.name}: only the last regime is open; give it an `end`"
    elif before.start >= before.end:
        ends = read.place("regimes", i - 1, "end")
        yield f"{ends}: {before.name}: expected an end after {before.start}"
    elif after.start != before.end:
        what = "a gap" if after.start > before.end else "an overlap"
        said = f"expected a start on {before.end}, where {before.name} ends"
        yield f"{where}: {after.name}: {said}; found {what}, {after.start}"
