"""`cbi status` accounts for every line, and is loud where one is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.cli.opening import opened
from cbi_stream.doors import landing
from cbi_stream.engine import fates
from cbi_stream.replay import edits
from cbi_stream.shapes.handler import FATES

Cbi = Callable[..., Any]
LATE = "2024-01-02,38.0,38.5,37.5,38.0,38.0,1000"


def status(cbi: Cbi, lake: Path, *, code: int = 0) -> Any:
    """Return what `cbi status --json` answers."""
    said = cbi("status", "--lake", lake, "--json")
    assert said.code == code, said.err
    return json.loads(said.out)


def test_the_fates_of_a_source_add_up_to_its_lines(
    cbi: Cbi, lake: Path, files: list[Path]
) -> None:
    """Read is what the files hold; each line has one fate; the same file again doubles."""
    held = {p.name: sum(x[:1] == "2" for x in p.read_text().split("\n")) for p in files}
    lines = status(cbi, lake)["lines"]
    assert lines["raw.yahoo"]["read"] == held["ZL=F.csv"]
    assert lines["raw.fred"]["read"] == held["VIXCLS.csv"] + held["DGS10.csv"]
    assert cbi("drop", *files, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    again = status(cbi, lake)["lines"]
    for raw, counts in again.items():
        assert counts["read"] == 2 * lines[raw]["read"]
        assert counts["duplicate"] == counts["read"] // 2
        assert sum(counts[fate] for fate in FATES) == counts["read"]
        assert counts["unaccounted"] == 0


def test_the_table_of_lines_is_shown(cbi: Cbi, made: Path) -> None:
    """Every fate has a row, every source a column, and no digit is cut off."""
    said = cbi("status", "--lake", made)
    counts = status(cbi, made)["lines"]
    split = [line.split() for line in said.out.splitlines() if line.strip()]
    rows = {cells[0]: cells[1:] for cells in split}
    for name in ("read", "stored", *FATES, "held", "unaccounted"):
        assert rows[name] == [str(counts[raw][name]) for raw in counts]


def test_a_lost_line_is_loud(
    cbi: Cbi, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is planned and nothing failed, a line without a fate is exit 3."""
    honest = fates.of_lake

    def lossy(*args: Any) -> Any:
        told = honest(*args)
        told["raw.yahoo"]["staged"] -= 1
        told["raw.yahoo"]["unaccounted"] += 1
        return told

    monkeypatch.setattr(fates, "of_lake", lossy)
    said = cbi("status", "--lake", made)
    assert said.code == 3
    assert "LINES ARE LOST: raw.yahoo: 1 lines" in said.err
    assert status(cbi, made, code=3)["lost"] == {"raw.yahoo": 1}


def test_lines_that_nobody_looked_at_are_lost_too(
    cbi: Cbi, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A raw table that no map speaks of is not passed over."""
    monkeypatch.setattr(fates, "of_lake", lambda *args: {})
    plain = status(cbi, made, code=3)
    assert set(plain["lost"]) == {"raw.fred", "raw.yahoo"}
    assert plain["lost"]["raw.yahoo"] == plain["lines"]["raw.yahoo"]["stored"]


def test_lines_that_wait_for_a_run_are_not_lost(
    cbi: Cbi, lake: Path, files: list[Path], tmp_path: Path
) -> None:
    """Taken in and not yet staged: they are unaccounted, planned, and no breach."""
    oil = next(path for path in files if path.name == "ZL=F.csv")
    path = tmp_path / oil.name
    path.write_bytes(edits.noisy(oil.read_bytes(), seed=3) + LATE.encode() + b"\n")
    found, graph = opened(lake)
    landing.drop(found, path, landing.Hint())
    assert [receipt.end for receipt in landing.take_in(found, graph)] == ["archive"]
    plain = status(cbi, lake)
    assert plain["lines"]["raw.yahoo"]["unaccounted"] > 0
    assert plain["lost"] == {}
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    assert status(cbi, lake)["lines"]["raw.yahoo"]["unaccounted"] == 0


def test_files_wait_or_are_turned_away_with_their_reasons(
    cbi: Cbi, lake: Path, tmp_path: Path
) -> None:
    """A file that no source knows waits; one that is no table is in the quarantine."""
    texts = {
        "stranger.csv": "# SIMULATED by hand\ntime,price\n1,2\n",
        "page.csv": "<!DOCTYPE html>\n<html>Not Found</html>\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        assert cbi("drop", tmp_path / name, "--lake", lake).code == 0
    assert "nobody looked at it yet" in cbi("status", "--lake", lake).err
    assert cbi("run", "--until-idle", "--lake", lake).code == 4
    plain = status(cbi, lake)
    told = {
        each["file"]: each for each in plain["waiting"] + plain["quarantined_files"]
    }
    assert set(told) == set(texts)
    assert plain["landing"] == ["stranger.csv"]
    said = cbi("status", "--lake", lake)
    for name, each in told.items():
        assert each["reason"]
        assert f"{name}: {each['reason']}" in said.err
