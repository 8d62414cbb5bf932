"""When publishers release: rules, the days on which they are closed, known delays.

No rule holds a release stamp; it says when an observation is out at the latest.
"""

from __future__ import annotations

from datetime import date, datetime, time
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


Zone = Annotated[str, AfterValidator(_known_zone)]
WorkingDay = Literal["mon", "tue", "wed", "thu", "fri"]
_WORKING_DAYS = ("mon", "tue", "wed", "thu", "fri")


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
    next_week_on: int | None
    at: time
    zone: str
    closed: tuple[date, ...]
    delays: tuple[tuple[date, date, datetime], ...]


class Release(Entry):
    """When an observation is out at the latest: so long after its date, at a local time.

    Either so many weekdays after (those of the closure list `closed` do not count), or
    so many calendar days after, or on one weekday of the week after (where that is a
    day of `closed`, on the next that is none).
    """

    weekdays_after: Annotated[int, Field(ge=0)] | None = None
    days_after: Annotated[int, Field(ge=0)] | None = None
    next_week_on: WorkingDay | None = None
    at: time
    zone: Zone
    closed: str | None = None
    """A list of closures.yaml."""
    delays: tuple[Delay, ...] = ()

    @model_validator(mode="after")
    def _one_way_to_count(self) -> Release:
        ways = (self.weekdays_after, self.days_after, self.next_week_on)
        if sum(way is not None for way in ways) != 1:
            msg = "expected weekdays_after or days_after or next_week_on, one of them"
            raise ValueError(msg)
        if self.closed is not None and self.days_after is not None:
            msg = "`closed` goes with weekdays_after or next_week_on"
            raise ValueError(msg)
        return self

    def terms(self, closures: Closures) -> ReleaseTerms:
        """The rule as the arguments of `kernels.release.released_at`."""
        return {
            "weekdays_after": self.weekdays_after,
            "days_after": self.days_after,
            "next_week_on": _WORKING_DAYS.index(self.next_week_on)
            if self.next_week_on
            else None,
            "at": self.at,
            "zone": self.zone,
            "closed": closures.lists[self.closed] if self.closed else (),
            "delays": tuple((d.first, d.last, d.by) for d in self.delays),
        }


class Closures(Entry):
    """closures.yaml: weekdays on which a publisher does not work."""

    lists: dict[str, tuple[date, ...]]
