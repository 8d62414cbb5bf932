"""The tests of join_spec.yaml are bound when loading, or the load says which line is wrong."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.engine.expecting import expectations, judge
from cbi_stream.engine.graph import discover
from cbi_stream.registry import loader
from cbi_stream.words.errors import BadRegistry
from handlers.gates.expected_columns import expect_no_nulls
from tests.laws import worlds

GRAPH = worlds.discovered()
GATES = {each.gate.name: each.gate for each in GRAPH.expected}
GATES["expect_no_nulls"] = expect_no_nulls
FILE = "join_spec.yaml"
FIRST = "{gate: expect_match_rate_gte, with: {at_least: 0.75}, severity: warning}"


@pytest.fixture
def edited(tmp_path: Path):
    """Return a function that loads the registry with one text of join_spec.yaml changed."""

    def load(old: str, new: str) -> tuple[loader.Registry, list[str]]:
        folder = shutil.copytree(GRAPH.registry.folder, tmp_path / "registry")
        text = (folder / FILE).read_text(encoding="utf-8")
        assert old in text
        changed = text.replace(old, new, 1)
        (folder / FILE).write_text(changed, encoding="utf-8")
        return loader.load(folder), changed.splitlines()

    return load


MISTAKES = [
    # what a person typed in place of the first test of a match rate, and why not
    (FIRST.replace("match_rate_gte", "match_rate"), "expected a gate (expect_age_gte"),
    (FIRST.replace("0.75", "seventy"), "at_least: Input should be a valid number"),
    (FIRST.replace("0.75", "true"), "at_least: Input should be a valid number"),
    (FIRST.replace("at_least", "atleast"), "expected one of the numbers"),
    (FIRST.replace("{at_least: 0.75}", "{}"), "expected the number at_least"),
    (FIRST.replace("0.75", "0.75, columns: soybeans"), "columns: Input should be"),
    (f"{FIRST}\n      - {FIRST}", "expect_match_rate_gte[soybeans] stands twice"),
    (
        FIRST.replace("match_rate_gte", "available_after").replace(
            "at_least: 0.75", ""
        ),
        "expected the number since",
    ),
]


@pytest.mark.parametrize(("new", "why"), MISTAKES)
def test_a_wrong_test_is_named_with_file_and_line(edited, new, why):
    """An unknown gate, a wrong, unknown or missing number, and a test said twice."""
    registry, lines = edited(FIRST, new)
    with pytest.raises(BadRegistry, match=re.escape(why)) as caught:
        expectations(registry, GATES.values())
    named = int(re.search(rf"{FILE}:(\d+): ", str(caught.value))[1])
    assert lines[named - 1].strip().removeprefix("- ") in new


def test_the_handlers_do_not_load_with_a_wrong_test(edited):
    """`discover` is where every verb begins."""
    registry, _ = edited(FIRST, FIRST.replace("match_rate_gte", "match_rate"))
    with pytest.raises(BadRegistry, match="found expect_match_rate"):
        discover(registry)


def test_a_join_says_the_numbers_of_its_tests():
    """Table, columns, prefix and first date are those of the join."""
    by_name = {each.name: each for each in GRAPH.expected}
    dollar = by_name["expect_available_after[dollar_index]"]
    assert dollar.numbers["columns"] == ("dollar_index",)
    assert str(dollar.numbers["since"]) == "2006-01-09"
    assert by_name["expect_columns_prefixed[hedgers]"].numbers["prefix"] == "hedgers_"
    added = by_name["expect_columns_added[features.master]"]
    assert added.numbers["columns"] == GRAPH.registry.join_spec.columns
    assert {each.table for each in GRAPH.expected} == {
        "features.master", "labels.regimes", "staging.prices",
    }  # fmt: skip


def test_each_test_knows_where_it_stands():
    """For the engine: a name of its own, a point, and the line that wrote it."""
    names = [each.name for each in GRAPH.expected]
    assert len({*names}) == len(names)
    places = {each.place for each in GRAPH.expected}
    assert len(places) == len(names)
    assert all(re.search(rf"{FILE}:\d+$", place) for place in places)
    points = {(each.gate.whole, each.at) for each in GRAPH.expected}
    assert points == {(True, "POST_ASSEMBLY"), (False, "POST_STAGING")}


def test_refuse_is_a_gate_that_nobody_has_to_write(edited):
    """`null_policy: refuse` binds expect_no_nulls, critical, from available_from on."""
    old = "null_policy: keep\n    available_from: 2003-01-03"
    registry, lines = edited(old, old.replace("keep", "refuse"))
    bound = {each.name: each for each in expectations(registry, GATES.values())}
    found = bound["expect_no_nulls[breakeven_5y]"]
    assert (found.severity, found.numbers["columns"]) == ("critical", ("breakeven_5y",))
    assert str(found.numbers["since"]) == "2003-01-03"
    line = int(found.place.rpartition(":")[2])
    assert lines[line - 1].strip() == "null_policy: refuse"
    assert "expect_no_nulls[vix]" not in bound


def test_without_tables_everything_fails():
    """An absent input is never a pass."""
    found = judge(GRAPH.registry, GATES.values(), {})
    assert len(found) == len(GRAPH.expected)
    assert not any(finding.passed for finding in found.values())


def test_null_rows_pass_for_nothing():
    """A table whose columns hold nothing fails each test that looks for values."""
    names = GRAPH.registry.contracts["features.master"].columns
    days = [d for d in GRAPH.registry.sessions.days if d.year == 2024]
    rows = pl.DataFrame({name: [None] * len(days) for name in names})
    rows = rows.with_columns(date=pl.Series(days))
    found = judge(GRAPH.registry, GATES.values(), {"features.master": rows})
    passed = {name.partition("[")[0] for name, each in found.items() if each.passed}
    # Shape is there. That positions may be away altogether the file says itself.
    assert passed == {
        "expect_no_duplicate_dates", "expect_rows_preserved", "expect_total_rows_gte",
        "expect_total_cols_gte", "expect_columns_present", "expect_columns_prefixed",
        "expect_age_gte", "expect_available_after",
    }  # fmt: skip
