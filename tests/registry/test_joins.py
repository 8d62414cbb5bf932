"""join_spec.yaml: a wrong word stops the load and names the line; nothing is guessed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cbi_stream.registry import loader
from cbi_stream.registry.joins import JoinSpec
from cbi_stream.words.errors import BadRegistry

Edit = Callable[[str, str, str], Path]
FILE = "join_spec.yaml"
VIX = "    series: VIXCLS\n"
MISTAKES = [
    # what stands there, what a person typed, a text on the line to open, why
    ("symbol: ZS\n", "symbol: ZZ\n", "symbol: ZZ", "ZZ is not in universe"),
    (
        "columns: [close]",
        "columns: [colse]",
        "columns: [colse]",
        "no column of numbers",
    ),
    (VIX, "    series: VIXCLOSE\n", "VIXCLOSE", "fred has no series VIXCLOSE"),
    ("source: cftc", "source: ctfc", "source: ctfc", "ctfc is not in"),
    ("source: cftc", "source: prices", "source: prices", "prices is not in"),
    (VIX, f"{VIX}    how: inner\n", "name: vix", "drops_rows: true"),
    (VIX, f"{VIX}    drops_rows: true\n", "name: vix", "drops_rows: true"),
    (VIX, f"{VIX}    how: outer\n", "how: outer", "found 'outer'"),
    (VIX, f"{VIX}    fill: 0.5\n", "fill: 0.5", "this key is not known here"),
    (VIX, f"{VIX}    prefix: vix_\n", "name: vix", "prefix"),
    (VIX, f"{VIX}    available_from: 2003\n", "available_from: 2003", "date"),
    ("on: date", "on: day", "name: soybeans", "'date', 'knowable_at'"),
    ("prefix: speculators_", "prefix: speculators", "prefix: speculators", "pattern"),
    ("null_policy: flag", "null_policy: zero", "null_policy: zero", "found 'zero'"),
    ("    null_policy: flag\n", "", "name: open_interest", "this key is missing"),
    ("name: vix", "name: crude", "name: crude", "crude stands twice"),
    ("prefix: meal_", "prefix: corn_", "name: corn", "brings the column corn_close"),
    ("growth_months: 12", "growth_months: 25", "growth_months: 25", "found 25"),
    ("max_age_days: 5", "max_age_days: -1", "max_age_days: -1", "found -1"),
    (
        "table: features.master",
        "table: features.masters",
        "table: features.masters",
        "no contract",
    ),
    (
        "table: features.master",
        "table: features.macro",
        "table: features.macro",
        "has no column vix",
    ),
    ("on: labels.regimes", "on: labels.regime", "on: labels.regime,", "no contract"),
    (
        "{gate: expect_columns_prefixed, severity",
        "{gate: expect_columns_prefixed, on: labels.forward, severity",
        "on: labels.forward",
        "take `on` away",
    ),
    (
        "at_least: 0.75}, severity: warning",
        "at_least: 0.75}",
        "at_least: 0.75}",
        "sever",
    ),
]


@pytest.mark.parametrize(("old", "new", "on", "why"), MISTAKES)
def test_a_planted_mistake_is_named_with_file_and_line(
    copied: Path, old: str, new: str, on: str, why: str
) -> None:
    """The first place of a wrong word stops the load; the line to open is said."""
    path = copied / FILE
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadRegistry, match=re.escape(why)) as caught:
        loader.load(copied)
    lines = path.read_text(encoding="utf-8").splitlines()
    places = [i for i, line in enumerate(lines, start=1) if on in line]
    named = {int(n) for n in re.findall(rf"{FILE}:(\d+): ", str(caught.value))}
    assert named & set(places), (str(caught.value), places)


def test_a_source_with_several_rows_per_date_is_refused(copied: Path) -> None:
    """Events have no series and no vintage: a session would meet several of them."""
    path = copied / "tables" / "each" / "counts.staging.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("key: [series, date, vintage]", "key: [series, date, unit]"),
        encoding="utf-8",
    )
    with pytest.raises(BadRegistry, match=r"one row per series, date and vintage"):
        loader.load(copied)


def test_a_flag_is_a_feature_of_its_own(copied: Path) -> None:
    """`flag` adds a column: feature_registry.json must say what it is."""
    path = copied / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("null_policy: keep", "null_policy: flag", 1), "utf-8")
    with pytest.raises(BadRegistry, match="soybeans_close_missing of join_spec") as no:
        loader.load(copied)
    assert "feature_registry.json" in str(no.value)


def test_a_flag_that_is_a_number_is_refused(copied: Path) -> None:
    """Whether something is missing is true or false, never 0.5."""
    path = copied / "feature_registry.json"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"type": "bool"', '"type": "float"', 1), "utf-8")
    with pytest.raises(BadRegistry, match="open_interest_missing: expected the type"):
        loader.load(copied)


def test_inner_is_taken_where_it_is_declared(copied: Path) -> None:
    """A person may let rows fall out, in so many words."""
    path = copied / FILE
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace(VIX, f"{VIX}    how: inner\n    drops_rows: true\n"), "utf-8"
    )
    joins = {join.name: join for join in loader.load(copied).join_spec.joins}
    assert (joins["vix"].how, joins["corn"].how) == ("inner", "left")


def test_the_columns_are_those_that_stood_there_before(copied: Path) -> None:
    """Five prices come first, each observation has its age, and each flag is counted."""
    spec = loader.load(copied).join_spec
    symbols = [p.symbol for p in spec.prices.values()]
    assert symbols[:5] == ["ZS", "ZM", "ZC", "CL", "GC"]
    assert len(spec.observations) >= 17
    assert spec.sources[:2] == ("fred", "cftc")
    flags = [flag for join in spec.joins for flag in join.flags.values()]
    assert "open_interest_missing" in flags
    assert set(flags) <= set(spec.columns)
    counted = len(spec.prices) + 2 * len(spec.observations) + len(flags)
    assert len(spec.columns) == counted


def test_tests_are_no_meaning(copied: Path) -> None:
    """A changed threshold leaves what the panel is computed from as it is."""
    spec = loader.load(copied).join_spec
    plain = spec.model_dump(mode="json")
    assert "tests" not in plain
    assert all("tests" not in join for join in plain["joins"])
    assert JoinSpec.model_validate(plain).columns == spec.columns
