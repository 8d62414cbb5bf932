"""Counts: every measure of a registered contract is a series; the rest stays in raw."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from handlers.conform.counts import counts

DAY = date(2024, 6, 18)
SEEN = datetime(2024, 9, 20, 12, tzinfo=UTC)
Line = Callable[..., dict[str, Any]]


@pytest.fixture
def conform(spec_of: Any, rows_of: Any, decided: Any, fits: Any) -> Any:
    """Return a function from raw lines and decisions to staged rows and the rest."""

    def made(*lines: dict[str, Any], decisions: Any = ()) -> Any:
        out = counts(
            cftc_legacy_combined=rows_of("raw.cftc_legacy_combined", list(lines)),
            decisions=decided(*decisions, raw="raw.cftc_legacy_combined"),
            spec=spec_of("cftc_legacy_combined"),
        )
        assert out.fates.height == len(lines), "P5: each line has one fate"
        staged = fits("staging.cftc_legacy_combined", out.staged)
        fits("quarantine.cftc_legacy_combined", out.quarantined)
        return staged, out

    return made


@pytest.fixture
def week(line: Line) -> Line:
    """Return a function that makes a raw line of soybean oil."""

    def make(**cells: Any) -> dict[str, Any]:
        told = {"contract": "007601", "open_interest": "500", "traders": "."}
        return line(cells.pop("day", DAY), cells.pop("batch", 1), **told | cells)

    return make


def test_each_measure_of_a_line_is_a_series(conform: Any, week: Line) -> None:
    """Missing counts too: that fewer than four traders are not told is a fact."""
    staged, _ = conform(week(as_of=SEEN))
    values = dict(staged.select("series", "value").rows())
    assert len(values) == 11
    assert values["007601.open_interest"] == 500.0
    assert values["007601.traders"] is None
    units = dict(staged.select("series", "unit").rows())
    assert units["007601.traders"] == "traders"
    assert units["007601.open_interest"] == "contracts"


def test_a_market_that_is_not_registered_is_unused(conform: Any, week: Line) -> None:
    """A year's file holds hundreds of them; they stay in raw."""
    staged, out = conform(week(), week(contract="13874A", line=7))
    assert staged["series"].str.starts_with("007601").all()
    assert sorted(out.fates["fate"]) == ["staged", "unused"]


def test_a_changed_count_is_a_version_of_that_count_alone(
    conform: Any, week: Line
) -> None:
    """A republished week moves the series that it changes, from when it was seen."""
    staged, _ = conform(
        week(as_of=SEEN),
        week(batch=2, open_interest="510", as_of=datetime(2024, 9, 27, 12, tzinfo=UTC)),
    )
    moved = staged.filter(staged["vintage"] == 1)
    assert moved.select("series", "value", "basis").rows() == [
        ("007601.open_interest", 510.0, "sight")
    ]


def test_a_line_that_cannot_be_read_is_quarantined_once(
    conform: Any, week: Line
) -> None:
    """However many measures it has."""
    bad = week(problem="number: x", text="1,2", open_interest=None, line=9)
    nameless = week(contract="", problem="text: y", text="?", line=10)
    staged, out = conform(week(), bad, nameless)
    assert out.quarantined["rules"].to_list() == ["unreadable", "unreadable"]
    assert staged.height == 11


def test_a_rejected_line_is_no_version(conform: Any, week: Line) -> None:
    """A person's word keeps all counts of a line out."""
    line = week()
    staged, out = conform(line, decisions=[(line, "reject")])
    assert staged.height == 0
    assert out.fates["fate"].to_list() == ["quarantined"]
