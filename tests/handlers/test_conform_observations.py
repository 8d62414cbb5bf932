"""Observations: every version, and the moment from which it was knowable."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handlers.conform.observations import observations

DAY = date(2024, 5, 1)  # a Wednesday
RULE = datetime(2024, 5, 2, 21, 30, tzinfo=UTC)  # next weekday, 16:30 in Chicago
Line = Callable[..., dict[str, Any]]
Conform = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def conform(spec_of: Any, rows_of: Any, decided: Any, fits: Any) -> Conform:
    """Return a function from raw lines and decisions to staged versions."""

    def staged(*lines: dict[str, Any], decisions: Any = ()) -> list[dict[str, Any]]:
        out = observations(
            fred=rows_of("raw.fred", list(lines)),
            decisions=decided(*decisions, raw="raw.fred"),
            spec=spec_of("fred"),
        )
        assert out.fates.height == len(lines), "P5: each line has one fate"
        return fits("staging.fred", out.staged).rows(named=True)

    return staged


@pytest.fixture
def seen(line: Line) -> Line:
    """Return a function that makes a raw line: value, days after its rule's moment."""

    def make(value: str | None, after: float = 0.0, batch: int = 1, **more: Any) -> Any:
        day = more.pop("day", DAY)
        cells = {"series": "VIXCLS", "value": value, **more}
        return line(day, batch, as_of=RULE + timedelta(days=after), **cells)

    return make


def _short(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(r["vintage"], r["value"], r["knowable_at"], r["basis"]) for r in rows]


def test_the_first_version_follows_the_rule(conform: Conform, seen: Line) -> None:
    """Also a value that is loaded years late was knowable at its release."""
    rows = conform(seen("15.1", after=4000))
    assert _short(rows) == [(0, 15.1, RULE, "rule")]
    assert rows[0]["unit"] == "index points"
    assert rows[0]["pit_grade"] == "B"
    assert rows[0]["first_seen_at"] == RULE + timedelta(days=4000)


def test_a_restatement_is_knowable_when_it_was_seen(
    conform: Conform, seen: Line
) -> None:
    """The old value stays true for the days before."""
    rows = conform(seen("15.1"), seen("15.3", after=7, batch=2))
    later = RULE + timedelta(days=7)
    assert _short(rows) == [(0, 15.1, RULE, "rule"), (1, 15.3, later, "sight")]


def test_a_stated_restatement_says_so(conform: Conform, seen: Line) -> None:
    """A person's word for when it was seen counts, and is marked as such."""
    rows = conform(seen("15.1"), seen("15.3", after=7, batch=2, stated=True))
    assert _short(rows)[1] == (1, 15.3, RULE + timedelta(days=7), "stated")


def test_an_older_file_that_comes_late_becomes_the_first_version(
    conform: Conform, seen: Line
) -> None:
    """What was seen earlier comes first, whenever it was loaded."""
    rows = conform(
        seen("15.3", after=9, batch=1), seen("15.1", after=2, batch=2, stated=True)
    )
    assert _short(rows) == [
        (0, 15.1, RULE, "rule"),
        (1, 15.3, RULE + timedelta(days=9), "sight"),
    ]


def test_back_to_missing_is_a_version(conform: Conform, seen: Line) -> None:
    """A value that a publisher takes back is missing from then on."""
    rows = conform(seen("15.1"), seen(".", after=5, batch=2))
    assert _short(rows)[1] == (1, None, RULE + timedelta(days=5), "sight")


@pytest.mark.parametrize("cell", [".", "", None])
def test_a_missing_value_is_a_row_with_null(
    conform: Conform, seen: Line, cell: str | None
) -> None:
    """That nothing was published is an observation, however it is written."""
    assert _short(conform(seen(cell))) == [(0, None, RULE, "rule")]


@pytest.mark.parametrize(
    ("first", "second"), [("15.1", "15.10"), (".", ""), ("", None), ("7", "7.0")]
)
def test_equal_repeats_are_one_version(
    conform: Conform, seen: Line, first: str | None, second: str | None
) -> None:
    """The same number in other letters is no restatement."""
    rows = conform(seen(first), seen(second, after=5, batch=2))
    assert rows == conform(seen(first))


def test_a_value_that_comes_back_is_a_third_version(
    conform: Conform, seen: Line
) -> None:
    """A, B, A are three versions, each with its own moment."""
    rows = conform(
        seen("11"), seen("12", after=1, batch=2), seen("11", after=2, batch=3)
    )
    assert [(r["vintage"], r["value"]) for r in rows] == [
        (0, 11.0),
        (1, 12.0),
        (2, 11.0),
    ]


