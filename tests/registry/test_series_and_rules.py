"""Series that have ended, and releases on a weekday of the week after."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import polars as pl
import pytest
from pydantic import ValidationError

from cbi_stream.kernels.release import released_at
from cbi_stream.registry import loader
from cbi_stream.registry.releases import Closures, Release
from cbi_stream.words.errors import BadRegistry
from tests.registry.conftest import Edit

HOLIDAY = Closures(lists={"federal": (date(2024, 1, 15), date(2024, 1, 16))})
RULE = Release(next_week_on="mon", at=time(16, 15), zone="America/New_York")


def out(day: date, rule: Release = RULE) -> date:
    """Return the day on which an observation is out."""
    terms = rule.terms(HOLIDAY)
    found = pl.DataFrame({"date": [day]}).select(released_at(pl.col("date"), **terms))
    when: date = found.item().date()
    return when


@pytest.mark.parametrize(
    ("day", "known"),
    [
        (date(2024, 1, 1), date(2024, 1, 8)),
        (date(2024, 1, 4), date(2024, 1, 8)),
        (date(2024, 1, 5), date(2024, 1, 8)),
        (date(2024, 1, 7), date(2024, 1, 8)),  # a Sunday still belongs to its week
        (date(2024, 1, 8), date(2024, 1, 15)),
        (date(2023, 12, 29), date(2024, 1, 1)),
    ],
)
def test_a_week_is_out_on_one_day_of_the_next(day: date, known: date) -> None:
    """Whatever its weekday, and across the turn of a year."""
    assert out(day) == known


def test_a_holiday_moves_it_to_the_next_open_day() -> None:
    """Two holidays in a row move it by two; another weekday is counted alike."""
    closed = RULE.model_copy(update={"closed": "federal"})
    assert out(date(2024, 1, 8), closed) == date(2024, 1, 17)
    assert out(date(2024, 1, 1), closed) == date(2024, 1, 8)
    friday = Release(next_week_on="fri", at=time(9), zone="America/New_York")
    assert out(date(2024, 1, 1), friday) == date(2024, 1, 12)


@pytest.mark.parametrize(
    "ways",
    [
        {},
        {"weekdays_after": 1, "next_week_on": "mon"},
        {"days_after": 1, "next_week_on": "mon"},
        {"weekdays_after": 1, "days_after": 1},
    ],
)
def test_a_rule_counts_in_one_way(ways: dict[str, object]) -> None:
    """None, or two at once, is refused; so are closures where days are counted."""
    with pytest.raises(ValidationError, match="one of them"):
        Release(at=time(9), zone="UTC", **ways)
    with pytest.raises(ValidationError, match="`closed` goes with"):
        Release(at=time(9), zone="UTC", days_after=1, closed="federal")


def test_a_series_that_ended_is_not_living(edit: Edit) -> None:
    """It stays registered; what is staged of it does not depend on that word."""
    before = loader.load(Path(__file__).resolve().parents[2] / "registry")
    known = before.data_sources.sources["fred"]
    assert "TEDRATE" in known.series
    assert "TEDRATE" not in known.living
    assert known.series["TEDRATE"].ended == date(2022, 1, 21)
    after = loader.load(edit("data_sources.yaml", ", ended: 2022-01-21", ""))
    changed = after.data_sources.sources["fred"]
    assert "TEDRATE" in changed.living
    assert changed.meaning() == known.meaning()


def test_an_end_is_a_day(edit: Edit) -> None:
    """Anything else is refused with its place."""
    folder = edit("data_sources.yaml", "ended: 2022-01-21", "ended: long ago")
    with pytest.raises(BadRegistry, match=r"TEDRATE\.ended"):
        loader.load(folder)


def test_every_delay_is_later_than_its_rule() -> None:
    """A delay that is no delay would let a value be known before it was out."""
    registry = loader.load(Path(__file__).resolve().parents[2] / "registry")
    early = []
    for name in ("fred", "fred_md", "bls"):
        entry = registry.data_sources.sources[name]
        for rule in [
            *entry.rules.values(),
            *([entry.release] if entry.release else []),
        ]:
            plain = rule.model_copy(update={"delays": ()}).terms(registry.closures)
            for delay in rule.delays:
                # The first of the period suffers most: the last may even be on time.
                days = pl.DataFrame({"date": [delay.first]})
                due = days.select(released_at(pl.col("date"), **plain)).item()
                early += [(name, delay)] if delay.by <= due else []
    assert early == []
