"""Rules against what was usual: by what was known then, whatever came since."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from handlers.rules import jumps, rests, slips

FIRST = date(2024, 1, 1)
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
LATER = SEEN + timedelta(days=30)


def _days(*closes: float | None, **more: Any) -> list[dict[str, Any]]:
    return [{"close": c, **more} for c in closes]


@pytest.mark.parametrize(
    ("closes", "found"),
    [
        ([47.0, 47.5, 47.2, 47.6, 4766.0, 47.7], [5]),
        ([47.0, 47.5, 47.2, 47.6, 0.4766, 47.7], [5]),
        ([47.0, 47.5, 47.2, 47.6, -47.0, 47.7], [5]),
        ([47.0, 47.5, 47.2, 47.6, 60.0, 47.7], []),
        ([47.0, 47.5, 4766.0, 47.6], []),
        ([47.0, 47.5, 47.2, 47.6, None, 47.7], []),
        ([1.0, 1.1, 1.2, 0.0, 1.1], [4]),
        ([0.0, 0.0, 0.0, 0.0, 1.0], [5]),
    ],
)
def test_a_jump_is_far_from_what_is_usual(
    fails: Any, closes: list[float | None], found: list[int]
) -> None:
    """One line is far from the median before it; with fewer than three nothing is said."""
    assert fails(_days(*closes), jumps.jump, limit=0.38) == found


def test_what_is_turned_away_says_usual_and_limit(judge: Any, rows: Any) -> None:
    """The numbers stand beside the name, and what it looks like."""
    lines = rows(*_days(47.0, 47.5, 47.2, 47.6, 4735.0))
    slip = (slips.unit_slip, {"with": {"near": 0.1}})
    (row,) = judge(lines, jumps.jump, slip, limit=0.38).tail(1).rows(named=True)
    assert row["rules"] == "jump,unit_slip"
    assert row["expected"] == (
        "found 4735; usual 47.35, limit 46%; found 4735; usual 47.35: looks like x100"
    )


@pytest.mark.parametrize(
    "factor", [100, 22.0462, 2204.62, 36.7437, 39.3683, 0.01, 1 / 36.7437]
)
def test_a_slip_between_units_is_named(fails: Any, factor: float) -> None:
    """Each factor is found, up and down; half as much again is none."""
    closes = [50.0, 50.5, 49.5, 50.0, 50.2 * factor, 75.0]
    assert fails(_days(*closes), slips.unit_slip, near=0.1) == [5]


def test_degrees_fahrenheit_among_celsius(fails: Any) -> None:
    """Twenty degrees are 68; a warm day and an empty one are no slip."""
    closes = [19.0, 20.0, 21.0, 68.0, 31.0, None]
    assert fails(_days(*closes), slips.fahrenheit, near=5, far=32) == [4]


def test_rates_are_measured_in_points(fails: Any) -> None:
    """From 0.08 to 0.33 percent is a step of the Fed; 4.28 to 42.8 is another unit."""
    steps = [0.08, 0.08, 0.08, 0.33, 0.83, 1.58]
    points = {"limit": 2.5, "points": True}
    assert fails(_days(*steps), jumps.jump, **points) == []
    assert fails(_days(4.2, 4.3, 4.2, 42.8, None), jumps.jump, **points) == [4]
    assert fails(_days(-0.2, -0.1, 0.0, 0.1, -2.7), jumps.jump, **points) == [5]


def test_a_rate_a_hundred_times_as_high(fails: Any) -> None:
    """Also where 4.2 and 0.042 lie within any number of points."""
    rates = [4.2, 4.3, 4.2, 0.042, 4.1, None]
    assert fails(_days(*rates), slips.percent_slip, near=0.05) == [4]


def test_an_odd_change_is_one_beside_the_changes_before(fails: Any) -> None:
    """A series that rested may move as far as the floor says."""
    walk = [10.0, 10.2, 10.1, 10.3, 10.2, 14.0]
    assert fails(_days(*walk), jumps.odd_change, limit=10, floor=0.01) == [6]
    rest = [10.0, 10.0, 10.0, 10.0, 10.5, None]
    assert fails(_days(*rest), jumps.odd_change, limit=10, floor=0.01) == []
    assert fails(_days(*rest), jumps.odd_change, limit=4, floor=0.01) == [5]


@pytest.mark.parametrize(
    ("bar", "kept"),
    [
        ({"open": 17.73, "high": 17.85, "low": -40.32}, True),
        ({"open": 1773.0, "high": 1785.0, "low": -40.32}, False),
        ({"open": 17.73, "high": 17.85, "low": 16.0}, False),
        ({"open": None, "high": 17.85, "low": -40.32}, False),
    ],
)
def test_a_bar_that_fell_on_its_day_is_flagged_and_kept(
    judge: Any, rows: Any, bar: dict[str, Any], *, kept: bool
) -> None:
    """Crude oil opened at 17.73 and closed at -37.63: that is in the bar itself."""
    lines = rows(*_days(20.1, 19.9, 20.0, 18.3), {"close": -37.63, **bar})
    (row,) = judge(lines, jumps.jump, limit=1.12).tail(1).rows(named=True)
    assert (row["rules"], row["flags"]) == ((None, "jump") if kept else ("jump", None))


@pytest.mark.parametrize(
    ("provider", "close", "kept"),
    [("two", 80.5, True), ("one", 80.5, False), ("two", 82.0, False)],
)
def test_another_provider_confirms_and_a_copy_does_not(
    judge: Any, rows: Any, provider: str, close: float, *, kept: bool
) -> None:
    """Two sources of one provider are one word, said twice."""
    usual = _days(40.0, 41.0, 40.5, 40.2)
    day = {"date": FIRST + timedelta(days=4)}
    other = {"raw": "raw.two", "source": "two", "provider": provider, "close": close}
    lines = rows(*usual, {"close": 80.6, **day}, {**day, **other})
    (row,) = judge(lines, jumps.jump, limit=0.38).filter(line=5).rows(named=True)
    assert (row["rules"] is None, row["flags"] == "jump") == (kept, kept)


def _vintages() -> list[dict[str, Any]]:
    """Ten days of an index, and a month later the same days in another base year."""
    day = [{"date": FIRST + timedelta(days=i)} for i in range(10)]
    return [
        *({**d, "close": 100.0 + i} for i, d in enumerate(day)),
        *(
            {
                **d,
                "close": 3 * (100.0 + i),
                "as_of": LATER,
                "batch": 2,
                "sha256": "b" * 64,
            }
            for i, d in enumerate(day)
        ),
    ]


def test_a_rebased_vintage_is_no_jump_and_makes_none(fails: Any) -> None:
    """Each line is held against the values that were known when it was seen."""
    lines = _vintages()
    assert fails(lines, jumps.jump, limit=0.38) == []
    # One line of the old base that comes with the rebased file is far from its neighbours.
    assert fails(
        [*lines[:15], {**lines[15], "close": 107.0}], jumps.jump, limit=0.38
    ) == [16]


def test_the_order_of_lines_changes_no_verdict(judge: Any, rows: Any) -> None:
    """Whatever came first, the same lines are turned away for the same numbers."""
    lines = rows(*_vintages(), {"date": FIRST + timedelta(days=10), "close": 9.0})
    there = judge(lines, jumps.jump, limit=0.38).sort("line")
    for seed in range(5):
        other = judge(
            lines.sample(fraction=1.0, shuffle=True, seed=seed), jumps.jump, limit=0.38
        )
        assert other.sort("line").equals(there)


def test_a_late_row_is_held_against_what_was_before_it(fails: Any) -> None:
    """A day that comes late is judged by the days before its date, and judges none."""
    lines = [
        {**each, "date": FIRST + timedelta(days=i)}
        for i, each in enumerate(_days(*[47.0] * 9))
    ]
    late = {**lines.pop(4), "as_of": LATER, "batch": 2}
    assert fails([*lines, {**late, "close": 470.0}], jumps.jump, limit=0.38) == [9]
    assert fails([*lines, late], jumps.jump, limit=0.38) == []


def test_lines_that_repeat_share_the_verdict_of_the_first(
    judge: Any, rows: Any
) -> None:
    """A repetition that was stored says nothing that the first line did not."""
    lines = _days(47.0, 47.5, 47.2, 47.6, 4766.0)
    again = {**lines[4], "date": FIRST + timedelta(days=4), "as_of": LATER, "batch": 2}
    out = judge(rows(*lines, again), jumps.jump, limit=0.38)
    assert out["rules"].to_list() == [None] * 4 + ["jump"] * 2


def test_what_is_not_finished_or_rejected_is_nobodys_neighbour(fails: Any) -> None:
    """Neither counts towards what is usual, nor is the first judged."""
    odd = [{"close": 500.0, "provisional": True}, {"close": 500.0, "rejected": True}]
    lines = [*_days(47.0, 47.1, 47.2), *odd * 3, {"close": 47.0}]
    assert fails(lines, jumps.jump, limit=0.38) == []


def test_the_number_back_shortens_the_window(fails: Any) -> None:
    """Monthly values need a longer look than daily ones; none is longer than the read."""
    lines = _days(47.0, 47.1, 47.2)
    late = {"close": 470.0, "date": FIRST + timedelta(days=20)}
    assert fails([*lines, late], jumps.jump, limit=0.38, back=25) == [4]
    assert fails([*lines, late], jumps.jump, limit=0.38, back=15) == []
    assert fails([*lines, late], jumps.jump, limit=0.38, back=400) == [4]


def test_neighbours_lie_inside_the_window(fails: Any) -> None:
    """Beyond `back` days nothing is usual any more."""
    far = {"close": 470.0, "date": FIRST + timedelta(days=35)}
    assert fails([*_days(47.0, 47.1, 47.2), far], jumps.jump, limit=0.38) == []


def test_a_value_that_rests_too_long(fails: Any) -> None:
    """The fourth equal value is one too many after two; zeros have a rule of their own."""
    assert fails(_days(5.0, 5.0, 5.0, 5.0, None, 6.0), rests.stale_run, most=2) == [4]
    assert fails(_days(0.0, 0.0, 0.0, 5.0, 5.0, 5.0), rests.zero_run, most=1) == [3]


def test_a_bar_copied_to_the_next_day(fails: Any) -> None:
    """Cell for cell the same, with trade: a copy. Without volume a market may rest."""
    bar = {"open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "volume": 7.0}
    flat = {**bar, "high": 1.5, "low": 1.5, "open": 1.5}
    assert fails([flat, flat], rests.stale_bar) == []
    other = {**bar, "volume": 8.0}
    assert fails([bar, bar, other, bar], rests.stale_bar) == [2]
    quiet = {**bar, "volume": None}
    assert fails([quiet, quiet], rests.stale_bar) == []


def test_a_released_line_is_staged_with_a_mark_and_is_usual(
    judge: Any, rows: Any
) -> None:
    """A person's word outweighs plausibility, also for a repetition of the line."""
    lines = _days(47.0, 47.5, 47.2, 47.6, 80.0)
    free = {**lines[4], "released": True, "date": FIRST + timedelta(days=4)}
    again = {**free, "released": False, "as_of": LATER, "batch": 2}
    out = judge(rows(*lines[:4], free, again), jumps.jump, limit=0.38)
    assert out["rules"].to_list() == [None] * 6
    assert out["flags"].to_list() == [None] * 4 + ["released"] * 2
    assert out.filter(pl.col("expected").is_not_null()).height == 0
