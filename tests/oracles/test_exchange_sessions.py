"""Labels that wait for a settlement, counted with the exchange's own file as calendar.

The counts up to 2019-11-05 come from an outside reading that had no calendar and took
the days of the exchange's price file together with those of the price history. It
shows where this project's calendar gives another answer, and that each is meant.
"""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cbi_stream.lake.lake import Lake
from tests.oracles import real_lake, rules

END = date(2019, 11, 5).toordinal()  # the last row of the exchange's file

BY_PRICE_FILES = {"1w": 109, "1m": 135, "3m": 127, "6m": 110, "12m": 81}
BY_CALENDAR = {"1w": 109, "1m": 134, "3m": 127, "6m": 110, "12m": 81}

# Every label on which the two differ, by the day that one takes for a session.
REPEATED_PRICE = {
    "2001-12-24": {
        "1w": ["2001-12-17"],
        "1m": ["2001-11-23"],
        "3m": ["2001-09-24", "2001-09-25"],
        "6m": ["2001-06-25", "2001-06-27"],
        "12m": ["2000-12-22"],
    },
    "2006-11-23": {
        "1w": ["2006-11-16"],
        "1m": ["2006-10-24"],
        "3m": ["2006-08-25"],
        "12m": ["2005-11-23"],
    },
}
CARRIED_SETTLEMENT = {
    "2007-01-02": {
        "1w": ["2006-12-26"],
        "1m": ["2006-11-30", "2006-12-01"],
        "3m": ["2006-10-02", "2006-10-03", "2006-10-04"],
        "6m": ["2006-07-05", "2006-07-06"],
        "12m": ["2005-12-30"],
    },
    "2012-04-06": {
        "1w": ["2012-03-30"],
        "1m": ["2012-03-07"],
        "12m": ["2011-04-07"],
    },
}


@pytest.fixture(scope="module")
def days(lake: Lake) -> rules.Days:
    """Return the priced days of the lake up to the end of the exchange's file."""
    priced = real_lake.content(lake, "staging.prices").drop_nulls("close")
    found = rules.ordinals(priced["date"])
    return found[found <= END]


@pytest.fixture(scope="module")
def settled(real: Path) -> rules.Days:
    """Return the days since 2000 with a row in the exchange's file."""
    with (real / "quandl_chris" / "ZL.csv").open(newline="") as lines:
        rows = [r for r in csv.DictReader(lines) if r["Settle"] and r["Date"] >= "2000"]
    return rules.ordinals(date.fromisoformat(row["Date"]) for row in rows)


@pytest.mark.parametrize("name", rules.HORIZONS)
def test_both_calendars_give_the_known_number_of_unsettled_labels(
    lake: Lake, days: rules.Days, settled: rules.Days, name: str
) -> None:
    """The outside count is reproduced exactly, and so is the one by the calendar."""
    by_files = _labels(np.union1d(settled, days), days, name)
    by_calendar = _labels(rules.ordinals(lake.registry.sessions.days), days, name)
    assert rules.counts(by_files)[2] == BY_PRICE_FILES[name]
    assert rules.counts(by_calendar)[2] == BY_CALENDAR[name]


@pytest.mark.parametrize("name", rules.HORIZONS)
def test_the_calendars_differ_on_four_closed_days_alone(
    lake: Lake, days: rules.Days, settled: rules.Days, name: str
) -> None:
    """Each deviating label was due on one of four days that were no session.

    2001-12-24 and 2006-11-23 (the Monday before Christmas, Thanksgiving): the history
    repeats the close of the day before, so the files' calendar calls the label
    resolved by a price that nobody traded. The next session is in a gap of the
    history: unresolved.

    2007-01-02 (day of mourning) and 2012-04-06 (Good Friday): the exchange's file
    carries a settlement over and the history has no price, so the files' calendar
    calls the label unsettled. The next session has a close: resolved.

    At one month five labels differ, two of the first kind and three of the second:
    135 becomes 134. At the other horizons both kinds are equally many.
    """
    by_files = _labels(np.union1d(settled, days), days, name)
    by_calendar = _labels(rules.ordinals(lake.registry.sessions.days), days, name)
    found: dict[tuple[str, str, str], list[str]] = {}
    for (base, due, one), (_, _, other) in zip(by_files, by_calendar, strict=True):
        if one != other:
            key = (str(rules.day_of(due)), one, other)
            found.setdefault(key, []).append(str(rules.day_of(base)))
    both = (rules.RESOLVED, rules.MISSING)
    expected = {
        (day, *both): bases[name]
        for day, bases in REPEATED_PRICE.items()
        if name in bases
    } | {
        (day, *both[::-1]): bases[name]
        for day, bases in CARRIED_SETTLEMENT.items()
        if name in bases
    }
    assert found == expected


def test_most_empty_rows_are_days_with_a_settlement_elsewhere(
    lake: Lake, settled: rules.Days
) -> None:
    """139 of the 205 rows without a close have one in the exchange's file."""
    prices = real_lake.content(lake, "staging.prices")
    empty = rules.ordinals(prices.filter(pl.col("close").is_null())["date"])
    assert len(empty) == 205
    assert int(np.isin(empty, settled).sum()) == 139


def _labels(
    grid: rules.Days, days: rules.Days, name: str
) -> list[tuple[int, int, str]]:
    return rules.calendar_rule(grid, days, days, rules.HORIZONS[name])
