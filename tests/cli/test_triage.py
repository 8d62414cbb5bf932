"""What a person decides about a line in quarantine, from the first look to the exports."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.engine.slices import rows_between
from cbi_stream.lake.lake import Lake
from cbi_stream.registry import loader
from cbi_stream.words.span import Span
from tests.cli.conftest import REGISTRY

Cbi = Callable[..., Any]
DAY = date(2023, 5, 10)
NOTE = ("--note", "as the exchange says", "--author", "ada")


@dataclass(frozen=True)
class Faulty:
    """A lake in which one true-looking line of the target says 30 % too much."""

    lake: Path
    sha256: str
    line: int
    close: str
    """What the line truly said."""

    @property
    def place(self) -> tuple[str, str]:
        """File and line, as a verb takes them."""
        return self.sha256[:8], str(self.line)


@pytest.fixture(scope="module")
def faulty(
    cbi: Cbi, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Faulty:
    """Return a lake whose first file of the target has one price 30 % too high."""
    folder = tmp_path_factory.mktemp("triage")
    oil = next(path for path in files if path.name == "ZL=F.csv")
    lines = oil.read_text().split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(DAY.isoformat()))
    cells = lines[at].split(",")
    close = cells[4]
    cells[4] = f"{float(close) * 1.3:.6f}"
    lines[at] = ",".join(cells)
    spoilt = folder / "ZL=F.csv"
    spoilt.write_text("\n".join(lines))
    others = [path for path in files if path.name != "ZL=F.csv"]
    lake = folder / "lake"
    assert cbi("init", "--simulated", "--lake", lake).code == 0
    assert cbi("drop", spoilt, *others, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    sha256 = hashlib.sha256(spoilt.read_bytes()).hexdigest()
    return Faulty(lake, sha256, at + 1, close)


@pytest.fixture
def mine(faulty: Faulty, tmp_path: Path) -> Faulty:
    """Return a copy that a test may decide in."""
    lake = Path(shutil.copytree(faulty.lake, tmp_path / "lake"))
    return Faulty(lake, faulty.sha256, faulty.line, faulty.close)


def decided(cbi: Cbi, mine: Faulty, verb: str, *words: object) -> Any:
    """Decide, run, and return what the decision said in JSON."""
    said = cbi("quarantine", verb, *mine.place, *words, "--lake", mine.lake, "--json")
    assert said.code == 0, said.err
    assert cbi("run", "--until-idle", "--lake", mine.lake).code == 0
    return json.loads(said.out)


def staged(folder: Path) -> dict[str, Any]:
    """Return the target's staged bar of the day."""
    lake = Lake(folder, loader.load(REGISTRY))
    rows = rows_between(
        lake, "staging.prices", Span.day(DAY), lake.table("staging.prices").head()[1]
    )
    found = [row for row in rows.to_dicts() if row["symbol"] == "ZL"]
    return found[0] if found else {}


def panel(folder: Path) -> dict[str, Any]:
    """Return the panel's row of the day."""
    lake = Lake(folder, loader.load(REGISTRY))
    current = lake.table("features.panel").head()[1]
    return rows_between(lake, "features.panel", Span.day(DAY), current).row(
        0, named=True
    )


def hashes(folder: Path) -> dict[tuple[str, str], str]:
    """Return the hash of every partition of every derived table."""
    lake = Lake(folder, loader.load(REGISTRY))
    return {
        (name, partition): entry.hash
        for name, contract in lake.registry.contracts.items()
        if not contract.is_record
        for partition, entry in lake.table(name).head()[1].partitions.items()
    }


def test_show_tells_all_that_a_decision_needs(cbi: Cbi, faulty: Faulty) -> None:
    """The line as written, the rules with what they ask, what was usual, what stands near."""
    said = cbi("quarantine", "show", *faulty.place, "--lake", faulty.lake, "--json")
    assert said.code == 0, said.err
    plain = json.loads(said.out)
    assert plain["written"].startswith(DAY.isoformat())
    assert {each["rule"] for each in plain["rules"]} >= {"close_off_bar"}
    assert all(each["asks"] for each in plain["rules"])
    assert [each["fate"] for each in plain["lines"]] == ["quarantined"]
    near = {row["date"] for row in plain["near"]}
    assert len(near) >= 8, "the sessions around it are shown"
    assert "features.master/2023" in plain["reaches"]
    shown = cbi("quarantine", "show", *faulty.place, "--lake", faulty.lake)
    assert "SIMULATED" in shown.out.upper()
    assert "cbi quarantine release" in shown.err


