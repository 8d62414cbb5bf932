"""Rules of batches, and which of several entries holds. Whole files fail, not single rows."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from cbi_stream import rule
from handlers.rules import batches, numbers, ranges

FIRST = date(2024, 1, 1)


def _file(closes: list[float | None], sha256: str = "a" * 64) -> list[dict[str, Any]]:
    return [
        {"close": c, "sha256": sha256, "date": FIRST + timedelta(days=i)}
        for i, c in enumerate(closes)
    ]


@pytest.mark.parametrize(
    ("rule", "closes", "fails_", "with_"),
    [
        (batches.constant_batch, [7.0] * 10, True, {"least": 10}),
        (batches.constant_batch, [7.0] * 9 + [None], False, {"least": 10}),
        (batches.constant_batch, [7.0] * 9 + [8.0], False, {"least": 10}),
        (
            batches.placeholder_share,
            [0.5] * 7 + [1.0, 2.0, 3.0],
            True,
            {"most": 0.6, "least": 10},
        ),
        (
            batches.placeholder_share,
            [0.5] * 5 + [1.0, 2.0, 3.0, 4.0, None],
            False,
            {"most": 0.6, "least": 9},
        ),
        (
            batches.two_levels,
            [98.0, 121.0, 98.5, 121.5, 98.2, 121.1, 98.4, 121.0],
            True,
            {"limit": 0.1, "times": 4, "least": 8},
        ),
        (
            batches.two_levels,
            [98.0, 98.5, 98.2, 121.0, 121.5, 121.1, 120.4, None],
            False,
            {"limit": 0.1, "times": 2, "least": 6},
        ),
    ],
)
def test_a_batch_fails_as_a_whole(
    fails: Any, rule: Any, closes: list[float | None], *, fails_: bool, with_: Any
) -> None:
    """Every row of the file goes, and no row of the file beside it."""
    beside = _file([1.0 + i for i in range(10)], "b" * 64)
    beside = [{**row, "date": row["date"] + timedelta(days=20)} for row in beside]
    found = fails([*_file(closes), *beside], rule, **with_)
    assert found == (list(range(1, len(closes) + 1)) if fails_ else [])


def test_a_batch_is_a_month_of_one_symbol(fails: Any) -> None:
    """Ten equal rows in two months, or of two symbols, are no batch of ten."""
    rows = _file([7.0] * 10)
    for i in range(5):
        rows[i]["date"] = date(2024, 2, 1 + i)
    assert fails(rows, batches.constant_batch, least=6) == []
    for i, row in enumerate(_file([7.0] * 10)):
        rows[i] = row | {"symbol": "ZS" if i < 5 else "ZL"}
    assert fails(rows, batches.constant_batch, least=6) == []


def test_rows_that_break_another_rule_are_no_part_of_a_batch(
    judge: Any, rows: Any
) -> None:
    """A line that is turned away already says nothing of the others."""
    odd = {"close": 8.0, "numbers": False, "date": date(2024, 1, 20)}
    lines = [*_file([7.0] * 9), odd]
    more = (numbers.not_a_number, {})
    out = judge(rows(*lines), batches.constant_batch, more, least=9)
    assert out["rules"].to_list() == ["constant_batch"] * 9 + ["not_a_number"]


def test_the_last_entry_about_a_row_counts(judge: Any, rows: Any) -> None:
    """By symbol and by era; `off` ends it."""
    lines = rows(
        {"close": 5.0},
        {"close": 5.0, "symbol": "ZS"},
        {"close": 5.0, "date": date(2030, 1, 1)},
        {"close": 5.0, "symbol": "CL"},
    )
    limits = {"low": 10, "high": 20}
    out = judge(
        lines,
        ranges.within,
        (ranges.within, {"on": {"symbols": ["ZS"]}, "with": {"low": 1, "high": 9}}),
        (ranges.within, {"from": "2029-01-01", "with": {"low": 5, "high": 9}}),
        (
            ranges.within,
            {"on": {"symbols": ["C*"]}, "with": limits, "severity": "flag"},
        ),
        (
            ranges.within,
            {"on": {"symbols": ["CL"]}, "severity": "off", "until": "2023-01-01"},
        ),
        **limits,
    )
    assert out["rules"].to_list() == ["within", None, None, None]
    assert out["flags"].to_list() == [None, None, None, "within"]
    assert out["expected"][0] == "found 5; expected 10 to 20"


def test_a_rule_that_is_off_for_all_rows_says_nothing(judge: Any, rows: Any) -> None:
    """Also where it is the only one of its phase."""
    out = judge(rows({"close": 7.0}), batches.constant_batch, severity="off", least=1)
    assert out["rules"].to_list() == [None]


def test_a_bad_cell_is_lost_and_the_bar_stays(judge: Any, rows: Any) -> None:
    """Only the close is worth the line."""
    on = {"cells": ["volume", "open"]}
    limits = {"low": 0, "high": 100}
    lines = rows(
        {"close": 5.0, "volume": -7.0, "open": 4.0},
        {"close": -5.0, "volume": 7.0, "open": None},
    )
    out = judge(
        lines, ranges.within, (ranges.within, {"on": on, "with": limits}), **limits
    )
    assert out["rules"].to_list() == ["volume:within", "within"]
    assert out["lost"].to_list() == ["volume", None]
    assert out.select("open", "close", "volume").rows() == [
        (4.0, 5.0, None),
        (None, -5.0, 7.0),
    ]


def test_a_null_verdict_fails(fails: Any) -> None:
    """A rule that forgets the empty cell turns it away: a null is no pass."""

    @rule()
    def forgetful(cell: Any) -> Any:
        return cell > 0

    assert fails([{"close": None}, {"close": 1.0}], forgetful) == [1]


def test_no_rows_and_no_rules_give_no_verdicts(judge: Any, rows: Any) -> None:
    """An empty slice is judged like any other."""
    out = judge(rows({"close": 1.0}).clear(), batches.constant_batch, least=3)
    assert out.height == 0
    assert {"rules", "flags", "lost", "expected"} <= set(out.columns)


def test_what_a_cheaper_test_spares_would_pass() -> None:
    """Walks with steps around the limit, zeros and negative values among them."""
    rng = np.random.default_rng(3)
    far = rng.choice([1.09, 1.0999999, 1.1, 1.11, 0.9, 1 / 1.1], (4_000, 12))
    steps = np.where(rng.random((4_000, 12)) < 0.15, far, 1.0)
    values = 50.0 * np.cumprod(steps, axis=1)
    values[::7, 3] = 0.0
    values[::11, 5] *= -1.0
    frame = pl.DataFrame(
        {
            "batch": np.repeat(np.arange(4_000), 12),
            "date": np.tile(np.arange(12), 4_000),
            "close": values.ravel(),
        }
    )
    given = {"cell": pl.col("close"), "date": pl.col("date")}
    numbers_ = {"limit": 0.1, "times": 1, "least": 8}
    told = frame.group_by("batch").agg(
        spared=batches.two_levels.spared(**given, **numbers_),
        passed=batches.two_levels(**given, **numbers_),
    )
    assert told["spared"].sum() > 50
    assert (~told["passed"]).sum() > 50
    assert told.filter(pl.col("spared") & ~pl.col("passed")).is_empty()
