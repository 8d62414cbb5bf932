"""Slices and their inverse: what a partition reads, and what a change reaches.

Pure arithmetic on days. `slice_of` says which dates of an input the rows of a span
look at; `reached_by` is its exact inverse: which rows look at a changed date. What
one of them says, the other must not contradict: tests/laws compares them by force.
"""

from __future__ import annotations

from datetime import date
from typing import assert_never

from cbi_stream.lake.partition_map import Change
from cbi_stream.shapes.reads import (
    Amount,
    Grid,
    History,
    InDays,
    InSessions,
    Known,
    Number,
    Read,
    Whole,
    columns_of,
)
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span


def slice_of(read: Read, span: Span, sessions: Sessions) -> Span:
    """Return the dates of an input that rows dated inside `span` may depend on."""
    match read:
        case InSessions(back, ahead, _):
            return sessions.slice_for(
                span, back=whole_number(back), ahead=whole_number(ahead)
            )
        case InDays(back, ahead, _):
            return span.widen(whole_number(back), whole_number(ahead))
        case Known(max_age):
            return span.widen(whole_number(max_age), 0)
        case Grid(_, ahead):
            return span.widen(0, whole_number(ahead))
        case History():
            return Span(date.min, span.end)
        case Whole():
            return Span.all()
        case _:
            assert_never(read)


def sees(read: Read, change: Change) -> bool:
    """Return whether a change is one of columns that a read looks at."""
    looked_at = columns_of(read)
    if looked_at is None or change.columns is None:
        return True
    return not set(looked_at).isdisjoint(change.columns)


def reached_by(read: Read, change: Change, sessions: Sessions) -> Span:
    """Return the dates of the rows that may differ after `change`; it may be empty."""
    span = change.span
    match read:
        case InSessions(back, ahead, _):
            return sessions.reach_of(
                span, back=whole_number(back), ahead=whole_number(ahead)
            )
        case InDays(back, ahead, _):
            return span.widen(whole_number(ahead), whole_number(back))
        case Known(max_age):
            # No row decided before a change was knowable can have seen it: loading
            # decades of restated history today reaches no old row.
            begin = max(span.start, change.known_from or span.start)
            return Span(begin, span.widen(0, whole_number(max_age)).end)
        case Grid(_, ahead):
            return span.widen(whole_number(ahead), 0)
        case History():
            return Span(span.start, date.max)
        case Whole():
            return Span.all()
        case _:
            assert_never(read)


def whole_number(amount: Amount) -> int:
    """Return an amount that the graph has already looked up in the registry."""
    assert not isinstance(amount, Number), "the graph resolves registry numbers"
    return amount
