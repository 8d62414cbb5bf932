"""Spans mean what sets of days mean."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cbi_stream.words.span import Span, plus_days, union

ORIGIN = date(2024, 2, 26)


def _day(number: int) -> date:
    return ORIGIN + timedelta(days=number)


spans = st.builds(
    lambda start, length: Span(_day(start), _day(start + length)),
    st.integers(0, 40),
    st.integers(0, 12),
)


def _days(span: Span) -> set[date]:
    return {_day(i) for i in range(-20, 80) if _day(i) in span}


@given(spans, spans)
def test_clip_and_intersects_are_those_of_sets(a: Span, b: Span) -> None:
    """Two spans share exactly the days that both hold."""
    assert _days(a.clip(b)) == _days(a) & _days(b)
    assert a.intersects(b) == bool(_days(a) & _days(b))


@given(spans, spans)
def test_hull_is_the_shortest_span_around_both(a: Span, b: Span) -> None:
    """The hull starts and ends where one of the two does."""
    hull = a.hull(b)
    assert hull.start == min(a.start, b.start)
    assert hull.end == max(a.end, b.end)
    assert _days(a) | _days(b) <= _days(hull)


@given(st.lists(spans, max_size=8))
def test_union_holds_the_same_days_sorted_and_apart(found: list[Span]) -> None:
    """A union loses no day, adds none, and no two of its spans touch."""
    merged = union(found)
    assert set().union(*map(_days, merged)) == set().union(*map(_days, found))
    assert all(a.end < b.start for a, b in pairwise(merged))
    assert not any(span.empty for span in merged)


@given(spans, st.integers(0, 9), st.integers(0, 9))
def test_widen_adds_days_at_both_ends(span: Span, before: int, after: int) -> None:
    """Widening adds exactly so many days in front and behind."""
    wide = span.widen(before, after)
    assert (span.start - wide.start).days == before
    assert (wide.end - span.end).days == after


def test_a_span_is_half_open() -> None:
    """The end is the first day outside, and the last day is inside."""
    span = Span(date(2024, 2, 28), date(2024, 3, 1))
    assert date(2024, 2, 28) in span
    assert span.last == date(2024, 2, 29)
    assert date(2024, 3, 1) not in span
    assert Span.day(date(2024, 2, 29)).last == date(2024, 2, 29)


def test_days_stop_at_the_first_and_last_date() -> None:
    """Arithmetic at the ends of the calendar stops there and does not raise."""
    assert plus_days(date.min, -1) == date.min
    assert plus_days(date.max, 5) == date.max
    assert Span.all().widen(400, 400) == Span.all()
    assert plus_days(date(2024, 2, 28), 2) == date(2024, 3, 1)


def test_an_empty_span_holds_no_day() -> None:
    """A span that ends where it starts is empty and meets nothing."""
    empty = Span(ORIGIN, ORIGIN)
    assert empty.empty
    assert not empty.intersects(Span.all())
    assert union([empty]) == []
