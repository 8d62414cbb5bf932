"""The calendar's arithmetic, compared with counting by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.sessions import Sessions
from cbi_stream.words.span import Span

ORIGIN = date(2024, 2, 20)
LENGTH = 30
EVERY = [ORIGIN + timedelta(days=i) for i in range(LENGTH)]
COVERS = Span(ORIGIN, ORIGIN + timedelta(days=LENGTH))

calendars = st.sets(st.sampled_from(EVERY), min_size=1).map(
    lambda days: Sessions(days, covers=COVERS)
)
amounts = st.integers(0, 6)
spans = st.builds(
    lambda start, length: Span(
        ORIGIN + timedelta(days=start), ORIGIN + timedelta(days=start + length)
    ),
    st.integers(-5, LENGTH + 3),
    st.integers(1, 8),
)


def _looks_at(calendar: Sessions, row: date, *, back: int, ahead: int) -> Span:
    """Count sessions by hand: the days that a session's row looks at."""
    i = calendar.days.index(row)
    first = calendar.days[i - back] if i >= back else date.min
    open_end = i + ahead >= len(calendar)
    last = date.max if open_end else Span.day(calendar.days[i + ahead]).end
    return Span(first, last)


@settings(max_examples=200)
@given(calendars, spans, amounts, amounts)
def test_a_slice_holds_what_its_sessions_look_at_and_no_more(
    calendar: Sessions, span: Span, back: int, ahead: int
) -> None:
    """A slice is the hull of the span and of all windows of its sessions."""
    expected = span
    for row in calendar.between(span):
        expected = expected.hull(_looks_at(calendar, row, back=back, ahead=ahead))
    found = calendar.slice_for(span, back=back, ahead=ahead)
    if calendar.between(span):
        assert found == expected
    assert found.hull(span) == found


@settings(max_examples=200)
@given(calendars, spans, amounts, amounts)
def test_reach_is_the_inverse_of_looking(
    calendar: Sessions, change: Span, back: int, ahead: int
) -> None:
    """A session is reached exactly if its window holds a changed day."""
    reached = calendar.reach_of(change, back=back, ahead=ahead)
    for row in calendar.days:
        sees = _looks_at(calendar, row, back=back, ahead=ahead).intersects(change)
        assert (row in reached) == sees, row


@settings(max_examples=200)
@given(calendars, st.integers(-3, LENGTH + 3), amounts, amounts, st.data())
def test_reach_misses_no_slice_of_a_day(
    calendar: Sessions, number: int, back: int, ahead: int, data: st.DataObject
) -> None:
    """Whatever slice of any day holds a changed day, that day is reached."""
    change = data.draw(spans)
    row = ORIGIN + timedelta(days=number)
    looked = calendar.slice_for(Span.day(row), back=back, ahead=ahead)
    if looked.intersects(change):
        assert row in calendar.reach_of(change, back=back, ahead=ahead)


@given(calendars, st.sampled_from(EVERY))
def test_on_or_after_and_before_are_found_by_counting(
    calendar: Sessions, day: date
) -> None:
    """The next session may be the day itself, the one before never is."""
    later = [one for one in calendar.days if one >= day]
    earlier = [one for one in calendar.days if one < day]
    assert calendar.before(day) == (earlier[-1] if earlier else None)
    assert (day in calendar) == (day in calendar.days)
    if later:
        assert calendar.on_or_after(day) == later[0]
    else:
        with pytest.raises(BadRegistry, match="extend `covers`"):
            calendar.on_or_after(day)


@given(calendars, spans)
def test_between_is_a_filter(calendar: Sessions, span: Span) -> None:
    """The sessions of a span are those that lie in it, oldest first."""
    assert calendar.between(span) == tuple(d for d in calendar.days if d in span)


def test_nothing_is_guessed_before_the_covered_days() -> None:
    """The first session on or after an uncovered day is unknown, so it raises."""
    calendar = Sessions(EVERY, covers=COVERS)
    with pytest.raises(BadRegistry, match="covers 2024-02-20 to 2024-03-20"):
        calendar.on_or_after(ORIGIN - timedelta(days=1))


@pytest.mark.parametrize("day", [ORIGIN - timedelta(days=1), COVERS.end])
def test_a_session_outside_the_covered_days_is_refused(day: date) -> None:
    """A calendar that says less about a day than it lists is a mistake."""
    with pytest.raises(BadRegistry, match="inside 2024-02-20 to 2024-03-20"):
        Sessions([*EVERY, day], covers=COVERS)


def test_a_calendar_without_sessions_is_refused() -> None:
    """An empty list is a broken file, not a market that never trades."""
    with pytest.raises(BadRegistry):
        Sessions([], covers=COVERS)


def test_the_digest_tells_calendars_apart() -> None:
    """Order and repeats do not matter; one session more or less does."""
    whole = Sessions(EVERY, covers=COVERS)
    assert Sessions([*reversed(EVERY), ORIGIN], covers=COVERS).digest == whole.digest
    assert Sessions(EVERY[1:], covers=COVERS).digest != whole.digest
    moved = [*EVERY[:-2], EVERY[-1]]
    assert Sessions(moved, covers=COVERS).digest != whole.digest


@given(calendars)
def test_the_longest_stretch_without_a_session_is_found_by_counting(
    calendar: Sessions,
) -> None:
    """From any covered day that has a later session, none is farther than this."""
    waits = [
        (calendar.on_or_after(day) - day).days
        for day in EVERY
        if calendar.days[0] < day <= calendar.days[-1]
    ]
    assert calendar.longest_closed_days >= max(waits, default=0)
    assert calendar.longest_closed_days <= max(waits, default=0) + 1
