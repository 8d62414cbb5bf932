"""How and when a source is asked: the `fetch` part of its entry in data_sources.yaml.

No key stands here, only the name of the variable that holds it. It asks nobody anything.
"""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from cbi_stream.registry.model import Entry
from cbi_stream.registry.releases import Zone

_HOST = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")


def _is_a_host(name: str) -> str:
    if not _HOST.fullmatch(name):
        msg = f"expected a host's name like api.example.org; found {name!r}"
        raise ValueError(msg)
    return name


Host = Annotated[str, AfterValidator(_is_a_host)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_MOST_NAMED, _MOST_WEEKDAYS = 4, 15
"""Every month has so many of each day of the week, and of weekdays in all."""


class Pace(Entry):
    """At most so many questions in so many seconds, over all processes."""

    questions: Annotated[int, Field(gt=0)]
    seconds: Annotated[float, Field(gt=0)]


class Schedule(Entry):
    """When a source is asked: after its release, by the clock of its own zone.

    Daily: every day of `days` (default Monday to Friday). Weekly: the days of `days`.
    Monthly: on `day_of_month` (in a short month its last day), or on the nth open
    weekday of the month (`weekday_of_month`, from 1; -1 the last), or, where `days`
    names one day, on the nth of these. A day on which the publisher is closed moves the
    poll to its next open day. What that means in instants, registry/due.py says.
    """

    cadence: Literal["daily", "weekly", "monthly"]
    days: tuple[Weekday, ...] = ()
    day_of_month: Annotated[int, Field(ge=1, le=31)] | None = None
    weekday_of_month: int | None = None
    through: int | None = None
    """Of a release without a fixed day: it may come on any open weekday up to this one,
    counted as `day_of_month` or `weekday_of_month` is; each of them is due."""
    weekdays_after: Annotated[int, Field(ge=0, le=30)] = 0
    """So many open weekdays after those days: a closed day between delays the release."""
    at: time
    at_when_moved: time | None = None
    """The hour where a closed day moved or delayed it; the same unless said."""
    zone: Zone
    closed: str | None = None
    """A list of closures.yaml."""
    months: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    """The months in which there are releases; empty means all."""
    jitter_seconds: Annotated[int, Field(ge=0)] = 120
    again_minutes: tuple[Annotated[int, Field(gt=0)], ...] = (15, 60, 240)
    """How long after a poll that failed, or brought nothing new, it is tried again."""

    @model_validator(mode="after")
    def _says_when(self) -> Schedule:
        if self.cadence == "weekly" and not self.days:
            msg = "a weekly schedule names its days"
            raise ValueError(msg)
        counted = (self.day_of_month is not None) + (self.weekday_of_month is not None)
        if (self.cadence == "monthly") != (counted == 1):
            msg = "day_of_month or weekday_of_month goes with monthly, and only there"
            raise ValueError(msg)
        for hour in (self.at, self.at_when_moved or self.at):
            if hour.tzinfo is not None:
                msg = f"expected an hour without a zone, `zone` names it; found {hour}"
                raise ValueError(msg)
            if time(1) <= hour < time(3):
                msg = "expected an hour outside 01:00 to 03:00, which summer time may skip"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _counts_what_every_month_has(self) -> Schedule:
        nth = self.weekday_of_month
        named = nth is not None and bool(self.days)
        if (
            self.cadence == "monthly"
            and self.days
            and (len(self.days) > 1 or not named)
        ):
            msg = "a monthly schedule names one day at most, with weekday_of_month"
            raise ValueError(msg)
        most = _MOST_NAMED if named else _MOST_WEEKDAYS
        for each in (nth, self.through if nth is not None else None):
            if each is not None and not 1 <= abs(each) <= most:
                msg = f"expected 1 to {most}, or -1 to -{most}: every month has these"
                raise ValueError(msg)
        first = self.day_of_month or nth or 0
        if self.through is not None and (named or not 0 < first < self.through <= 31):
            msg = "`through` goes with a day of the month before it, counted from 1"
            raise ValueError(msg)
        return self


class Fetch(Entry):
    """How a source is asked."""

    hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    """The only hosts that are ever asked, over https."""
    secret: str | None = None
    """The environment variable that names its key."""
    keyless: bool = True
    """Whether there is a way without a key; with `secret` set, the key is optional."""
    schedule: Schedule
    pace: Pace = Pace(questions=1, seconds=1.0)
    history_from: date = date(2000, 1, 1)
    look_back_days: Annotated[int, Field(ge=0)] = 14
    """How far before the last answer the next question reaches."""
    most_bytes: Annotated[int, Field(gt=0)] = 64 * 1024 * 1024
    seconds: Annotated[float, Field(gt=0)] = 60.0
    """How long one answer may take as a whole."""
    options: dict[str, str | tuple[str, ...]] = {}
    """What the connector needs to know besides: dataset numbers, stations, routes."""

    @property
    def looks_back(self) -> timedelta:
        """The look-back as a span of time."""
        return timedelta(days=self.look_back_days)
