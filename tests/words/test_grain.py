"""Grains cut the days into partitions: each day lies in exactly one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbi_stream.words.grain import Grain
from cbi_stream.words.span import Span

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))
grains = st.sampled_from(list(Grain))


@given(grains, days)
def test_a_day_lies_in_the_span_of_its_partition(grain: Grain, day: date) -> None:
    """The span of a partition holds exactly the days that are named after it."""
    name = grain.partition_of(day)
    span = grain.span(name)
    assert day in span
    assert grain.partition_of(span.start) == name == grain.partition_of(span.last)
    assert grain.partition_of(span.end) != name
    assert grain.partition_of(span.start - timedelta(days=1)) != name


@given(grains, days, st.integers(0, 900))
def test_partitions_of_a_span_are_those_of_its_days(
    grain: Grain, start: date, length: int
) -> None:
    """The partitions of a span are those that any of its days lies in, oldest first."""
    span = Span(start, start + timedelta(days=length))
    every = [grain.partition_of(start + timedelta(days=i)) for i in range(length)]
    assert grain.partitions(span) == list(dict.fromkeys(every))


@pytest.mark.parametrize(
    ("grain", "name", "first", "last"),
    [
        (Grain.MONTH, "202402", date(2024, 2, 1), date(2024, 2, 29)),
        (Grain.MONTH, "202311", date(2023, 11, 1), date(2023, 11, 30)),
        (Grain.MONTH, "202312", date(2023, 12, 1), date(2023, 12, 31)),
        (Grain.YEAR, "2024", date(2024, 1, 1), date(2024, 12, 31)),
        (Grain.DECADE, "1990", date(1990, 1, 1), date(1999, 12, 31)),
        (Grain.DECADE, "2000", date(2000, 1, 1), date(2009, 12, 31)),
    ],
)
def test_partition_names_mean_these_days(
    grain: Grain, name: str, first: date, last: date
) -> None:
    """A name is a number that means the same for ever: it stands in paths on disk."""
    span = grain.span(name)
    assert (span.start, span.last) == (first, last)
    assert grain.partition_of(last) == name


def test_the_grain_is_the_name_of_its_column() -> None:
    """The column that a table is partitioned by is called after its grain."""
    assert [grain.value for grain in Grain] == ["month", "year", "decade"]
