"""`cbi read --as-of` and `--as-seen` show what was known, and what was held, then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.replay import edits

Cbi = Callable[..., Any]
OBSERVED, RESTATED = date(2023, 3, 14), 25.5


@pytest.fixture(scope="module")
def restated(
    cbi: Cbi, made: Path, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, float]:
    """Return a lake that was told another VIX of one day later, and the first value."""
    folder = tmp_path_factory.mktemp("restated")
    lake = Path(shutil.copytree(made, folder / "lake"))
    fear = next(path for path in files if path.name == "VIXCLS.csv")
    rows = dict(line.split(",") for line in fear.read_text().split("\n") if "," in line)
    changed = edits.corrected(fear.read_bytes(), day=OBSERVED, close=RESTATED)
    (folder / fear.name).write_bytes(changed)
    assert cbi("drop", folder / fear.name, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    return lake, float(rows[OBSERVED.isoformat()])


def rows_of(cbi: Cbi, lake: Path, table: str, *words: object) -> list[dict[str, Any]]:
    """Return the rows that a read gives."""
    said = cbi("read", table, *words, "--lake", lake, "--json")
    assert said.code == 0, said.err
    return [dict(row) for row in json.loads(said.out)]


def observed(cbi: Cbi, lake: Path, *words: object) -> list[float]:
    """Return the values of the restated observation, oldest version first."""
    day = ["--from", OBSERVED, "--to", OBSERVED]
    rows = rows_of(cbi, lake, "staging.fred", *day, *words)
    return [row["value"] for row in rows if row["series"] == "VIXCLS"]


def test_the_world_knew_the_old_value(cbi: Cbi, restated: Any) -> None:
    """Both versions are stored; as of that summer only the first one was there."""
    lake, first = restated
    assert observed(cbi, lake) == [first, RESTATED]
    assert observed(cbi, lake, "--as-of", "2023-06-30") == [first]
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    assert observed(cbi, lake, "--as-of", tomorrow) == [RESTATED]


def test_a_date_means_its_decision_time(cbi: Cbi, restated: Any) -> None:
    """What came out at 16:30 in Chicago is known that day, and not an hour before."""
    lake, first = restated
    assert observed(cbi, lake, "--as-of", "2023-03-15") == [first]
    assert observed(cbi, lake, "--as-of", "2023-03-15T18:00-05:00") == [first]
    assert observed(cbi, lake, "--as-of", "2023-03-15T16:29-05:00") == []


def test_this_lake_held_nothing_then(cbi: Cbi, restated: Any) -> None:
    """The files came today: before that the lake held no row of any table."""
    lake, first = restated
    for table in ("staging.fred", "staging.prices", "raw.yahoo", "features.panel"):
        assert rows_of(cbi, lake, table, "--as-seen", "2023-06-30") == []
    before = json.loads((lake / "landing" / "VIXCLS.csv.receipt.json").read_bytes())
    seen = datetime.fromisoformat(before["as_of"]) - timedelta(microseconds=1)
    assert observed(cbi, lake, "--as-seen", seen.isoformat()) == [first]


def test_a_session_is_shown_as_it_was_decided_on(cbi: Cbi, restated: Any) -> None:
    """The row of a session equals the row as of its own decision time."""
    lake, _ = restated
    day = ["--from", "2023-03-15", "--to", "2023-03-15"]
    then = rows_of(cbi, lake, "features.panel", *day, "--as-of", "2023-03-15")
    assert then == rows_of(cbi, lake, "features.panel", *day)
    (row,) = then
    assert row["vix"] == restated[1]


def test_both_restrict_together(cbi: Cbi, restated: Any) -> None:
    """A row must have been known to the world and held by the lake."""
    lake, first = restated
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date()
    both = ["--as-of", "2023-06-30", "--as-seen", tomorrow]
    assert observed(cbi, lake, *both) == [first]


@pytest.mark.parametrize("flag", ["--as-of", "--as-seen"])
@pytest.mark.parametrize(
    "more",
    [["2023-06-30T18:00"], ["soon"], ["2023-02-30"], ["2023-06-30", "--version", "1"]],
)
def test_a_time_without_zone_or_with_a_version_is_wrong_usage(
    cbi: Cbi, made: Path, flag: str, more: list[str]
) -> None:
    """Neither a guess about the zone, nor two answers to when."""
    said = cbi("read", "features.panel", flag, *more, "--lake", made)
    assert (said.code, said.out) == (2, "")
    assert flag in said.err


def test_an_unknown_table_is_wrong_usage(cbi: Cbi, made: Path) -> None:
    """The same message as without a time."""
    said = cbi("read", "staging.price", "--as-of", "2023-06-30", "--lake", made)
    assert said.code == 2
    assert "staging.prices" in said.err


def test_the_help_explains_both(cbi: Cbi) -> None:
    """What the world knew, and what this lake held, are told apart."""
    text = " ".join(cbi("read", "--help").out.split())
    assert "what the world could know" in text
    assert "what this lake held" in text
