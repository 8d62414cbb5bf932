"""`cbi plan --rules` says what other rules would move, before a run moves it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream.engine.slices import rows_between
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.words.span import Span
from tests.cli.conftest import REGISTRY

Cbi = Callable[..., Any]
STRICT = "\n  - {rule: jump, on: {symbols: [ZL]}, with: {limit: 0.06}}\n"


@pytest.fixture(scope="module")
def stricter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry in which the target may hardly move."""
    folder = tmp_path_factory.mktemp("stricter") / "registry"
    shutil.copytree(REGISTRY, folder)
    file = folder / "rules.yaml"
    file.write_text(file.read_text().rstrip("\n") + STRICT)
    return folder


@dataclass(frozen=True)
class Applied:
    """A lake before and after stricter rules, and what plans said on the way."""

    lake: Path
    before: dict[str, Any]
    after: dict[str, Any]
    away: set[tuple[str, int]]
    """The lines that the run turned away."""
    kept_still: bool
    """Whether the plan itself moved nothing."""
    strict: Any
    loose: Any


@pytest.fixture(scope="module")
def applied(cbi: Cbi, made: Path, stricter: Path) -> Applied:
    """Plan stricter rules, run with them, and plan the way back."""
    lake = Path(shutil.copytree(made, stricter.parent / "lake"))
    lines, before = quarantined(lake), maps(lake)
    strict = planned(cbi, lake, "--with", stricter / "rules.yaml")
    still = maps(lake) == before
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CBI_REGISTRY", str(stricter))
        assert cbi("run", "--until-idle", "--lake", lake).code == 0
    away = quarantined(lake) - lines
    loose = planned(cbi, lake)
    return Applied(lake, before, maps(lake), away, still, strict, loose)


def maps(folder: Path) -> dict[str, Any]:
    """Return the newest map of each derived table."""
    found = Lake(folder, loader.load(REGISTRY))
    names = [n for n, c in found.registry.contracts.items() if not c.is_record]
    return {n: found.table(n).head()[1] for n in names}


def planned(cbi: Cbi, lake: Path, *words: object) -> Any:
    """Return what the plan says in JSON."""
    said = cbi("plan", "--rules", *words, "--lake", lake, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def quarantined(folder: Path) -> set[tuple[str, int]]:
    """Return file and line of every quarantined line of prices."""
    return set(_rows(folder, "quarantine.prices").select("sha256", "line").rows())


def _rows(folder: Path, table: str) -> pl.DataFrame:
    found = Lake(folder, loader.load(REGISTRY))
    return rows_between(found, table, Span.all(), found.table(table).head()[1])


def test_the_rules_that_were_applied_move_nothing(cbi: Cbi, made: Path) -> None:
    """With the rules that the lake was made with no line moves, and nothing is planned."""
    assert planned(cbi, made) == {"lines": [], "tasks": []}


def test_a_run_moves_exactly_the_lines_that_the_plan_names(applied: Applied) -> None:
    """The plan's lines are those that a run with the rules turns away, no more, no fewer."""
    lines = applied.strict["lines"]
    assert applied.kept_still
    assert {each["would"] for each in lines} == {"be turned away"}
    assert {(each["sha256"], each["line"]) for each in lines} == applied.away
    assert len(applied.away) > 1


def test_what_a_run_changes_was_planned(applied: Applied) -> None:
    """Every partition whose content changes stands in the plan, down to features.master."""
    there = {(task["table"], task["partition"]) for task in applied.strict["tasks"]}
    moved = {
        (name, partition)
        for name, current in applied.after.items()
        if not name.startswith("quarantine.")
        for partition, entry in current.partitions.items()
        if applied.before[name].partitions[partition].hash != entry.hash
    }
    assert ("features.master", "2023") in moved
    assert moved <= there


def test_looser_rules_let_lines_in(applied: Applied) -> None:
    """Back to the rules that were, the same lines are let in again."""
    lines = applied.loose["lines"]
    assert {each["would"] for each in lines} == {"be let in"}
    assert {(each["sha256"], each["line"]) for each in lines} == applied.away


def test_a_file_of_rules_needs_rules(
    cbi: Cbi, made: Path, stricter: Path, tmp_path: Path
) -> None:
    """--with alone is wrong usage, and a file with an unknown rule names file and line."""
    good, bad = stricter / "rules.yaml", tmp_path / "rules.yaml"
    assert cbi("plan", "--with", good, "--lake", made).code == 2
    bad.write_text(good.read_text() + "  - {rule: jmup, with: {limit: 1}}\n")
    said = cbi("plan", "--rules", "--with", bad, "--lake", made)
    assert said.code == 78
    assert f"{bad}:" in said.err
    assert "jmup" in said.err


def test_the_plan_is_read_on_a_terminal(cbi: Cbi, made: Path, stricter: Path) -> None:
    """For people it names rule, date and what was found, and that nothing was changed."""
    said = cbi("plan", "--rules", "--with", stricter / "rules.yaml", "--lake", made)
    assert said.code == 0
    for word in ("be turned away", "jump", "limit", "features.master"):
        assert word in said.out
    assert "nothing was changed" in said.err
