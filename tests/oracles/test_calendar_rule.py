"""The product's labels follow the exchange's calendar, and differ where they must.

Every expected label is computed here from sessions and closes by numpy, then compared
with the stored table row by row; the counts are besides those known from outside.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest

from cbi_stream.lake.lake import Lake
from tests.oracles import real_lake, rules

# resolved, open, without a settlement; every priced session is a base
COUNTS = {
    "1w": (5_078, 5, 115),
    "1m": (5_039, 21, 138),
    "3m": (5_006, 62, 130),
    "6m": (4_966, 121, 111),
    "12m": (4_867, 250, 81),
}

# Days on which the file has a price although the exchange made no settlement.
CLOSED_BUT_PRICED = (
    "2001-09-11",
    "2001-09-12",
    "2001-12-24",
    "2002-12-24",
    "2004-06-11",
    "2004-12-31",
    "2005-11-24",
    "2006-11-23",
)

# base, horizon, session that resolves it, close there, log return
RESOLVED_SPOTS = [
    ("2008-02-29", "1m", "2008-03-31", 51.48, -0.28052),
    ("2008-02-29", "12m", "2009-03-02", 30.10, -0.81719),
    ("2016-02-29", "3m", "2016-05-31", 31.82, 0.03779),
]

UNRESOLVED_SPOTS = [
    # The hole of 2003 in the file: the simple rule would take 2003-12-29.
    ("2003-11-14", "1m", "2003-12-15", "missing_settlement"),
    # The file has no close on these two sessions themselves.
    ("2019-12-24", "12m", "2020-12-23", "missing_base"),
    ("2020-12-24", "12m", "2021-12-27", "missing_base"),
    # The session before the second one has a close, and matures after the file ends.
    ("2020-12-23", "12m", "2021-12-23", "open"),
]


@pytest.fixture(scope="module")
def priced(lake: Lake) -> pl.DataFrame:
    """Return the days and closes that the lake has."""
    return real_lake.content(lake, "staging.prices").drop_nulls("close")


@pytest.fixture(scope="module")
def labels(lake: Lake) -> pl.DataFrame:
    """Return every stored label."""
    return real_lake.content(lake, "labels.forward")


def sessions_of(lake: Lake) -> rules.Days:
    """Return the calendar as ordinals."""
    return rules.ordinals(lake.registry.sessions.days)


@pytest.mark.parametrize("name", rules.HORIZONS)
def test_labels_are_what_sessions_and_closes_give(
    lake: Lake, priced: pl.DataFrame, labels: pl.DataFrame, name: str
) -> None:
    """Each base, maturity, outcome, price and return equals a second computation."""
    grid, days = sessions_of(lake), rules.ordinals(priced["date"])
    base = days[np.isin(days, grid)]
    expected = rules.calendar_rule(grid, base, days, rules.HORIZONS[name])
    assert rules.counts(expected) == COUNTS[name]

    stored = labels.filter(
        pl.col("horizon") == name, pl.col("base_price").is_not_null()
    )
    assert _states(stored) == expected
    closes = dict(zip(days.tolist(), priced["close"].to_list(), strict=True))
    for row in stored.filter("resolved").iter_rows(named=True):
        origin = closes[row["date"].toordinal()]
        target = closes[row["matures_on"].toordinal()]
        assert (row["base_price"], row["target_price"]) == (origin, target)
        assert row["target_log_return"] == pytest.approx(np.log(target / origin), 1e-12)
        assert row["target_up"] == (target > origin)
    unresolved = stored.filter(~pl.col("resolved"))
    for column in ("target_price", "target_log_return", "target_up"):
        assert unresolved[column].null_count() == unresolved.height


def test_every_session_of_the_span_has_a_label_of_each_horizon(
    lake: Lake, priced: pl.DataFrame, labels: pl.DataFrame
) -> None:
    """The table is dense: 5,345 sessions, 147 of them without a close as base."""
    first, last = priced["date"].min(), priced["date"].max()
    inside = [day for day in lake.registry.sessions.days if first <= day <= last]
    assert len(inside) == 5_345
    for name in rules.HORIZONS:
        rows = labels.filter(pl.col("horizon") == name)
        assert rows["date"].to_list() == inside
        no_base = rows.filter(pl.col("base_price").is_null())
        assert no_base.height == 147
        assert set(no_base["reason"]) == {"missing_base"}


@pytest.mark.parametrize(
    ("name", "shifted"), [("1w", 5), ("1m", 4), ("3m", 4), ("6m", 2), ("12m", 2)]
)
def test_each_difference_to_the_simple_rule_has_a_reason(
    lake: Lake, priced: pl.DataFrame, name: str, shifted: int
) -> None:
    """Base closed, target without a settlement, or the simple target a closed day."""
    grid, days = sessions_of(lake), rules.ordinals(priced["date"])
    closed = {str(rules.day_of(d)) for d in days[~np.isin(days, grid)]}
    assert closed == set(CLOSED_BUT_PRICED)

    horizon = rules.HORIZONS[name]
    base = days[np.isin(days, grid)]
    by_calendar = {
        b: (due, state)
        for b, due, state in rules.calendar_rule(grid, base, days, horizon)
    }
    made = rules.simple_rule(days, horizon)
    reasons: Counter[str] = Counter()
    for b, target in zip(days[made.base], days[made.target], strict=True):
        due, state = by_calendar.pop(int(b), (0, "base is no session"))
        if state == rules.RESOLVED and due != target:
            assert str(rules.day_of(target)) in closed
            state = "simple target is no session"
        reasons[state] += 1
    # What is left has no simple label either: nothing of it may be resolved.
    assert {state for _, state in by_calendar.values()} == {rules.OPEN}

    resolved, _, missing = COUNTS[name]
    assert reasons == {
        "base is no session": len(CLOSED_BUT_PRICED),
        rules.MISSING: missing,
        "simple target is no session": shifted,
        rules.RESOLVED: resolved - shifted,
    }


@pytest.mark.parametrize(("day", "name", "matures", "close", "change"), RESOLVED_SPOTS)
def test_known_labels_are_resolved(
    labels: pl.DataFrame, day: str, name: str, matures: str, close: float, change: float
) -> None:
    """Leap days and month ends land on the session and close that are known."""
    row = _label(labels, day, name)
    assert (str(row["matures_on"]), row["target_price"]) == (matures, close)
    assert row["resolved"]
    assert row["reason"] is None
    assert row["target_log_return"] == pytest.approx(change, abs=5e-6)


@pytest.mark.parametrize(("day", "name", "matures", "reason"), UNRESOLVED_SPOTS)
def test_known_labels_stay_unresolved(
    labels: pl.DataFrame, day: str, name: str, matures: str, reason: str
) -> None:
    """A label without its price says why, and names the session that it waits for."""
    row = _label(labels, day, name)
    assert (str(row["matures_on"]), row["reason"]) == (matures, reason)
    assert not row["resolved"]
    assert row["target_price"] is None


def test_the_simple_rule_would_have_filled_the_hole(priced: pl.DataFrame) -> None:
    """From 2003-11-14, one month on, the next close is that of 2003-12-29."""
    days = rules.ordinals(priced["date"])
    made = rules.simple_rule(days, 30)
    targets = {
        str(rules.day_of(days[b])): days[t]
        for b, t in zip(made.base, made.target, strict=True)
    }
    assert str(rules.day_of(targets["2003-11-14"])) == "2003-12-29"


def _states(rows: pl.DataFrame) -> list[tuple[int, int, str]]:
    return [
        (day.toordinal(), due.toordinal(), reason or rules.RESOLVED)
        for day, due, reason in rows.select("date", "matures_on", "reason").iter_rows()
    ]


def _label(labels: pl.DataFrame, day: str, name: str) -> dict[str, object]:
    here = (pl.col("date").cast(pl.String) == day) & (pl.col("horizon") == name)
    return labels.filter(here).row(0, named=True)
