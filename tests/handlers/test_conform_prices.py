"""Bars: on the tick, as last corrected, never before their release."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from cbi_stream import Conformed
from cbi_stream.registry.spec import Spec
from handlers.conform.prices import prices

DAY = date(2024, 5, 1)
RELEASED = datetime(2024, 5, 1, 20, tzinfo=UTC)  # 15:00 in Chicago, in summer
Line = Callable[..., dict[str, Any]]
Conform = Callable[..., pl.DataFrame]


def _raw(line: dict[str, Any]) -> str:
    """Return the table of a line: one without an adjusted close is of the second source."""
    return "raw.yahoo" if "adj_close" in line else "raw.yfinance"


@pytest.fixture
def whole(spec: Spec, rows_of: Any, decided: Any) -> Callable[..., Conformed]:
    """Return a function from raw lines and decisions to all that is made of them."""

    def made(*lines: dict[str, Any], decisions: Any = ()) -> Conformed:
        first = [each for each in lines if _raw(each) == "raw.yahoo"]
        second = [each for each in lines if _raw(each) == "raw.yfinance"]
        found = prices(
            yahoo=rows_of("raw.yahoo", first),
            yfinance=rows_of("raw.yfinance", second),
            decisions=decided(*decisions, raw=_raw),
            spec=spec,
        )
        assert isinstance(found, Conformed)
        return found

    return made


@pytest.fixture
def conform(whole: Callable[..., Conformed], fits: Any) -> Conform:
    """Return a function from raw lines and decisions to staged bars."""

    def staged(*lines: dict[str, Any], decisions: Any = ()) -> pl.DataFrame:
        made = whole(*lines, decisions=decisions)
        assert made.fates.height == len(lines), "P5: each line has one fate"
        return fits("staging.prices", made.staged)

    return staged


@pytest.fixture
def bar(line: Line) -> Line:
    """Return a function that makes a raw line of ZL with one price in all cells."""

    def make(day: date = DAY, price: str | None = "45.5", **cells: Any) -> Any:
        four = dict.fromkeys(("open", "high", "low", "close", "adj_close"), price)
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
    assert conform(bar(price=written, symbol="CL"))["close"].to_list() == [price]


def test_every_tick_survives_the_providers_floats(conform: Conform, bar: Line) -> None:
    """Each price of the tick comes back exactly, whatever 32 bits do to it."""
    cents = range(1, 20_000, 17)
    # Each is the only bar of a contract of its own: none is far from what is usual.
    names = [f"CL{'FGHJKMNQUVXZ'[i % 12]}{i // 12:02d}" for i, _ in enumerate(cents)]
    written = [f"{np.float32(c / 100):.6f}" for c in cents]
    bars = zip(names, written, strict=True)
    found = conform(*[bar(price=w, symbol=n, line=i) for i, (n, w) in enumerate(bars)])
    closes = dict(found.select("symbol", "close").rows())
    assert [closes[name] for name in names] == [c / 100 for c in cents]


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
    first = bar(price="45.499999", as_of=RELEASED + timedelta(days=2))
    noise = bar(price="45.500002", batch=2, as_of=RELEASED + timedelta(days=3))
    assert conform(first, noise).equals(conform(first))
    assert conform(first, noise)["basis"].to_list() == ["rule"]


@pytest.mark.parametrize("cell", ["open", "high", "low", "close"])
def test_any_other_price_is_a_correction(
    conform: Conform, bar: Line, cell: str
) -> None:
    """A bar is corrected by any of its prices."""
    later = bar(batch=2, as_of=RELEASED + timedelta(days=900), **{cell: "46"})
    assert conform(bar(as_of=RELEASED), later)["basis"].to_list() == ["correction"]


def test_volume_is_missing_until_it_is_final(conform: Conform, bar: Line) -> None:
    """It is counted one weekday later; that it comes then is no correction."""
    soon = bar(volume="900", as_of=RELEASED)
    (row,) = conform(soon).rows(named=True)
    assert (row["close"], row["volume"]) == (45.5, None)
    later = bar(volume="1000", batch=2, as_of=RELEASED + timedelta(days=1))
    (row,) = conform(soon, later).rows(named=True)
    assert (row["volume"], row["basis"]) == (1000, "rule")


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


@pytest.mark.parametrize(
    ("rule", "cells"),
    [
        ("off_tick", {"close": "45.505"}),
        ("not_a_number", {"open": "45,5"}),
        ("not_a_number", {"volume": "1e9"}),
        ("not_a_number", {"high": "NaN"}),
        ("weekend", {"day": date(2024, 5, 4)}),
        ("future_date", {"day": date(2024, 7, 5)}),
        ("unreadable", {"problem": "cells: expected 7 cells", "text": "2024-05-01,4"}),
    ],
)
def test_a_line_that_breaks_a_rule_is_turned_away(
    whole: Callable[..., Conformed], bar: Line, fits: Any, rule: str, cells: Any
) -> None:
    """It stands in the quarantine with the rule's name and what was found."""
    day = cells.pop("day", DAY)
    made = whole(bar(day, **cells))
    assert made.staged.height == 0
    assert made.fates["fate"].to_list() == ["quarantined"]
    (row,) = fits("quarantine.prices", made.quarantined).rows(named=True)
    assert row["rules"] == rule
    assert (cells.get("text") or next(iter(cells.values()), "45.5")) in row["found"]


def test_a_line_names_every_rule_that_it_breaks(
    whole: Callable[..., Conformed], bar: Line
) -> None:
    """A price off the tick on a Saturday is wrong twice."""
    made = whole(bar(date(2024, 5, 4), close="45.505"))
    assert made.quarantined["rules"].to_list() == ["off_tick,weekend"]