def test_a_fixed_line_is_as_if_it_had_been_right(
    cbi: Cbi, mine: Faulty, made: Path
) -> None:
    """After a fix the features and labels are those of the lake that got the right file."""
    assert staged(mine.lake) == {}
    assert panel(mine.lake)["close"] is None, "the session stays on the grid"
    decided(cbi, mine, "fix", "--set", f"close={mine.close}", *NOTE)
    row = staged(mine.lake)
    assert row["flags"] == "fixed"
    right = hashes(made)
    for place, found in hashes(mine.lake).items():
        if place[0].startswith(("features.", "labels.")):
            assert found == right[place], place
    assert cbi("prove", "--lake", mine.lake).code == 0


def test_what_a_decision_changes_was_told_and_nothing_else_moves(
    cbi: Cbi, mine: Faulty
) -> None:
    """The partitions that move are among those told; those before the day stay as they are."""
    before = hashes(mine.lake)
    said = decided(cbi, mine, "fix", "--set", f"close={mine.close}", *NOTE)
    moved = {
        place for place, found in hashes(mine.lake).items() if before[place] != found
    }
    assert moved <= {tuple(each.split("/")) for each in said["reaches"]}
    # Other sources' lines of that day are not looked at again.
    assert not [each for each in said["reaches"] if "fred" in each]
    assert ("staging.prices", "2023") in moved
    assert ("features.master", "2023") in moved
    assert not any(partition < "2022" for _, partition in moved)


def test_a_released_line_stands_though_it_broke_rules(cbi: Cbi, mine: Faulty) -> None:
    """It is staged as written and says that a person let it; withdrawn, it is out again."""
    before = hashes(mine.lake)
    decided(cbi, mine, "release", *NOTE)
    row = staged(mine.lake)
    assert row["close"] == pytest.approx(float(mine.close) * 1.3, abs=0.01)
    assert "released" in row["flags"].split(",")
    assert cbi("prove", "--lake", mine.lake).code == 0
    decided(cbi, mine, "withdraw", *NOTE)
    assert hashes(mine.lake) == before, "the same bits as before the release"


def test_decisions_outlive_a_rebuild(cbi: Cbi, mine: Faulty) -> None:
    """A rebuild replays them: it commits nothing new."""
    decided(cbi, mine, "fix", "--set", f"close={mine.close}", *NOTE)
    before = hashes(mine.lake)
    assert cbi("rebuild", "--lake", mine.lake).code == 0
    assert hashes(mine.lake) == before


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("release", "--note", " "), "note"),
        (("fix", "--set", "close", "--note", "x"), "CELL=VALUE"),
        (("fix", "--set", "symbol=ZS", "--note", "x"), "no key"),
        (("fix", "--set", "colour=red", "--note", "x"), "expected cells of raw.yahoo"),
    ],
    ids=["no note", "no value", "a key", "no cell"],
)
def test_a_decision_that_means_nothing_is_refused(
    cbi: Cbi, faulty: Faulty, words: tuple[str, ...], expected: str
) -> None:
    """Wrong usage names what was expected, and records nothing."""
    verb, *rest = words
    lake = Lake(faulty.lake, loader.load(REGISTRY))
    before = lake.table("raw.decisions").head()[0]
    said = cbi("quarantine", verb, *faulty.place, *rest, "--lake", faulty.lake)
    assert said.code == 2
    assert expected in said.err
    assert lake.table("raw.decisions").head()[0] == before


def test_a_line_that_stands_is_not_released(cbi: Cbi, faulty: Faulty) -> None:
    """There is nothing to release in a line that broke no rule."""
    at = str(faulty.line - 3)
    said = cbi(
        "quarantine", "release", faulty.sha256[:8], at, *NOTE, "--lake", faulty.lake
    )
    assert said.code == 2
    assert "in quarantine" in said.err
