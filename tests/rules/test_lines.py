"""Rules of single lines: each with its fault, a line without it, and an empty cell."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handlers.rules import (
    announcements,
    bars,
    contradictions,
    dates,
    numbers,
    ranges,
    ticks,
)

SATURDAY = date(2024, 1, 6)
SEEN = datetime(2024, 6, 1, tzinfo=UTC)
BAR = {"open": 10.0, "high": 11.0, "low": 9.0, "close": 10.5}
CASES: list[tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    (numbers.not_a_number, {"numbers": False}, {"numbers": True}, {}),
    (numbers.infinite, {"close": float("inf")}, {"close": 1.0}, {}),
    (numbers.infinite, {"close": float("nan")}, {"close": -1.0}, {}),
    (ranges.within, {"close": 4711.0}, {"close": 47.0}, {"low": 10, "high": 150}),
    (ranges.within, {"close": 9.99}, {"close": 10.0}, {"low": 10, "high": 150}),
    (ticks.off_tick, {"ticks_off": 0.5}, {"ticks_off": 0.01}, {"most": 0.02}),
    (dates.weekend, {"date": SATURDAY}, {"date": date(2024, 1, 5)}, {}),
    (dates.closed_day, {"session": False, "close": 1.0}, {"close": 1.0}, {}),
    (
        dates.future_date,
        {"possible_at": SEEN + timedelta(days=1)},
        {"possible_at": SEEN},
        {},
    ),
    (
        dates.not_a_date,
        {"effective_on": "2024-13-01", "effective_at": None},
        {"effective_on": "2024-12-01", "effective_at": date(2024, 12, 1)},
        {},
    ),
    (contradictions.contradicted, {"unlike": True}, {"unlike": False}, {}),
    (bars.ohlc, {**BAR, "close": 11.01}, BAR, {}),
    (bars.ohlc, {**BAR, "open": 8.99}, BAR, {}),
    (bars.close_off_bar, {**BAR, "close": 13.0}, {**BAR, "close": 11.1}, {"far": 0.1}),
    (announcements.not_announced, {"stamp": None}, {"stamp": SEEN}, {}),
    (
        announcements.future_announcement,
        {"stamp": SEEN + timedelta(hours=25)},
        {"stamp": SEEN + timedelta(hours=23)},
        {"early_hours": 24},
    ),
    (announcements.no_kind, {"kind": None}, {"kind": "tariff"}, {}),
    (announcements.uncited, {"citation": None}, {"citation": "No. 4"}, {}),
]


@pytest.mark.parametrize(("rule", "fault", "fine", "with_"), CASES)
def test_a_rule_finds_its_fault_and_nothing_else(
    fails: Any, rule: Any, fault: Any, fine: Any, with_: Any
) -> None:
    """The planted line fails, its clean twin passes, in the same frame."""
    assert fails([fault, fine], rule, **with_) == [1]


def test_a_range_that_cannot_be_one_says_nothing_of_the_close(fails: Any) -> None:
    """The bar is flagged by `ohlc`; its close is as good as any."""
    zeros = {**BAR, "high": 0.0, "low": 0.0}
    crossed = {**BAR, "low": 99.5}
    assert fails([zeros, crossed], bars.close_off_bar, far=0.1) == []
    assert fails([zeros, crossed], bars.ohlc) == [1, 2]


@pytest.mark.parametrize("cells", [{**BAR, "high": None}, {**BAR, "close": None}])
@pytest.mark.parametrize(
    ("rule", "with_"), [(bars.ohlc, {}), (bars.close_off_bar, {"far": 0.1})]
)
def test_a_bar_that_lacks_a_price_is_not_judged(
    fails: Any, rule: Any, with_: Any, cells: Any
) -> None:
    """There is nothing to lie outside of."""
    assert fails([cells], rule, **with_) == []


@pytest.mark.parametrize(
    ("rule", "with_"),
    [
        (numbers.infinite, {}),
        (ranges.within, {"low": 1, "high": 2}),
        (ticks.off_tick, {"most": 0.02}),
        (dates.closed_day, {}),
    ],
)
def test_an_empty_cell_breaks_no_rule_of_values(
    fails: Any, rule: Any, with_: Any
) -> None:
    """A session without a settlement is a fact."""
    assert fails([{"close": None, "session": False}], rule, **with_) == []


def test_what_cannot_be_told_fails(fails: Any) -> None:
    """A null verdict is no pass: nobody knows whether the cells are numbers."""
    assert fails([{"numbers": None}, {"numbers": True}], numbers.not_a_number) == [1]
    assert fails([{"unit": None, "close": 1.0}], ranges.implausible) == [1]


def test_an_implausible_price_says_its_unit(judge: Any, rows: Any) -> None:
    """What was expected stands in the words of universe.yaml."""
    told = {"plausible_low": 10.0, "plausible_high": 150.0}
    out = judge(
        rows({"close": 4711.0, **told}, {"close": 47.0, **told}), ranges.implausible
    )
    assert out["rules"].to_list() == ["implausible", None]
    assert "10 to 150 cents: is the file in another unit?" in out["expected"][0]