def test_a_date_twice_in_a_file_with_other_content_stands_for_nothing(
    whole: Callable[..., Conformed], conform: Conform, bar: Line
) -> None:
    """Nobody can tell which one is meant; the version before stays."""
    good = bar(price="45.5", as_of=RELEASED)
    later = {"batch": 2, "as_of": RELEASED + timedelta(days=2)}
    one = bar(price="46", line=1, **later)
    other = bar(price="47", line=2, **later)
    made = whole(good, one, other)
    assert made.quarantined["rules"].to_list() == ["contradicted"] * 2
    assert conform(good, one, other)["close"].to_list() == [45.5]
    same = bar(price="46", line=2, **later)
    assert conform(good, one, same)["close"].to_list() == [46.0]


def test_a_close_outside_its_range_is_a_flag_and_no_fault(
    conform: Conform, bar: Line
) -> None:
    """The close stays: it is the price that is forecast."""
    (row,) = conform(bar(high="45.4")).rows(named=True)
    assert (row["close"], row["ohlc_breach"]) == (45.5, True)
    assert conform(bar())["ohlc_breach"].to_list() == [False]
    assert conform(bar(open="null"))["ohlc_breach"].to_list() == [None]


@pytest.fixture
def second(bar: Line) -> Line:
    """Return a function that makes a line of the source that speaks second."""

    def make(*args: Any, **cells: Any) -> dict[str, Any]:
        made = bar(*args, **cells)
        made.pop("adj_close")
        return made

    return make


def test_the_first_source_speaks_and_gaps_fall_through(
    conform: Conform, bar: Line, second: Line
) -> None:
    """Cell by cell: what the first leaves empty, the second says."""
    first = bar(price="45.5", open="null", volume="null")
    other = second(price="46", volume="900")
    (row,) = conform(first, other).rows(named=True)
    found = [row[n] for n in ("open", "high", "low", "close", "volume")]
    assert found == [46.0, 45.5, 45.5, 45.5, 900]
    assert row["source"] == "yahoo"
    (row,) = conform(bar(price="null"), other).rows(named=True)
    assert (row["close"], row["source"]) == (46.0, "yfinance")


def test_sources_that_agree_stand_together(
    conform: Conform, bar: Line, second: Line
) -> None:
    """Below the tick they agree: exchanging their order would change nothing."""
    (row,) = conform(bar(price="45.499999"), second(price="45.500002")).rows(named=True)
    assert (row["close"], row["source"]) == (45.5, "yahoo+yfinance")


def test_a_rejected_line_stands_in_the_quarantine_with_its_reason(
    whole: Callable[..., Conformed], bar: Line
) -> None:
    """Who rejected it, and why."""
    bad = bar(price="99.9")
    made = whole(bad, decisions=[(bad, "reject")])
    (row,) = made.quarantined.rows(named=True)
    assert row["rules"] == "rejected"
    assert "ada: because" in row["found"]


@pytest.mark.parametrize(
    ("symbol", "price", "stands"),
    [
        ("ZL", "0.4711", False),
        ("ZL", "4711", False),
        ("ZL", "9.99", False),
        ("ZL", "10", True),
        ("ZL", "150", True),
        ("CL", "-37.63", True),
        ("ZLZ25", "0.5", False),
        ("ZLZ25", "50.5", True),
        ("TNX", "42.87", False),
    ],
)
def test_a_price_in_another_unit_is_turned_away(
    whole: Callable[..., Conformed], bar: Line, symbol: str, price: str, *, stands: bool
) -> None:
    """What cannot be a close in the symbol's unit is quarantined, and never rescaled."""
    made = whole(bar(price=price, symbol=symbol))
    assert made.staged["close"].to_list() == ([float(price)] if stands else [])
    if not stands:
        found = made.quarantined.row(0, named=True)
        assert "implausible" in found["rules"].split(",")
        assert "another unit?" in found["found"]


def test_an_index_of_forty_thousand_keeps_its_cents(
    conform: Conform, bar: Line
) -> None:
    """A float of 32 bits misses a large index by a fifth of a cent: it is no other price."""
    written = repr(float(np.float32(42_732.13)))
    assert conform(bar(price=written, symbol="DJI"))["close"].to_list() == [42_732.13]


def test_a_price_without_a_tick_is_staged_as_printed(
    conform: Conform, bar: Line
) -> None:
    """Adjusted funds and currencies come back to the last digit, beside rounded ones."""
    fund, oil = "19.462567864641347", "17.049999"
    found = conform(bar(price=fund, symbol="DBC_ADJUSTED"), bar(price=oil, batch=2))
    assert dict(found.select("symbol", "close").iter_rows()) == {
        "DBC_ADJUSTED": float(fund),
        "ZL": 17.05,
    }


def test_contracts_are_known_by_root_month_and_year(
    whole: Callable[..., Conformed], bar: Line
) -> None:
    """ZLZ25 is staged on the tick of ZL; a month that is none, and one digit, are unused."""
    named = ("ZLZ25", "ZLX25", "ZLZ5", "RSX25", "MPCV25")
    made = whole(
        *[
            bar(price="300", symbol=n, batch=i)
            for i, n in enumerate(named[3:], start=1)
        ],
        *[bar(symbol=n, batch=i) for i, n in enumerate(named[:3], start=4)],
    )
    assert made.staged["symbol"].to_list() == ["MPCV25", "RSX25", "ZLZ25"]
    fates = made.fates["fate"].to_list()
    assert fates.count("unused") == 2


def test_only_symbols_without_a_tick_and_no_lines_at_all(
    conform: Conform, bar: Line
) -> None:
    """A slice may hold one kind of symbol, or nothing; both are conformed."""
    assert conform().height == 0
    assert conform(bar(price="0.0067", symbol="JPYUSD"))["close"].to_list() == [0.0067]
