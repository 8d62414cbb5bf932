"""`cbi export` lists the training files, writes what is stale, and copies them whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream.lake import durable

Cbi = Callable[..., Any]
NAME = "zl_training_prod_allhistory_1w"


def exported(cbi: Cbi, lake: Path, *words: object) -> Any:
    """Return what `cbi export --json` answers."""
    said = cbi("export", *words, "--lake", lake, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_ten_files_are_listed_as_they_are(cbi: Cbi, lake: Path) -> None:
    """Rows, columns, dates and hash are those of the files on disk."""
    plain = exported(cbi, lake)
    assert len(plain["files"]) == 10
    assert (plain["kind"], plain["price"]) == ("simulated", "front month, unadjusted")
    for told in plain["files"]:
        data = Path(told["path"]).read_bytes()
        frame = pl.read_parquet(data)
        assert (told["rows"], told["columns"]) == frame.shape
        assert date.fromisoformat(told["first"]) == frame["date"].min()
        assert date.fromisoformat(told["last"]) == frame["date"].max()
        assert told["sha256"] == hashlib.sha256(data).hexdigest()
        assert Path(told["manifest"]).exists()


def test_a_person_is_told_which_lake_and_which_price(cbi: Cbi, lake: Path) -> None:
    """Simulated numbers and an unadjusted price are never silent."""
    said = cbi("export", "--lake", lake)
    assert said.code == 0
    assert "simulated lake" in said.out
    assert "front month, unadjusted" in said.out
    assert NAME in said.out


def test_what_is_up_to_date_is_not_written_again(cbi: Cbi, lake: Path) -> None:
    """Nothing is written where nothing changed; what is missing is, bit for bit."""
    assert exported(cbi, lake)["written"] == []
    path = lake / "exports" / f"{NAME}.parquet"
    before = path.read_bytes()
    path.unlink()
    assert NAME in exported(cbi, lake)["written"]
    assert path.read_bytes() == before


def test_a_dry_run_writes_and_copies_nothing(
    cbi: Cbi, lake: Path, tmp_path: Path
) -> None:
    """It lists what stands there, and says that a file is missing."""
    (lake / "exports" / f"{NAME}.parquet").unlink()
    words = ["export", "--dry-run", "--to", tmp_path / "out", "--lake", lake, "--json"]
    said = cbi(*words)
    assert said.code == 4
    assert json.loads(said.out)["missing"] == [NAME]
    assert not (tmp_path / "out").exists()
    assert not (lake / "exports" / f"{NAME}.parquet").exists()


def test_copies_are_the_same_bytes(cbi: Cbi, lake: Path, tmp_path: Path) -> None:
    """Each Parquet file and its manifest stand in the folder, and nothing else."""
    plain = exported(cbi, lake, "--to", tmp_path / "out")
    there = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    mine = {path.name: path.read_bytes() for path in (lake / "exports").iterdir()}
    assert there == mine
    assert len(there) == 2 * len(plain["copied"]) == 20


def test_a_changed_file_is_not_handed_out(cbi: Cbi, lake: Path, tmp_path: Path) -> None:
    """Bytes that its manifest does not name are refused, by the file's name."""
    path = lake / "exports" / f"{NAME}.parquet"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    said = cbi("export", "--to", tmp_path / "out", "--lake", lake)
    assert (said.code, said.out) == (1, "")
    assert path.name in said.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["lake/exports", "lake/elsewhere", "file"])
def test_a_folder_that_cannot_be_is_wrong_usage(
    cbi: Cbi, lake: Path, place: str
) -> None:
    """Neither a file nor a place inside the lake."""
    (lake.parent / "file").write_text("")
    said = cbi("export", "--to", lake.parent / place, "--lake", lake)
    assert (said.code, said.out) == (2, "")
    assert "expected a folder" in said.err


def test_an_empty_lake_has_none_and_says_so(cbi: Cbi, tmp_path: Path) -> None:
    """Nothing was computed yet: all ten are missing, exit 4."""
    lake = tmp_path / "lake"
    assert cbi("init", "--simulated", "--lake", lake).code == 0
    said = cbi("export", "--lake", lake, "--json")
    assert said.code == 4
    assert len(json.loads(said.out)["missing"]) == 10


def test_nobody_exports_beside_another_writer(cbi: Cbi, lake: Path) -> None:
    """Exit 5 while the lock is held; a dry run looks all the same."""
    with durable.locked(lake / "dispatch.lock"):
        assert cbi("export", "--lake", lake).code == 5
        assert cbi("export", "--dry-run", "--lake", lake).code == 0