def test_what_is_seen_before_the_rule_was_knowable_then(
    conform: Conform, seen: Line
) -> None:
    """A rule says when a statistic is out at the latest; sight proves that it is out."""
    early = RULE - timedelta(days=0.5)
    assert _short(conform(seen("15.0", after=-0.5))) == [(0, 15.0, early, "sight")]
    both = conform(seen("15.0", after=-0.5, stated=True), seen("15.1", batch=2))
    assert _short(both) == [(0, 15.0, early, "stated"), (1, 15.1, RULE, "sight")]


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2024, 5, 3), date(2024, 5, 6)),  # Friday: the Monday after
        (date(2024, 5, 4), date(2024, 5, 7)),  # Saturday counts from Monday
        (date(2024, 5, 5), date(2024, 5, 7)),
        (date(2024, 12, 31), date(2025, 1, 1)),
    ],
)
def test_release_is_so_many_weekdays_later(
    conform: Conform, seen: Line, day: date, known: date
) -> None:
    """Weekends are passed over; the rule knows no holidays."""
    (row,) = conform(seen("11", after=900, day=day))
    assert row["knowable_at"].date() == known


def test_a_rejected_line_is_no_version(conform: Conform, seen: Line) -> None:
    """Without the line the versions are those of the others, with no gap in number."""
    first, bad = seen("15.1"), seen("99", after=1, batch=2)
    last = seen("15.2", after=2, batch=3)
    rows = conform(first, bad, last, decisions=[(bad, "reject")])
    assert [(r["vintage"], r["value"]) for r in rows] == [(0, 15.1), (1, 15.2)]
    both = [(bad, "reject"), (bad, "withdraw")]
    assert conform(first, bad, last, decisions=both) == conform(first, bad, last)


def test_series_outside_the_registry_are_unused(conform: Conform, seen: Line) -> None:
    """A file of another series stays in raw and fails nothing."""
    other = seen("not a number", series="GDP", line=7)
    assert conform(seen("15.1"), other) == conform(seen("15.1"))
    assert conform() == []


def test_series_have_versions_of_their_own(conform: Conform, seen: Line) -> None:
    """Two series of one date do not count each other's versions."""
    rows = conform(seen("15.1"), seen("4.2", series="DGS10", line=7))
    assert [(r["series"], r["vintage"], r["unit"]) for r in rows] == [
        ("DGS10", 0, "percent a year"),
        ("VIXCLS", 0, "index points"),
    ]


def test_what_no_number_is_is_turned_away(
    spec_of: Any, rows_of: Any, seen: Line
) -> None:
    """The good lines of the file go on."""
    lines = [seen("15.1"), seen("n/a", day=date(2024, 5, 2))]
    made = observations(
        fred=rows_of("raw.fred", lines),
        decisions=rows_of("raw.decisions", []),
        spec=spec_of("fred"),
    )
    assert sorted(made.fates["fate"]) == ["quarantined", "staged"]
    assert made.quarantined.select("rules", "found").rows() == [("not_a_number", "n/a")]


STAMP = datetime(2024, 5, 3, 4, 59, 59, tzinfo=UTC)


def test_a_stamp_knows_better_than_the_rule(conform: Conform, seen: Line) -> None:
    """A release that came late was not known when the rule says: no look-ahead."""
    late = STAMP + timedelta(days=40)
    row = seen("15.1", stamp=late, batch=1) | {"as_of": late}
    assert _short(conform(row)) == [(0, 15.1, late, "stamp")]


def test_the_stamp_of_a_bulk_load_says_nothing(conform: Conform, seen: Line) -> None:
    """Decades loaded at once were not unknown until then: the rule holds for them."""
    late = STAMP + timedelta(days=4000)
    row = seen("15.1", stamp=late, loaded=True) | {"as_of": late}
    assert _short(conform(row)) == [(0, 15.1, RULE, "rule")]


def test_each_release_of_one_file_is_a_version(conform: Conform, seen: Line) -> None:
    """One file of vintages tells them all, and contradicts itself in none."""
    rows = [
        seen(value, stamp=at, batch=1) | {"as_of": at, "line": n}
        for n, (value, at) in enumerate(
            [
                ("15.1", STAMP),
                ("15.1", STAMP + timedelta(1)),
                ("15.3", STAMP + timedelta(2)),
            ]
        )
    ]
    assert _short(conform(*rows)) == [
        (0, 15.1, STAMP, "stamp"),
        (1, 15.3, STAMP + timedelta(2), "stamp"),
    ]


def test_a_decision_about_another_source_meets_nothing(
    spec_of: Any, rows_of: Any, decided: Any, seen: Line
) -> None:
    """The same file and line in another raw table is another line."""
    line = seen("17.5")
    for raw, left in (("raw.cboe", 1), ("raw.fred", 0)):
        out = observations(
            fred=rows_of("raw.fred", [line]),
            decisions=decided((line, "reject"), raw=raw),
            spec=spec_of("fred"),
        )
        assert out.staged.height == left, raw
