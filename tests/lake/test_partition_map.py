"""The map that a commit carries comes back as it was written."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbi_stream.lake.canonical import root
from cbi_stream.lake.map_text import map_of, text_of
from cbi_stream.lake.partition_map import (
    Change,
    Partition,
    PartitionMap,
    Recipe,
    StoredFile,
)
from cbi_stream.words.span import Span, plus_days

text = st.text(max_size=8)
names = st.from_regex(r"[0-9]{4}", fullmatch=True)
hashes = st.text("0123456789abcdef", min_size=8, max_size=8)
spans = st.builds(
    lambda day, length: Span(day, plus_days(day, length)),
    st.dates(max_value=date(9990, 1, 1)),
    st.integers(1, 900),
)
recipes = st.builds(
    Recipe,
    hashes,
    st.dictionaries(text, st.tuples(st.integers(-1, 99), hashes), max_size=3),
)
files = st.lists(
    st.builds(StoredFile, text, hashes, st.integers(0, 1 << 40)), max_size=3
).map(tuple)
live = st.builds(
    Partition, hashes, st.integers(0, 9), files, recipes, st.none() | spans
)
failed = st.builds(
    Partition,
    hashes,
    st.integers(0, 9),
    files,
    recipes,
    st.none() | spans,
    st.just("failed"),
    text,
)
maps = st.builds(
    PartitionMap,
    st.dictionaries(names, live | failed, max_size=5),
    st.lists(st.builds(Change, spans, st.none() | st.dates()), max_size=4).map(tuple),
    st.integers(0, 1 << 40),
    st.dictionaries(text, st.none() | st.integers() | text, max_size=3),
    hashes,
    hashes,
)


@settings(max_examples=80)
@given(maps)
def test_a_map_comes_back_as_it_was_written(written: PartitionMap) -> None:
    """Text and back loses nothing: no file, date, state, error, note or recipe."""
    found = map_of(text_of(written))
    assert found == written
    assert text_of(found) == text_of(written)


def test_recipes_that_repeat_are_written_once() -> None:
    """A table of a hundred partitions made together holds one recipe."""
    recipe = Recipe("f" * 64, {"raw.fred": (3, "r" * 64)})
    parts = {str(y): Partition("h", 1, (), recipe) for y in range(1950, 2050)}
    text_ = text_of(PartitionMap(parts))
    assert len(json.loads(text_)["recipes"]) == 1
    assert text_.count("f" * 64) == 1


def test_the_root_is_over_partitions_that_hold_rows() -> None:
    """An empty partition is no content, and files and recipes are none either."""
    full = Partition("a" * 64, 5, (StoredFile("p", "s", 1),), Recipe("one"))
    empty = Partition("b" * 64, 0, (), Recipe("one"))
    found = PartitionMap({"2024": full, "2025": empty})
    assert found.root == root({"2024": "a" * 64})
    other = Partition("a" * 64, 5, (), Recipe("two"))
    assert PartitionMap({"2024": other}).root == found.root


def test_the_extent_goes_around_all_partitions() -> None:
    """The table's extent is from its first to its last date; without rows none."""
    one = Partition("a", 1, (), Recipe(""), Span(date(2024, 3, 1), date(2024, 4, 1)))
    two = Partition("b", 1, (), Recipe(""), Span(date(2023, 5, 1), date(2023, 6, 1)))
    none = Partition("c", 0, (), Recipe(""))
    found = PartitionMap({"2024": one, "2023": two, "2022": none})
    assert found.extent == Span(date(2023, 5, 1), date(2024, 4, 1))
    assert PartitionMap({"2022": none}).extent is None


def test_a_map_of_another_shape_is_no_map() -> None:
    """A map that lacks a part is refused, not filled in."""
    plain = json.loads(text_of(PartitionMap({})))
    del plain["batch"]
    with pytest.raises(KeyError, match="batch"):
        map_of(json.dumps(plain))
