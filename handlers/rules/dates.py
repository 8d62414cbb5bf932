"""Whether a line can be about its date. No date is ever moved."""

from __future__ import annotations

import polars as pl

from cbi_stream import rule

_FRIDAY = 5


@rule()
def weekend(date: pl.Expr) -> pl.Expr:
    """The date is a weekday."""
    return date.dt.weekday() <= _FRIDAY


@rule()
def closed_day(date: pl.Expr, session: pl.Expr, cell: pl.Expr) -> pl.Expr:
    """The date is a session of the calendar, or the line has no price.

    Weekends are another rule's, and days that the calendar does not cover nobody's.
    """
    weekend = date.dt.weekday() > _FRIDAY
    return session.fill_null(value=True) | weekend | cell.is_null()


@rule()
def future_date(as_of: pl.Expr, possible_at: pl.Expr) -> pl.Expr:
    """The line was seen when its date could have begun."""
    return as_of >= possible_at


@rule()
def not_a_date(effective_on: pl.Expr, effective_at: pl.Expr) -> pl.Expr:
    """The day from which an event holds is a day of the calendar, or is not said."""
    return effective_on.is_null() | effective_at.is_not_null()
