"""What changed is found cell by cell, and told as dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.lake.change import (
    MOST_CHANGES,
    Cell,
    between_extents,
    changes,
    coalesce,
    first_cell,
)
from cbi_stream.lake.partition_map import Change
from cbi_stream.registry.contract import Contract
from cbi_stream.words.span import Span, union

Rows = Callable[..., pl.DataFrame]
ZONE = "America/Chicago"
DAYS = [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 5)]


def test_equal_content_has_no_change(rows: Rows, small: Contract) -> None:
    """Nulls equal nulls, and nothing is said of nothing."""
    frame = rows(DAYS, x=[1.0, None, 3.0])
    assert changes(frame, frame, small, zone=ZONE) == []
    assert first_cell(frame, frame, small) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [([1.0, 2.0, 3.0], [1.0, 2.5, 3.0]), ([1.0, 2.0, 3.0], [1.0, None, 3.0])],
)
def test_one_other_cell_is_one_date_and_is_named(
    rows: Rows, small: Contract, old: list[float], new: list[float]
) -> None:
    """A changed value, and a value that went missing, in either direction."""
    left, right = rows(DAYS, x=old), rows(DAYS, x=new)
    for a, b, cells in ((left, right, (old, new)), (right, left, (new, old))):
        found = changes(a, b, small, zone=ZONE)
        assert found == [Change(Span.day(DAYS[1]), columns=("x",))]
        key = {"date": DAYS[1], "name": "a"}
        expected = Cell(DAYS[1], key, "x", cells[0][1], cells[1][1])
        assert first_cell(a, b, small) == expected


def test_a_row_on_one_side_only_is_a_change(rows: Rows, small: Contract) -> None:
    """A row more or less changes its date, and the cell is called row."""
    left, right = rows(DAYS), rows(DAYS[:2])
    assert changes(left, right, small, zone=ZONE) == [Change(Span.day(DAYS[2]))]
    cell = first_cell(left, right, small)
    assert cell is not None
    assert (cell.column, cell.left, cell.right) == ("row", "present", "absent")
    cell = first_cell(right, left, small)
    assert cell is not None
    assert (cell.left, cell.right) == ("absent", "present")


def test_the_first_cell_is_first_by_date_then_key_then_column(
    rows: Rows, small: Contract
) -> None:
    """Of many differences the one to look at first is named."""
    days = [DAYS[0], DAYS[1], DAYS[1]]
    left = rows(days, name=["z", "b", "a"], x=[1.0] * 3, n=[1] * 3)
    right = rows(days, name=["z", "b", "a"], x=[1.0, 2.0, 1.0], n=[1, 2, 2])
    cell = first_cell(left, right, small)
    assert cell is not None
    assert (cell.key, cell.column) == ({"date": DAYS[1], "name": "a"}, "n")


def test_from_nothing_every_date_changed(rows: Rows, small: Contract) -> None:
    """A partition's first content is one interval from its first to its last date."""
    found = changes(rows([]), rows(DAYS), small, zone=ZONE)
    assert found == [Change(Span(DAYS[0], DAYS[-1] + timedelta(days=1)))]


def test_days_that_touch_are_one_interval(rows: Rows, small: Contract) -> None:
    """A gap between changed dates parts two intervals."""
    other = rows(DAYS, x=[float(i + 50) for i in range(len(DAYS))])
    found = changes(rows(DAYS), other, small, zone=ZONE)
    assert found == [
        Change(Span(DAYS[0], date(2024, 1, 4)), columns=("x",)),
        Change(Span.day(DAYS[2]), columns=("x",)),
    ]


def test_a_change_names_its_columns_unless_rows_came_or_went(
    rows: Rows, small: Contract
) -> None:
    """A reader of other columns need not look; a new row concerns every reader."""
    old = rows(DAYS[:2], x=[1.0, 1.0], n=[1, 1])
    new = rows(DAYS, x=[2.0, 1.0, 1.0], n=[1, 1, 1])
    assert changes(old, new, small, zone=ZONE) == [
        Change(Span.day(DAYS[0]), columns=("x",)),
        Change(Span.day(DAYS[2])),
    ]


def test_merged_changes_are_of_the_columns_of_both() -> None:
    """Nothing that one of them reached is lost by merging; any stays any."""
    far = [Span.day(date(2024, 1, 1) + timedelta(days=9 * i)) for i in range(3)]
    found = [Change(far[0], columns=("a",)), Change(far[1], columns=("b",))]
    assert coalesce(found, most=1) == [Change(far[0].hull(far[1]), None, ("a", "b"))]
    found = [Change(far[0], columns=("a",)), Change(far[1])]
    assert coalesce(found, most=1) == [Change(far[0].hull(far[1]))]
    touching = Span(far[0].start, far[0].end + timedelta(days=1))
    apart = [Change(touching, columns=("a",)), Change(far[0], columns=("b",))]
    assert len(coalesce(apart)) == 2


