"""Seasons that have not begun, and the world that no file of PSD holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from handlers.conform.observations import observations
from handlers.conform.psd_world import psd_world

SEASON = date(2026, 10, 1)
MAY = datetime(2026, 5, 12, 16, tzinfo=UTC)
PAST = date(2020, 10, 1)
Line = Callable[..., dict[str, Any]]
World = Callable[..., list[tuple[Any, ...]]]


def _staged(spec_of: Any, rows_of: Any, lines: list[dict[str, Any]]) -> Any:
    return observations(
        wasde=rows_of("raw.wasde", lines),
        decisions=rows_of("raw.decisions", []),
        spec=spec_of("wasde"),
    )


def test_a_season_may_lie_ahead_of_its_report(
    spec_of: Any, rows_of: Any, line: Line
) -> None:
    """The report of May projects the season that begins in October."""
    row = line(
        SEASON,
        series="soybean_oil.us.ending_stocks",
        value="1500",
        stamp=MAY,
        as_of=MAY,
    )
    made = _staged(spec_of, rows_of, [row])
    assert made.staged.select("date", "value", "knowable_at", "basis").rows() == [
        (SEASON, 1500.0, MAY, "stamp")
    ]


def test_a_season_too_far_ahead_is_a_wrong_date(
    spec_of: Any, rows_of: Any, line: Line
) -> None:
    """Nobody projects a season in the year before the one in which it begins."""
    early = MAY - timedelta(days=365)
    row = line(
        SEASON,
        series="soybean_oil.us.ending_stocks",
        value="1",
        stamp=early,
        as_of=early,
    )
    made = _staged(spec_of, rows_of, [row])
    assert made.staged.is_empty()
    assert made.quarantined["rules"].to_list() == ["future_date"]


@pytest.fixture
def world(spec_of: Any, rows_of: Any, decided: Any, fits: Any, line: Line) -> World:
    """Return a function from lines (series, value, stamp, batch) to the world's sums."""

    def summed(*told: tuple[str, str | None, datetime, int], reject: int = -1) -> Any:
        lines = [
            line(PAST, batch, series=series, value=value, stamp=at, as_of=at)
            | {"line": number}
            for number, (series, value, at, batch) in enumerate(told)
        ]
        made = psd_world(
            psd=rows_of("raw.psd", lines),
            decisions=decided(
                *[(lines[reject], "reject")] if reject >= 0 else [], raw="raw.psd"
            ),
            spec=spec_of("psd"),
        )
        rows = fits("staging.psd_world", made)
        return rows.select("series", "vintage", "value", "knowable_at").rows()

    return summed


BR, MX = "4232000.br.exports", "4232000.mx.exports"
OURS = "4232000.world.exports"
JUNE, AUGUST = datetime(2021, 6, 16, tzinfo=UTC), datetime(2021, 8, 16, tzinfo=UTC)
NEXT = datetime(2022, 1, 16, tzinfo=UTC)


def test_the_world_is_known_when_all_of_its_countries_are(world: World) -> None:
    """A file of June and August figures is a world of August, not half of one of June."""
    rows = world((BR, "2000.5", JUNE, 1), (MX, "10", AUGUST, 1))
    assert rows == [(OURS, 0, 2010.5, AUGUST)]


def test_a_country_that_changes_changes_the_world_then(world: World) -> None:
    """The other countries keep what they last said."""
    rows = world((BR, "2000.5", JUNE, 1), (MX, "10", AUGUST, 1), (BR, "1900", NEXT, 2))
    assert rows == [(OURS, 0, 2010.5, AUGUST), (OURS, 1, 1910.0, NEXT)]


def test_a_country_that_comes_later_is_added_then(world: World) -> None:
    """It does not move what the world knew before."""
    rows = world((BR, "2000.5", JUNE, 1), (MX, "10", NEXT, 2))
    assert rows == [(OURS, 0, 2000.5, JUNE), (OURS, 1, 2010.5, NEXT)]


def test_a_missing_figure_adds_nothing(world: World) -> None:
    """An empty cell is no country without exports, and stops no sum."""
    rows = world((BR, "2000.5", JUNE, 1), (MX, ".", JUNE, 1))
    assert rows == [(OURS, 0, 2000.5, JUNE)]


def test_a_yield_or_a_world_of_the_source_is_not_summed(world: World) -> None:
    """Quantities of countries only: else a ratio, or the world itself, would be added."""
    kinds = ("4232000.br.yield", "4232000.world.exports", "9999999.br.exports")
    assert world(*[(series, "5", JUNE, 1) for series in kinds]) == []


def test_a_rejected_line_is_not_summed(world: World) -> None:
    """A person's word counts here as well."""
    told = ((BR, "2000.5", JUNE, 1), (MX, "99999", JUNE, 1))
    assert world(*told, reject=1) == [(OURS, 0, 2000.5, JUNE)]
