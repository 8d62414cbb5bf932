"""Events: every version, when it was knowable, and how many documents a day has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.handler import Conformed
from handlers.conform.documents import documents
from handlers.conform.events import events

DAY = date(2025, 4, 4)
SAID = datetime(2025, 4, 4, 10, tzinfo=UTC)
SEEN = SAID + timedelta(days=100)
Line = Callable[..., dict[str, Any]]
Conform = Callable[..., Conformed]


@pytest.fixture
def conform(spec_of: Any, rows_of: Any, decided: Any) -> Conform:
    """Return a function from raw lines of both sources and decisions to what is made."""
    spec = spec_of("federal_register", "tariff_events", names=())

    def made(
        *lines: dict[str, Any], papers: Any = (), decisions: Any = ()
    ) -> Conformed:
        out = events(
            tariff_events=rows_of("raw.tariff_events", list(lines)),
            federal_register=rows_of("raw.federal_register", list(papers)),
            decisions=decided(*decisions, raw="raw.tariff_events"),
            spec=spec,
        )
        given = len(lines) + len(papers)
        assert out.fates.height == given, "P5: each line has one fate"
        return out

    return made


@pytest.fixture
def staged(conform: Conform, fits: Any) -> Callable[..., list[dict[str, Any]]]:
    """Return a function from lines to the rows of staging.events."""

    def rows(*lines: Any, **more: Any) -> list[dict[str, Any]]:
        out = conform(*lines, **more)
        return fits("staging.events", out.staged).rows(named=True)

    return rows


@pytest.fixture
def said(line: Line) -> Line:
    """Return a function that makes a line of tariff_events."""

    def make(rate: str | None = "34", batch: int = 1, **more: Any) -> dict[str, Any]:
        stamp = more.pop("stamp", SAID)
        seen = more.pop("seen", SEEN + timedelta(days=batch))
        as_of = min(stamp, seen) if stamp else seen
        cells = {
            "event": "cn-34",
            "topic": "retaliation",
            "kind": "retaliation",
            "effective_on": "2025-04-10",
            "citation": "No. 4",
            "rate_percent": rate,
            "stamp": stamp,
            "as_of": as_of,
        }
        made = line(more.pop("day", DAY), batch, **cells) | {"first_seen_at": seen}
        return made | more

    return make


@pytest.fixture
def paper(said: Line) -> Line:
    """Return a function that makes a line of a document."""

    def make(event: str, **more: Any) -> dict[str, Any]:
        cells = {"topic": "section_301", "kind": "document", "rate_percent": None}
        return said(**{"event": event, "line": abs(hash(event)), **cells, **more})

    return make


def _short(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [
        (r["vintage"], r["rate_percent"], r["knowable_at"], r["basis"]) for r in rows
    ]


def test_an_event_was_knowable_when_it_was_announced(staged: Any, said: Line) -> None:
    """Also where it was written down months later; it holds from another day."""
    (row,) = staged(said())
    assert _short([row]) == [(0, 34.0, SAID, "stamp")]
    assert row["date"] == DAY
    assert row["effective_at"] == date(2025, 4, 10)
    assert row["first_seen_at"] == SEEN + timedelta(days=1)
    assert row["source"] == "tariff_events"


def test_a_corrected_event_is_a_version_knowable_from_when_it_was_seen(
    staged: Any, said: Line
) -> None:
    """What was written first stays: who looked before the correction knew no better."""
    rows = staged(said("44"), said("34", batch=2))
    seen = SEEN + timedelta(days=2)
    assert _short(rows) == [(0, 44.0, SAID, "stamp"), (1, 34.0, seen, "sight")]
    back = staged(said("44"), said("34", batch=2), said("44", batch=3))
    assert [row["rate_percent"] for row in back] == [44.0, 34.0, 44.0]


def test_an_event_announced_anew_is_knowable_from_that_hour(
    staged: Any, said: Line
) -> None:
    """An act that is changed on its own day is a version with a stamp of its own."""
    later = SAID + timedelta(hours=6)
    rows = staged(said("34"), said("84", batch=2, stamp=later))
    assert _short(rows) == [(0, 34.0, SAID, "stamp"), (1, 84.0, later, "stamp")]


def test_a_repeat_is_a_duplicate(conform: Conform, said: Line) -> None:
    """The same words in another file are no version."""
    out = conform(said("34"), said("34.0", batch=2))
    assert sorted(out.fates["fate"]) == ["duplicate", "staged"]


def test_a_document_seen_before_its_hour_was_knowable_then(
    staged: Any, paper: Line
) -> None:
    """An edition may be on the net some hours before it counts as published."""
    early = SAID - timedelta(hours=3)
    (row,) = staged(papers=[paper("2025-1", seen=early)])
    assert (row["knowable_at"], row["basis"]) == (early, "sight")
    assert row["announced_at"] == SAID


@pytest.mark.parametrize(
    ("fault", "rule"),
    [
        ({"citation": ""}, "uncited"),
        ({"kind": None}, "no_kind"),
        ({"effective_on": "April 10"}, "not_a_date"),
        ({"effective_on": "2025-02-30"}, "not_a_date"),
        ({"rate": "44-49"}, "not_a_number"),
        ({"stamp": None}, "not_announced"),
        ({"seen": SAID - timedelta(days=2)}, "future_announcement"),
        ({"problem": "date: x", "text": "x", "event": "", "topic": ""}, "unreadable"),
    ],
)
def test_a_faulty_line_is_turned_away(
    conform: Conform, said: Line, fault: dict[str, Any], rule: str
) -> None:
    """The line beside it goes on; the fault is named."""
    out = conform(said("10", event="other"), said(batch=2, **fault))
    assert out.quarantined["rules"].to_list() == [rule]
    assert out.staged["event"].to_list() == ["other"]


def test_one_file_that_contradicts_itself_stands_for_nothing(
    conform: Conform, said: Line
) -> None:
    """Two rates of one announcement: nobody can tell which was meant."""
    out = conform(said("34", line=1), said("84", line=2))
    assert out.quarantined["rules"].to_list() == ["contradicted"] * 2
    assert out.staged.height == 0


def test_a_rejected_line_is_no_version_and_another_kind_is_unused(
    conform: Conform, said: Line
) -> None:
    """A person may take one line out; a kind that is not registered stays in raw."""
    bad, other = said("84", batch=2), said(batch=3, topic="gossip", kind="gossip")
    out = conform(said("34"), bad, other, decisions=[(bad, "reject")])
    assert out.staged["rate_percent"].to_list() == [34.0]
    assert sorted(out.fates["fate"]) == ["quarantined", "staged", "unused"]


def test_documents_of_a_day_are_counted_once_each(
    registry: Registry, conform: Conform, paper: Line, said: Line, fits: Any
) -> None:
    """By topic; a corrected record counts once, a person's event not at all."""
    later = SAID - timedelta(hours=1)
    made = conform(
        said(),
        papers=[
            paper("2025-1"),
            paper("2025-1", batch=2, summary="mended"),
            paper("2025-2", seen=later, line=7),
            paper("2025-1", topic="soybeans", line=8),
        ],
    )
    counted = documents(
        events=fits("staging.events", made.staged),
        spec=Spec(registry, ("data_sources.federal_register",)),
    )
    rows = fits("staging.documents", counted)
    assert rows.select("series", "date", "value", "unit", "basis").rows() == [
        ("section_301", DAY, 2.0, "documents", "sight"),
        ("soybeans", DAY, 1.0, "documents", "stamp"),
    ]
    assert rows["knowable_at"].to_list() == [SAID, SAID]


def test_a_day_without_documents_has_no_row(registry: Registry, fits: Any) -> None:
    """Nobody can tell it from a day that was not asked for."""
    nothing = pl.DataFrame(schema=fits("staging.events", _none(registry)).schema)
    spec = Spec(registry, ("data_sources.federal_register",))
    assert documents(events=nothing, spec=spec).height == 0


def _none(registry: Registry) -> pl.DataFrame:
    columns = registry.contracts["staging.events"].columns
    kinds = {"string": pl.String, "int": pl.Int64, "float": pl.Float64, "date": pl.Date}
    time = pl.Datetime("us", "UTC")
    return pl.DataFrame(schema={n: kinds.get(c.type, time) for n, c in columns.items()})
