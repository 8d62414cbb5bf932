"""F29, F30, F32, F33 and the rates of quarantine: history that is not there, or twice.

Each fault is planted into a calendar of sessions that passes without it; rows are never
counted for coverage.
"""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from cbi_stream.lake.canonical import canonical
from cbi_stream.words.errors import BrokenContract
from handlers.gates.columns import no_dead_columns
from handlers.gates.coverage import coverage, no_hole
from handlers.gates.keys import no_twins
from handlers.gates.quarantined import quarantine_rate, quarantine_rate_of_history
from tests.failures.frames import (
    FIRST,
    assert_fails,
    assert_passes,
    column,
    effect,
    market,
    partition,
    registry,
)

WHERE = {"symbol": "ZL"}
COVER = {
    "column": "close",
    "least": 0.9,
    "month_least": 0.7,
    "since": FIRST,
    "where": WHERE,
    "from_first_row": False,
}
HOLE = {name: COVER[name] for name in COVER if "least" not in name} | {"most": 5}
RATE = {"most": 0.05, "most_of": {"raw.weather": 0.1}, "tolerated": 5}
PRICES = partition("staging.prices")


def bars():
    """Return the market's bars, and those of another symbol."""
    rows = market().with_columns(symbol=pl.lit("ZL"))
    return rows.vstack(rows.with_columns(symbol=pl.lit("ZS")))


def without(first, last):
    """Return the bars without those of the target between two days."""
    gone = pl.col("date").is_between(first, last) & (pl.col("symbol") == "ZL")
    return bars().filter(~gone)


def test_f29_a_hole_of_many_sessions():
    """Ten months without the target fail, and eight sessions too, whatever the rows."""
    assert_passes(coverage, bars(), PRICES, **COVER)
    assert_passes(no_hole, bars(), PRICES, **HOLE)
    crisis = without(date(2016, 1, 4), date(2016, 10, 21))
    assert crisis.height > 1000
    assert_fails(coverage, crisis, PRICES, at="2016-01-04", **COVER)
    assert_fails(no_hole, crisis, PRICES, at="2016-01-04 to 2016-10-21", **HOLE)
    weeks = without(date(2017, 3, 6), date(2017, 3, 15))
    assert_fails(no_hole, weeks, PRICES, at="8 sessions", **HOLE)
    assert_passes(no_hole, without(date(2017, 3, 6), date(2017, 3, 10)), PRICES, **HOLE)


def test_f29_a_month_that_is_thin():
    """A month with half of its sessions fails, though the years are nearly whole."""
    rows = bars().with_columns(
        close=pl.when(
            (pl.col("date").dt.strftime("%Y-%m") != "2016-05")
            | (pl.col("date").dt.day() % 2 == 0)
        ).then("close")
    )
    assert_passes(no_hole, rows, PRICES, **HOLE)
    assert_fails(coverage, rows, PRICES, at="2016-05", **COVER)


def test_f29_a_history_that_begins_in_the_middle():
    """Of a table with a row a session, what lies before its first row is no hole."""
    grid = bars().filter(symbol="ZL").drop("symbol")
    numbers = {"where": {}, "from_first_row": True}
    late = grid.filter(pl.col("date") >= date(2016, 6, 1))
    assert_passes(coverage, late, partition(), **(COVER | numbers))
    assert_passes(no_hole, late, partition(), **(HOLE | numbers))
    assert_fails(coverage, late, partition(), at="2015", **(COVER | {"where": {}}))
    gone = pl.col("date") < date(2016, 6, 1)
    holed = grid.with_columns(close=pl.when(~gone).then("close"))
    assert_fails(no_hole, holed, partition(), at="2015", **(HOLE | numbers))


def test_f29_nothing_at_all():
    """No price at all, NaN for prices and no calendar fail; before the date nothing does."""
    for empty in (None, float("nan")):
        rows = bars().with_columns(close=pl.lit(empty, dtype=pl.Float64))
        assert_fails(coverage, rows, PRICES, at="2015-01-02", **COVER)
        assert_fails(no_hole, rows, PRICES, at="2015-01-02", **HOLE)
        later = {**COVER, "since": date(2019, 1, 1)}
        assert_passes(coverage, rows, PRICES, **later)
    nowhere = partition("staging.prices", sessions=())
    assert not coverage(bars(), nowhere, **COVER).passed
    assert not no_hole(bars(), nowhere, **HOLE).passed


