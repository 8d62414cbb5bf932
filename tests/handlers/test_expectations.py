"""Expectations of rows: each sees its planted fault, passes without it, and fails blind."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from cbi_stream import Finding, Subject
from handlers.gates import expectations as e

FIRST = date(2019, 12, 2)
DAYS = [d for i in range(60) if (d := FIRST + timedelta(days=i)).weekday() < 5]
SUBJECT = Subject("export", sessions=tuple(DAYS))
T = "features.master"
STEPS = ((FIRST, 0.9),)

CLEAN = pl.DataFrame(
    {
        "date": DAYS,
        "close": [40.0 + i for i in range(len(DAYS))],
        "regime": ["a" if i < 20 else "b" for i in range(len(DAYS))],
        "weight": [50 if i < 20 else 100 for i in range(len(DAYS))],
        "symbol": ["ZL" if i % 2 else "ZS" for i in range(len(DAYS))],
    }
)
NUMBERS: dict[str, dict[str, Any]] = {
    "expect_date_range": {"first_by": DAYS[0], "last_from": DAYS[-1]},
    "expect_zl_rows_gte": {"column": "close", "steps": STEPS},
    "expect_total_rows_gte": {"at_least": 1.0},
    "expect_rows_preserved": {},
    "expect_total_cols_gte": {"least": 5},
    "expect_no_duplicate_dates": {},
    "expect_regime_cardinality_gte": {"least": 2},
    "expect_weight_range": {"low": 50, "high": 100, "least_effective": 0.8},
    "expect_symbols_count_gte": {"least": 2},
}


def _find(name: str, rows: pl.DataFrame, **more: Any) -> Finding:
    gate, numbers = getattr(e, name), NUMBERS[name] | more
    if not gate.whole:
        return gate(rows, SUBJECT, **numbers)
    return gate({T: rows}, SUBJECT, table=T, **numbers)


def _without(column: str, where: pl.Expr) -> pl.DataFrame:
    return CLEAN.with_columns(pl.when(~where).then(column).alias(column))


row = pl.int_range(pl.len())
LAST = str(DAYS[-1])
FAULTS: list[tuple[str, pl.DataFrame, str, str]] = [
    # the expectation, its fault, what the first place says, what the finding says
    ("expect_date_range", CLEAN[1:], "2019-12-03 is the first", "2019-12-03 to"),
    ("expect_date_range", CLEAN[:-1], "is the last date", "2019-12-02 to"),
    # F29: a hole of three weeks that a count of rows would not see
    (
        "expect_zl_rows_gte",
        _without("close", row.is_between(2, 6)),
        "2019 rows=17 sessions=22",
        "least in 2019: 17 of 22",
    ),
    (
        "expect_zl_rows_gte",
        CLEAN.with_columns(
            pl.when(row > 30).then(float("nan")).otherwise("close").alias("close")
        ),
        "2020 rows=9",
        "least in 2020",
    ),
    ("expect_total_rows_gte", CLEAN.filter(row != 3), "2019 rows=21", "21 of 22"),
    (
        "expect_rows_preserved",
        CLEAN.filter(row != 3),
        "2019-12-05 is missing",
        "43 rows",
    ),
    (
        "expect_rows_preserved",
        pl.concat([CLEAN, CLEAN[:1].with_columns(date=pl.lit(date(2019, 12, 7)))]),
        "2019-12-07 is no session",
        "45 rows",
    ),
    # F30: two rows for one session
    (
        "expect_rows_preserved",
        pl.concat([CLEAN, CLEAN[3:4]]),
        "2019-12-05 stands several times",
        "45 rows",
    ),
    (
        "expect_no_duplicate_dates",
        pl.concat([CLEAN, CLEAN[3:4]]),
        "2019-12-05 rows=2",
        "1 several times",
    ),
    ("expect_total_cols_gte", CLEAN.drop("weight"), f"{T} columns=4", "4 columns"),
    # F28: one placeholder regime on every row
    (
        "expect_regime_cardinality_gte",
        CLEAN.with_columns(regime=pl.lit("allhistory")),
        "only allhistory",
        "1 regimes",
    ),
    (
        "expect_regime_cardinality_gte",
        _without("regime", row == 1),
        "2019-12-03 regime=None",
        "2 regimes",
    ),
    (
        "expect_weight_range",
        CLEAN.with_columns(weight=pl.col("weight") - 1),
        "2019-12-02 weight=49",
        "49 to 99",
    ),
    # bounded above, too
    (
        "expect_weight_range",
        CLEAN.with_columns(weight=pl.when(row == 43).then(101).otherwise("weight")),
        f"{LAST} weight=101",
        "50 to 101",
    ),
    ("expect_weight_range", _without("weight", row == 0), "weight=None", "effective"),
    (
        "expect_symbols_count_gte",
        CLEAN.with_columns(
            symbol=pl.when(row < 22).then("symbol").otherwise(pl.lit("ZL"))
        ),
        "2020 symbols=1",
        "1 in the poorest",
    ),
]


@pytest.mark.parametrize(("name", "fault", "place", "found"), FAULTS)
def test_a_planted_fault_is_seen_and_its_clean_twin_passes(
    name: str, fault: pl.DataFrame, place: str, found: str
) -> None:
    """The finding says what was found and where; the same rows without it pass."""
    seen, clean = _find(name, fault), _find(name, CLEAN)
    assert clean.passed, clean
    assert clean.places == ()
    assert found in seen.found
    assert not seen.passed
    assert place in seen.places[0]


NEEDED = [
    (name, column)
    for name, columns in {
        **dict.fromkeys(NUMBERS, ("date",)),
        "expect_zl_rows_gte": ("date", "close"),
        "expect_regime_cardinality_gte": ("date", "regime"),
        "expect_weight_range": ("date", "weight"),
        "expect_symbols_count_gte": ("date", "symbol"),
    }.items()
    for column in columns
]


@pytest.mark.parametrize(("name", "column"), NEEDED)
def test_a_missing_column_fails(name: str, column: str) -> None:
    """F22: what is not there is never a pass."""
    found = _find(name, CLEAN.drop(column))
    assert not found.passed
    assert column in found.found


@pytest.mark.parametrize("name", NUMBERS)
def test_an_empty_or_absent_table_fails(name: str) -> None:
    """No row, and no table at all."""
    assert not _find(name, CLEAN.clear()).passed
    if getattr(e, name).whole:
        absent = getattr(e, name)({}, SUBJECT, table=T, **NUMBERS[name])
        assert not absent.passed
        assert T in absent.expected


@pytest.mark.parametrize(
    "name", ["expect_rows_preserved", "expect_total_rows_gte", "expect_zl_rows_gte"]
)
def test_without_the_calendar_nothing_is_shown(name: str) -> None:
    """Rows that are held against no session have shown nothing."""
    gate = getattr(e, name)
    assert not gate({T: CLEAN}, Subject("export"), table=T, **NUMBERS[name]).passed


def test_five_places_at_most() -> None:
    """A finding shows the first of many."""
    found = _find("expect_rows_preserved", CLEAN.filter((row % 2 == 0) | (row > 40)))
    assert len(found.places) == 5
    assert found.places[0] == "2019-12-03 is missing"


def test_shares_rise_with_time() -> None:
    """Old years may be thin: each date's share counts from there on."""
    thin = _without("close", row.is_between(2, 6))
    steps = ((FIRST, 0.7), (date(2020, 1, 1), 1.0))
    assert _find("expect_zl_rows_gte", thin, steps=steps).passed
    late = _without("close", row == 40)
    found = _find("expect_zl_rows_gte", late, steps=steps)
    assert found.places == ("2020 rows=21 sessions=22",)


def test_the_effective_sample_size_is_said_and_held() -> None:
    """Weights from 50 to 5000 leave few of 44 rows, and the finding says how few."""
    heavy = CLEAN.with_columns(weight=pl.when(row == 0).then(5000).otherwise(50))
    found = _find("expect_weight_range", heavy, high=5000)
    assert not found.passed
    assert "effective sample size 2: " in found.found
    assert _find("expect_weight_range", heavy, high=5000, least_effective=0.01).passed