def test_a_change_is_knowable_from_the_earlier_of_both_rows(
    small: Contract, rows: Rows
) -> None:
    """An as-of reader sees it from the first local day on which either was known."""
    plain = small.model_dump()
    plain["columns"]["knowable_at"] = {"type": "time", "doc": "when"}
    contract = Contract.model_validate(plain)

    def known(hour: int, x: float) -> pl.DataFrame:
        at = datetime(2024, 3, 9, hour, tzinfo=UTC)
        frame = rows(DAYS[:1], x=[x]).with_columns(
            pl.Series("knowable_at", [at], dtype=schema_of(contract)["knowable_at"])
        )
        return canonical(frame, contract)

    # Five in the morning in UTC is the evening before in Chicago.
    early, late = known(5, 1.0), known(12, 2.0)
    day = Span.day(DAYS[0])
    both = ("knowable_at", "x")
    for old, new, first, columns in (
        (early, late, date(2024, 3, 8), both),
        (late, early, date(2024, 3, 8), both),
        (late.head(0), late, date(2024, 3, 9), None),
        (early, early.head(0), date(2024, 3, 8), None),
    ):
        found = changes(old, new, contract, zone=ZONE)
        assert found == [Change(day, first, columns)]


intervals = st.lists(
    st.builds(
        lambda start, length, known: Change(
            Span(
                date(2024, 1, 1) + timedelta(days=start),
                date(2024, 1, 1) + timedelta(days=start + length),
            ),
            known,
        ),
        st.integers(0, 400),
        st.integers(1, 3),
        st.dates(date(2024, 1, 1), date(2025, 12, 31)),
    ),
    max_size=90,
)


@settings(max_examples=60, deadline=None)
@given(intervals, st.integers(1, 70))
def test_coalesced_changes_lose_no_date_and_no_moment(
    found: list[Change], most: int
) -> None:
    """Fewer intervals hold every date, each known no later than before, sorted."""
    merged = coalesce(found, most)
    assert len(merged) <= most
    assert [c.span for c in merged] == sorted(c.span for c in merged)
    for change in found:
        home = [c for c in merged if c.span.hull(change.span) == c.span]
        assert any(c.known_from <= change.known_from for c in home)
    if len(merged) < most:
        assert union(c.span for c in merged) == union(c.span for c in found)


def test_the_nearest_intervals_are_merged_first() -> None:
    """Where too many intervals stand, the smallest gap goes."""
    days = [date(2024, 1, 1), date(2024, 1, 10), date(2024, 1, 12), date(2024, 3, 1)]
    found = coalesce([Change(Span.day(d)) for d in days], most=3)
    assert [(c.span.start.day, c.span.last.day) for c in found] == [
        (1, 1),
        (10, 12),
        (1, 1),
    ]


def test_a_commit_carries_at_most_64_intervals(rows: Rows, small: Contract) -> None:
    """A hundred single dates become 64 intervals, and every date is inside."""
    days = [date(2024, 1, 1) + timedelta(days=3 * i) for i in range(100)]
    other = rows(days, x=[float(i + 50) for i in range(len(days))])
    found = changes(rows(days), other, small, zone=ZONE)
    assert len(found) == MOST_CHANGES == 64
    assert all(any(day in c.span for c in found) for day in days)


extents = st.none() | st.builds(
    lambda a, n: Span(
        date(2024, 1, 1) + timedelta(days=a), date(2024, 1, 1) + timedelta(days=a + n)
    ),
    st.integers(0, 20),
    st.integers(1, 10),
)


@given(extents, extents)
def test_between_extents_holds_each_day_that_is_in_one_only(
    old: Span | None, new: Span | None
) -> None:
    """By how much an extent grew or shrank, at either end; equal ones not at all."""
    found = between_extents(old, new)
    for i in range(40):
        day = date(2024, 1, 1) + timedelta(days=i)
        sides = [day in span for span in (old, new) if span]
        if sides and any(sides) and not (len(sides) == 2 and all(sides)):
            assert any(day in span for span in found)
    if old == new:
        assert found == []
    if old and new and old.intersects(new):
        both = old.clip(new)
        assert not any(span.intersects(both) for span in found)