def test_f29_the_newest_month_may_miss_its_newest_session():
    """One missing session is no thin month, and no thin year of three sessions."""
    day = PRICES.sessions[-1]
    short = partition("staging.prices", sessions=PRICES.sessions[-3:])
    assert_passes(coverage, without(day, day), short, **COVER)


def test_f30_rows_that_a_join_doubled():
    """A date with two rows fails: a join with several regions a day makes such."""
    rows = market()
    assert_passes(no_twins, rows, partition())
    regions = pl.DataFrame(
        {"date": [rows["date"][4]] * 2, "rain": [0.0, 12.0]}, schema_overrides={}
    )
    joined = rows.join(regions, on="date", how="left")
    assert_fails(no_twins, joined, partition(), at=str(rows["date"][4]))


def test_f32_a_join_that_adds_nothing():
    """A column that was joined on keys that never match is null on every row."""
    numbers = {"table": "features.master", "most_null": 0.5, "may_be_null": ()}
    rows = column("alpha", seed=41)
    assert_passes(no_dead_columns, {"features.master": rows}, effect(), **numbers)
    keyed = rows.select("date", "alpha", symbol=pl.lit("ZS"))
    nothing = (
        market()
        .with_columns(symbol=pl.lit("ZL"))
        .join(keyed, on=["date", "symbol"], how="left")
    )
    assert_fails(
        no_dead_columns,
        {"features.master": nothing},
        effect(),
        at="alpha: 100.0 %",
        **numbers,
    )


def test_f33_a_key_twice():
    """A table with a key twice is refused before any check sees it."""
    contract = registry().contracts["features.master"]
    kinds = {"float": pl.Float64, "int": pl.Int64, "bool": pl.Boolean}
    kinds |= {"string": pl.String}
    columns = {
        name: pl.Series([None], dtype=kinds[col.type])
        for name, col in contract.columns.items()
        if name != "date"
    }
    row = pl.DataFrame({"date": [date(2015, 1, 2)], **columns})
    assert canonical(row, contract).height == 1
    with pytest.raises(BrokenContract, match="once"):
        canonical(row.vstack(row), contract)


def test_a_source_of_which_too_many_lines_were_turned_away():
    """Over 5 % of a source's lines fails, also where the other sources are clean."""
    rows = bars()
    good = {"raw.yahoo": {"staged": 950, "quarantined": 40, "unused": 10}}
    assert_passes(quarantine_rate, rows, partition(fates=good), **RATE)
    bad = {**good, "raw.yfinance": {"staged": 90, "quarantined": 10}}
    assert_fails(quarantine_rate, rows, partition(fates=bad), at="raw.yfinance", **RATE)
    unused = {"raw.yahoo": {"staged": 50, "quarantined": 6, "unused": 900}}
    assert_fails(quarantine_rate, rows, partition(fates=unused), at="raw.yahoo", **RATE)
    weather = {"raw.weather": {"staged": 92, "quarantined": 8}}
    assert_passes(quarantine_rate, rows, partition(fates=weather), **RATE)
    few = {"raw.yahoo": {"staged": 1, "quarantined": 3}}
    assert_passes(quarantine_rate, rows, partition(fates=few), **RATE)
    assert not quarantine_rate(rows, partition(), **RATE).passed
    derived = partition("staging.documents", counts_lines=False)
    assert_passes(quarantine_rate, rows, derived, **RATE)


def test_all_history_of_which_too_much_was_turned_away():
    """Over 10 % of all lines fails; nothing counted at all fails as well."""
    good = {"raw.yahoo": {"staged": 95, "quarantined": 5}}
    assert_passes(quarantine_rate_of_history, {}, effect(fates=good), most=0.1)
    bad = {**good, "raw.fred": {"staged": 80, "quarantined": 20}}
    assert_fails(
        quarantine_rate_of_history, {}, effect(fates=bad), at="raw.fred", most=0.1
    )
    assert not quarantine_rate_of_history({}, effect(), most=0.1).passed
    twice = {"raw.yahoo": {"staged": 95, "quarantined": 5, "duplicate": 100}}
    one, other = (
        quarantine_rate_of_history({}, effect(fates=fates), most=0.1)
        for fates in (good, twice)
    )
    assert one == other, "a manifest would say other numbers than a rebuild"
