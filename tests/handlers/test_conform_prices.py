"""Bars: on the tick, as last corrected, never before their release."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from cbi_stream.registry.spec import Spec
from handlers.conform.prices import prices

DAY = date(2024, 5, 1)
RELEASED = datetime(2024, 5, 1, 20, tzinfo=UTC)  # 15:00 in Chicago, in summer
Line = Callable[..., dict[str, Any]]
Conform = Callable[..., pl.DataFrame]


@pytest.fixture
def conform(spec: Spec, rows_of: Any, decided: Any, fits: Any) -> Conform:
    """Return a function from raw lines and decisions to staged bars."""

    def staged(
        *lines: dict[str, Any], decisions: Any = (), canonical: bool = True
    ) -> pl.DataFrame:
        out = prices(
            yahoo=rows_of("raw.yahoo", list(lines)),
            decisions=decided(*decisions),
            spec=spec,
        )
        return fits("staging.prices", out) if canonical else out

    return staged


@pytest.fixture
def bar(line: Line) -> Line:
    """Return a function that makes a raw line of ZL with one price in all cells."""

    def make(day: date = DAY, price: str | None = "45.5", **cells: Any) -> Any:
        four = dict.fromkeys(("open", "high", "low", "close"), price)
        known = {"symbol": "ZL", "volume": "1000", **four, **cells}
        return line(day, known.pop("batch", 1), **known)

    return make


@pytest.mark.parametrize(
    ("written", "price"),
    [
        ("17.049999", 17.05),
        ("17.050001", 17.05),
        ("45.889999", 45.89),
        ("0.29", 0.29),
        ("1.15", 1.15),
        ("64.349998", 64.35),
        ("45", 45.0),
        ("90.599998", 90.6),
    ],
)
def test_a_price_is_the_double_nearest_to_its_decimal(
    conform: Conform, bar: Line, written: str, price: float
) -> None:
    """What a provider prints of a 32-bit float becomes the price that was traded."""
    assert conform(bar(price=written))["close"].to_list() == [price]


def test_every_tick_survives_the_providers_floats(conform: Conform, bar: Line) -> None:
    """Each price of the tick comes back exactly, whatever 32 bits do to it."""
    cents = range(1, 20_000, 13)
    days = [date(1990, 1, 1) + timedelta(days=i) for i in range(len(cents))]
    written = [f"{np.float32(c / 100):.6f}" for c in cents]
    found = conform(*[bar(d, price=w) for d, w in zip(days, written, strict=True)])
    assert found["close"].to_list() == [c / 100 for c in cents]


def test_a_bar_says_when_the_world_could_know_it(conform: Conform, bar: Line) -> None:
    """The release rule counts, also for history that is loaded years late."""
    (row,) = conform(bar(as_of=RELEASED + timedelta(days=900))).rows(named=True)
    assert (row["knowable_at"], row["basis"]) == (RELEASED, "rule")
    assert row["first_seen_at"] == RELEASED + timedelta(days=900)
    assert (row["source"], row["volume"]) == ("yahoo", 1000)


@pytest.mark.parametrize(
    ("day", "hour"), [(date(2024, 1, 3), 21), (date(2024, 6, 3), 20)]
)
def test_release_is_local_time(
    conform: Conform, bar: Line, day: date, hour: int
) -> None:
    """Three in the afternoon in Chicago is another hour of UTC in winter."""
    known = conform(bar(day))["knowable_at"][0]
    assert known == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def test_a_correction_wins_and_says_so(conform: Conform, bar: Line) -> None:
    """The newest value stands; it was knowable when the first one was."""
    (row,) = conform(
        bar(price="45.5", as_of=RELEASED),
        bar(price="46.0", batch=2, as_of=RELEASED + timedelta(days=30)),
    ).rows(named=True)
    assert (row["close"], row["basis"]) == (46.0, "correction")
    assert row["knowable_at"] == RELEASED
    assert row["first_seen_at"] == RELEASED + timedelta(days=30)


def test_the_later_as_of_wins_not_the_later_batch(conform: Conform, bar: Line) -> None:
    """An old file that is loaded late does not undo a newer one."""
    found = conform(
        bar(price="46.0", batch=1, as_of=RELEASED + timedelta(days=9)),
        bar(price="45.5", batch=2, as_of=RELEASED + timedelta(days=1)),
    )
    assert found["close"].to_list() == [46.0]


def test_noise_below_the_tick_is_no_version(conform: Conform, bar: Line) -> None:
    """The same bar with other sixth decimals changes nothing at all."""
    first = bar(price="45.499999", as_of=RELEASED)
    noise = bar(price="45.500002", batch=2, as_of=RELEASED + timedelta(days=3))
    assert conform(first, noise).equals(conform(first))
    assert conform(first, noise)["basis"].to_list() == ["rule"]


@pytest.mark.parametrize("cell", ["open", "high", "low", "close", "volume"])
def test_any_other_cell_is_a_correction(conform: Conform, bar: Line, cell: str) -> None:
    """A bar is corrected by any of its numbers, volume too."""
    later = bar(batch=2, as_of=RELEASED + timedelta(days=900), **{cell: "46"})
    assert conform(bar(as_of=RELEASED), later)["basis"].to_list() == ["correction"]


def test_an_unfinished_bar_is_never_staged(conform: Conform, bar: Line) -> None:
    """Seen a moment before its release it is left out, at the release it counts."""
    early = bar(price="45.0", as_of=RELEASED - timedelta(microseconds=1))
    assert conform(early).height == 0
    final = bar(price="45.5", batch=2, as_of=RELEASED)
    (row,) = conform(early, final).rows(named=True)
    # The unfinished one was no observation, so this one is not its correction.
    assert (row["close"], row["basis"]) == (45.5, "rule")


def test_a_rejected_line_is_out_and_back_after_withdrawal(
    conform: Conform, bar: Line
) -> None:
    """A decision uncovers the version before; taking it back restores the line."""
    good = bar(price="45.5", as_of=RELEASED)
    bad = bar(price="99.9", batch=2, as_of=RELEASED + timedelta(days=1))
    assert conform(good, bad)["close"].to_list() == [99.9]
    out = conform(good, bad, decisions=[(bad, "reject")])
    assert out.equals(conform(good))
    back = conform(good, bad, decisions=[(bad, "reject"), (bad, "withdraw")])
    assert back.equals(conform(good, bad))
    again = [(bad, "reject"), (bad, "withdraw"), (bad, "reject")]
    assert conform(good, bad, decisions=again).equals(conform(good))


def test_a_decision_meets_its_line_only(conform: Conform, bar: Line) -> None:
    """The same line number of another file, or another line, stays."""
    one, other = bar(price="45.5"), bar(price="46.0", batch=2)
    assert conform(one, decisions=[(other, "reject")]).equals(conform(one))
    next_day = bar(DAY + timedelta(days=1))
    assert conform(one, next_day, decisions=[(one, "reject")])["date"].to_list() == [
        DAY + timedelta(days=1)
    ]


@pytest.mark.parametrize("cell", ["null", "", None])
def test_a_row_without_prices_stays_as_nulls(
    conform: Conform, bar: Line, cell: str | None
) -> None:
    """A session without a settlement is a fact, however a provider writes it."""
    (row,) = conform(bar(price=cell, volume=cell)).rows(named=True)
    assert [row[n] for n in ("open", "high", "low", "close", "volume")] == [None] * 5
    assert row["basis"] == "rule"


def test_a_price_for_a_null_row_is_a_correction(conform: Conform, bar: Line) -> None:
    """Prices that come later mend the row, and may go missing again."""
    empty = bar(price="null", as_of=RELEASED)
    filled = bar(batch=2, as_of=RELEASED + timedelta(days=1))
    assert conform(empty, filled)["close"].to_list() == [45.5]
    gone = bar(price="null", batch=3, as_of=RELEASED + timedelta(days=2))
    assert conform(empty, filled, gone)["close"].to_list() == [None]


def test_other_symbols_are_unused(conform: Conform, bar: Line) -> None:
    """A symbol outside the universe stays in raw and fails nothing."""
    zz = bar(symbol="ZZ", price="1e9", volume="x")
    assert conform(bar(), zz).equals(conform(bar()))
    assert conform(zz).height == 0


def test_no_lines_give_no_bars(conform: Conform) -> None:
    """An empty slice is an empty table with the right columns."""
    assert conform().height == 0


def test_the_order_of_lines_does_not_matter(conform: Conform, bar: Line) -> None:
    """Whatever order files came in, equal times and batches are told apart."""
    lines = [
        bar(price=f"45.{i}", batch=i, as_of=RELEASED + timedelta(days=i % 2))
        for i in range(1, 7)
    ]
    assert conform(*lines).equals(conform(*reversed(lines)))
