"""How far a handler looks into each table that it reads. Only the words, no arithmetic.

Every kind says which dates of the input a row at date t may depend on. The engine
derives from it which slice a partition gets, and which partitions a change reaches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    """A whole number of the registry plus a constant, looked up when loading."""

    name: str
    plus: int = 0

    def __add__(self, more: int) -> Number:
        return Number(self.name, self.plus + more)


def from_registry(name: str) -> Number:
    """Name a whole number of the registry, for instance `horizons.longest`."""
    return Number(name)


Amount = int | Number


@dataclass(frozen=True, slots=True)
class InSessions:
    """Rows from `back` sessions before t to `ahead` sessions after t."""

    back: Amount = 0
    ahead: Amount = 0
    columns: tuple[str, ...] | None = None
    """The columns that the frame holds besides the key; None: all."""


@dataclass(frozen=True, slots=True)
class InDays:
    """Rows from `back` calendar days before t to `ahead` days after t."""

    back: Amount = 0
    ahead: Amount = 0
    columns: tuple[str, ...] | None = None
    """The columns that the frame holds besides the key; None: all."""


@dataclass(frozen=True, slots=True)
class History:
    """Every row up to and including t."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Every row. A change of any row reaches every partition."""


@dataclass(frozen=True, slots=True)
class Known:
    """Rows of the last `max_age` days that were knowable at t's decision time.

    The table must have a column `knowable_at`.
    """

    max_age: Amount


@dataclass(frozen=True, slots=True)
class Grid:
    """The session calendar over the extent of table `of`, and `ahead` days beyond.

    The frame has the columns date, previous (the session before), decision_time
    (UTC) and listed: whether the session lies inside the extent. It moves only when
    the table's first or last date does.
    """

    of: str
    ahead: Amount = 0


Read = InSessions | InDays | History | Whole | Known | Grid


def columns_of(read: Read) -> tuple[str, ...] | None:
    """Return the columns that a read is limited to; None: all of its table."""
    return read.columns if isinstance(read, InSessions | InDays) else None


def sessions(
    back: Amount = 0, ahead: Amount = 0, *, columns: Sequence[str] | None = None
) -> InSessions:
    """Read a window counted in sessions of the calendar, never in rows.

    With `columns` the frame holds the key and these: a change of others reaches nothing.
    """
    return InSessions(back, ahead, None if columns is None else tuple(columns))


def days(
    back: Amount = 0, ahead: Amount = 0, *, columns: Sequence[str] | None = None
) -> InDays:
    """Read a window counted in calendar days; `columns` as for `sessions`."""
    return InDays(back, ahead, None if columns is None else tuple(columns))


def history() -> History:
    """Read everything up to the row's own date."""
    return History()


def whole() -> Whole:
    """Read the whole table; every plan says so."""
    return Whole()


def known(max_age: Amount) -> Known:
    """Read what was knowable at decision time and is at most `max_age` days old."""
    return Known(max_age)


def grid(of: str, ahead: Amount = 0) -> Grid:
    """Read the sessions over the extent of a table."""
    return Grid(of, ahead)
