"""F04, F05, F13, F14, F15: columns that say nothing, or say what another one says.

Each fault is planted into a column that passes without it; no check sees its neighbours.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from handlers.gates.columns import (
    no_constant_columns,
    no_copied_columns,
    no_dead_columns,
)
from handlers.gates.nulls import no_critical_nulls
from handlers.gates.placeholders import placeholder_share, zero_runs
from tests.failures.frames import (
    FIRST,
    assert_fails,
    assert_passes,
    column,
    effect,
    partition,
)

MASTER = "features.master"
SHARE = {"table": MASTER, "most": 0.3, "longest": 60, "may_repeat": ("*_flag",)}
STILL = {"least_rows": 60, "may_be_constant": ("fixed",)}
DEAD = {"table": MASTER, "most_null": 0.5, "may_be_null": ()}
COPIES = {"table": MASTER, "least_rows": 60, "may_be_equal": ("*_age_days",)}
ZEROS = {"column": "value", "by": "series", "longest": 10, "may_be_zero": ("*.rain",)}


def walk():
    """Return a price and a second column that walks by itself."""
    return column("china", seed=5, level=0.4)


def test_f04_a_half_where_nothing_was_known():
    """A half on half of the rows fails, wherever it stands; a null does not."""
    rows = walk()
    every_other = pl.int_range(pl.len()) % 2 == 0
    known = pl.when(every_other).then("china")
    assert_passes(placeholder_share, {MASTER: rows}, effect(), **SHARE)
    assert_passes(
        placeholder_share, {MASTER: rows.with_columns(china=known)}, effect(), **SHARE
    )
    fake = rows.with_columns(china=known.otherwise(0.5))
    assert_fails(placeholder_share, {MASTER: fake}, effect(), at="china: 0.5", **SHARE)


def test_f04_a_constant_tail():
    """Few rows of all, but too many in a row; a flag may repeat itself."""
    rows = walk()
    tail = pl.int_range(pl.len()) >= pl.len() - 90
    fake = rows.with_columns(china=pl.when(tail).then(0.4).otherwise("china"))
    assert_fails(placeholder_share, {MASTER: fake}, effect(), at="90 equal", **SHARE)
    flag = rows.with_columns(holiday_flag=1.0)
    assert_passes(placeholder_share, {MASTER: flag}, effect(), **SHARE)


def test_f05_two_features_that_are_one():
    """A copy fails, also in another unit, upside down, or where both have gaps."""
    rows = walk()
    assert_passes(no_copied_columns, {MASTER: rows}, effect(), **COPIES)
    gaps = pl.int_range(pl.len()) % 7 > 0
    for copy in (
        pl.col("china"),
        pl.col("china") * 100,
        1 - pl.col("china"),
        pl.when(gaps).then("china"),
    ):
        fake = rows.with_columns(tariff=copy)
        assert_fails(no_copied_columns, {MASTER: fake}, effect(), at="tariff", **COPIES)
    ages = rows.with_columns(a_age_days=pl.col("china"), b_age_days=pl.col("china"))
    assert_passes(no_copied_columns, {MASTER: ages}, effect(), **COPIES)


def test_f13_a_snapshot_posing_as_history():
    """One value on every row of a year fails; a short year and a named column may."""
    rows = walk().filter(pl.col("date").dt.year() == 2015)
    assert_passes(no_constant_columns, rows, partition(), **STILL)
    pe = rows.with_columns(pe_ratio=14.2)
    assert_fails(no_constant_columns, pe, partition(), at="pe_ratio=14.2", **STILL)
    gappy = pe.with_columns(
        pe_ratio=pl.when(pl.int_range(pl.len()) % 2 == 0).then("pe_ratio")
    )
    assert_fails(no_constant_columns, gappy, partition(), at="pe_ratio=14.2", **STILL)
    assert_passes(no_constant_columns, pe.head(20), partition(), **STILL)
    assert_passes(
        no_constant_columns, rows.with_columns(fixed=1.0), partition(), **STILL
    )


def test_f13_a_snapshot_over_all_history():
    """A column that is constant over all years fails, whatever its nulls."""
    rows = walk()
    assert_passes(no_dead_columns, {MASTER: rows}, effect(), **DEAD)
    fake = rows.with_columns(beta=0.7)
    assert_fails(no_dead_columns, {MASTER: fake}, effect(), at="beta=0.7", **DEAD)


def test_f14_a_column_without_values():
    """All null, mostly null and NaN fail; what began late is not missing before."""
    rows = walk()
    late = rows.with_columns(
        late=pl.when(pl.col("date").dt.year() > 2017).then("china")
    )
    assert_passes(no_dead_columns, {MASTER: late}, effect(), **DEAD)
    few = pl.int_range(pl.len()) % 3 == 0
    for dead in (
        pl.lit(None, dtype=pl.Float64),
        pl.lit(float("nan")),
        pl.when(few).then("china"),
    ):
        fake = rows.with_columns(dead=dead)
        assert_fails(no_dead_columns, {MASTER: fake}, effect(), at="dead", **DEAD)


def test_f14_a_critical_column_with_holes():
    """A null and a NaN count alike, from the date on; an absent column fails."""
    rows = walk()
    numbers = {"columns": ("close",), "since": FIRST, "most": 0, "where": {}}
    assert_passes(no_critical_nulls, rows, partition(), **numbers)
    for hole in (None, float("nan")):
        fake = rows.with_columns(
            close=pl.when(pl.int_range(pl.len()) == 3).then(hole).otherwise("close")
        )
        day = str(rows["date"][3])
        assert_fails(no_critical_nulls, fake, partition(), at=day, **numbers)
        later = {**numbers, "since": date(2016, 1, 1)}
        assert_passes(no_critical_nulls, fake, partition(), **later)
    assert_fails(
        no_critical_nulls, rows.drop("close"), partition(), at="close", **numbers
    )


def test_f15_zeros_where_nothing_was_found():
    """Managed money of zero on every row fails; rain may be zero for weeks."""
    days = walk()["date"].head(60)
    counted = pl.DataFrame(
        {
            "series": ["007601.managed_money_net"] * 60,
            "date": days,
            "value": [float(i % 9) for i in range(60)],
        }
    )
    assert_passes(zero_runs, counted, partition("staging.cftc"), **ZEROS)
    zeros = counted.with_columns(value=0.0)
    assert_fails(zero_runs, zeros, partition("staging.cftc"), at="60 zeros", **ZEROS)
    rain = zeros.with_columns(series=pl.lit("USW00014839.rain"))
    assert_passes(zero_runs, rain, partition("staging.ghcn"), **ZEROS)


def test_f15_zeros_of_two_series_are_no_run():
    """Two series with five zeros each are no ten in a row, whatever the order of rows."""
    days = walk()["date"].head(8)
    rows = pl.concat(
        pl.DataFrame({"series": [name] * 8, "date": days, "value": [0.0] * 8})
        for name in ("b", "a")
    )
    numbers = {**ZEROS, "may_be_zero": ()}
    assert_passes(zero_runs, rows, partition("staging.cftc"), **numbers)
    assert_fails(
        zero_runs,
        rows,
        partition("staging.cftc"),
        at="8 zeros",
        **{**numbers, "longest": 7},
    )
