"""Expectations of joined columns: a fault, its clean twin, and a column that is away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from cbi_stream import Finding, Subject
from handlers.gates import expected_columns as e

# Monday 3 June 2024 and nine weekdays after it.
DAYS = [
    d for i in range(14) if (d := date(2024, 6, 1) + timedelta(days=i)).weekday() < 5
]
T = "features.master"
NAN = float("nan")
row = pl.int_range(pl.len())
# Counted on Tuesday 4 June, out on Friday 7 June.
CLEAN = pl.DataFrame(
    {
        "date": DAYS,
        "cot_long": [None] * 4 + [7.0] * 6,
        "cot_long_age_days": [None] * 4 + [3, 6, 7, 8, 9, 10],
        "vix": [float(v) for v in range(10, 20)],
    }
)
COT: dict[str, Any] = {"columns": ("cot_long",)}
NUMBERS: dict[str, dict[str, Any]] = {
    "expect_columns_present": COT,
    "expect_columns_added": COT,
    "expect_columns_prefixed": {**COT, "prefix": "cot_"},
    "expect_null_rate_below": {**COT, "below": 0.1},
    "expect_no_nulls": {**COT, "since": DAYS[4]},
    "expect_match_rate_gte": {**COT, "at_least": 0.6},
    "expect_available_after": {**COT, "since": DAYS[4], "within_days": 0},
    "expect_age_gte": {**COT, "days": 3},
}


def _find(name: str, rows: pl.DataFrame, **more: Any) -> Finding:
    numbers = NUMBERS[name] | more
    return getattr(e, name)({T: rows}, Subject("export"), table=T, **numbers)


def _with(value: Any, where: pl.Expr, column: str = "cot_long") -> pl.DataFrame:
    changed = pl.when(where).then(value).otherwise(column)
    return CLEAN.with_columns(changed.cast(CLEAN.schema[column]).alias(column))


NOTHING = _with(None, row >= 0)
FAULTS: list[tuple[str, pl.DataFrame, str, str]] = [
    # the expectation, its fault, what the first place says, what the finding says
    (
        "expect_columns_added",
        CLEAN.with_columns(cot_long=pl.lit(None)),
        "cot_long has no type",
        "1",
    ),
    (
        "expect_columns_added",
        CLEAN.with_columns(vix_right=1.0),
        "vix_right is left over",
        "1",
    ),
    # a hole inside the span; a value that is no number is a hole too
    (
        "expect_null_rate_below",
        _with(None, row == 6),
        "2024-06-11 cot_long=None",
        "16.7",
    ),
    ("expect_null_rate_below", _with(NAN, row == 6), "2024-06-11 cot_long=nan", "16.7"),
    ("expect_null_rate_below", NOTHING, "cot_long has no value", "no value"),
    ("expect_no_nulls", _with(None, row == 9), "2024-06-14 cot_long=None", "1 nulls"),
    ("expect_no_nulls", _with(NAN, row == 4), "2024-06-07 cot_long=nan", "1 nulls"),
    # F32: a join on keys that nothing has adds nothing
    ("expect_match_rate_gte", NOTHING, "2024-06-14 cot_long=None", "cot_long 0.0 %"),
    ("expect_match_rate_gte", _with(None, row == 5), "2024-06-10", "cot_long 50.0 %"),
    (
        "expect_available_after",
        _with(7.0, row == 3),
        "2024-06-06 cot_long=7.0",
        "06-06",
    ),
    ("expect_available_after", _with(None, row == 4), "the first value on", "06-10"),
    ("expect_available_after", NOTHING, "cot_long: 0 values", "no value"),
    # the Tuesday join: the count stands on the row of the day it was taken
    (
        "expect_age_gte",
        _with(0, row == 4, "cot_long_age_days"),
        "2024-06-07 cot_long=7.0 cot_long_age_days=0",
        "cot_long 0 days",
    ),
    (
        "expect_age_gte",
        _with(None, row == 4, "cot_long_age_days"),
        "cot_long_age_days=None",
        "youngest",
    ),
    ("expect_age_gte", NOTHING, "cot_long: 0 values", "no value"),
]


@pytest.mark.parametrize(("name", "fault", "place", "found"), FAULTS)
def test_a_planted_fault_is_seen_and_its_clean_twin_passes(
    name: str, fault: pl.DataFrame, place: str, found: str
) -> None:
    """The finding says what was found and where; the same rows without it pass."""
    seen, clean = _find(name, fault), _find(name, CLEAN)
    assert clean.passed, clean
    assert not seen.passed
    assert place in seen.places[0]
    assert found in seen.found


def test_a_name_without_its_prefix_is_seen() -> None:
    """The join says its prefix, and every column of it begins so."""
    found = _find("expect_columns_prefixed", CLEAN, prefix="rate_")
    assert (found.passed, found.places) == (False, ("cot_long",))
    assert _find("expect_columns_prefixed", CLEAN).passed
    assert not _find("expect_columns_prefixed", CLEAN, columns=()).passed


@pytest.mark.parametrize("name", NUMBERS)
def test_a_missing_column_fails(name: str) -> None:
    """F22, F31: a column that was renamed is never a pass."""
    found = _find(name, CLEAN.rename({"cot_long": "managed_money_long"}))
    assert not found.passed
    assert "cot_long" in found.found


def test_a_missing_age_fails() -> None:
    """Without its age nobody can say whether a value is too young."""
    assert not _find("expect_age_gte", CLEAN.drop("cot_long_age_days")).passed


@pytest.mark.parametrize("name", NUMBERS)
def test_an_empty_or_absent_table_fails(name: str) -> None:
    """No row, and no table at all."""
    assert not _find(name, CLEAN.clear()).passed
    gate = getattr(e, name)
    assert not gate({}, Subject("export"), table=T, **NUMBERS[name]).passed


@pytest.mark.parametrize(
    "name", ["expect_no_nulls", "expect_match_rate_gte", "expect_null_rate_below"]
)
def test_a_span_without_rows_fails(name: str) -> None:
    """Counting from a day after the last row shows nothing."""
    assert not _find(name, CLEAN, since=date(2024, 7, 1)).passed


def test_nulls_before_the_first_date_do_not_count() -> None:
    """A series that began on 7 June missed nothing in the days before."""
    whole = _find("expect_match_rate_gte", CLEAN, at_least=0.9)
    since = _find("expect_match_rate_gte", CLEAN, at_least=0.9, since=DAYS[4])
    assert (whole.passed, since.passed) == (False, True)


def test_holes_are_told_from_an_early_end() -> None:
    """A series that stopped has no hole inside its span; its match rate falls."""
    ended = _with(None, row > 6)
    assert _find("expect_null_rate_below", ended).passed
    assert not _find("expect_match_rate_gte", ended).passed


def test_an_empty_column_is_let_through_only_in_so_many_words() -> None:
    """`least_values: 0` says that a lake may lack the source; a leak is seen all the same."""
    for name in ("expect_age_gte", "expect_available_after"):
        assert _find(name, NOTHING, least_values=0).passed
    early = _with(7.0, row == 3)
    late = {"within_days": None, "least_values": 0}
    assert not _find("expect_available_after", early, **late).passed
    assert _find("expect_available_after", _with(None, row < 9), **late).passed
