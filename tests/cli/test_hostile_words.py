"""What stands in a stranger's file or name moves no cursor and runs in no spreadsheet.

It hands in simulated bytes alone.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from cbi_stream.cli.reading import inert

Cbi = Callable[..., Any]
MARK = "# SIMULATED by cbi-stream: no real market data, seed 7\n"
HEADER = "Date,Open,High,Low,Close,Adj Close,Volume\n"
FORMULAS = (
    '=HYPERLINK("http://x")',
    "@SUM(A1)",
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "\t=1+1",
    " =1+1",
    "\u200b=1+1",
    "-",
)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_cell_of_text_is_no_formula(text: str) -> None:
    """It gets an apostrophe before it, by which a spreadsheet takes it for text."""
    (row,) = csv.DictReader(io.StringIO(inert(pl.DataFrame({"a": [text]})).write_csv()))
    assert row["a"] == f"'{text}"


def test_numbers_and_plain_words_stay_as_they_are() -> None:
    """A number with its sign is no formula, whether it is a number or text of one."""
    frame = pl.DataFrame(
        {"a": ["-1.5", "+2", "ZL", "a=b", "", None], "b": [-1.5, 2.0, 0, 1, 2, None]}
    )
    assert inert(frame).equals(frame)


def test_a_table_that_is_written_holds_no_formula(
    cbi: Cbi, lake: Path, tmp_path: Path
) -> None:
    """A line of a file that begins like a formula is written as text, on both roads."""
    good = "".join(f"2023-05-1{i},1,1,1,1,1,1\n" for i in range(1, 4))
    (tmp_path / "ZL=F.csv").write_text(f"{MARK}{HEADER}{good}=1+1,1,1,1,1,1,1\n")
    assert cbi("drop", tmp_path / "ZL=F.csv", "--lake", lake).code == 0
    cbi("run", "--until-idle", "--lake", lake)
    words = [
        "read",
        "raw.yahoo",
        "--columns",
        "text",
        "--format",
        "csv",
        "--lake",
        lake,
    ]
    assert '"\'=1+1,1,1,1,1,1,1"' in cbi(*words).out
    cbi(*words, "--out", tmp_path / "out.csv")
    assert "\n\"'=1+1" in (tmp_path / "out.csv").read_text()


def test_an_odd_name_moves_no_cursor(cbi: Cbi, lake: Path, tmp_path: Path) -> None:
    """Every verb that names a file writes its odd characters out."""
    names = ("esc\x1b[2J\u202e.csv", "new\nline.csv", "page\x9b31m.csv")
    for name, text in zip(
        names, ("time,price\n", "x,y\n", "<html>no</html>"), strict=True
    ):
        (tmp_path / name).write_text(text)
        said = cbi("drop", tmp_path / name, "--lake", lake)
        _is_quiet(said)
    _is_quiet(cbi("run", "--until-idle", "--lake", lake))
    for words in (["status"], ["health"], ["quarantine", "list"], ["logs"]):
        said = cbi(*words, "--lake", lake)
        _is_quiet(said)
    assert "esc\\x1b[2J" in "".join(cbi("health", "--lake", lake).out.split())


def test_a_cell_moves_no_cursor(cbi: Cbi, lake: Path, tmp_path: Path) -> None:
    """A table for people shows what stands in a file, and does nothing of it."""
    good = "".join(f"2023-05-1{i},1,1,1,1,1,1\n" for i in range(1, 4))
    (tmp_path / "ZL=F.csv").write_text(f"{MARK}{HEADER}{good}\x1b[2J\u202e,1\n")
    cbi("drop", tmp_path / "ZL=F.csv", "--lake", lake)
    cbi("run", "--until-idle", "--lake", lake)
    words = ["read", "raw.yahoo", "--from", "2023-05-13", "--to", "2023-05-13"]
    said = cbi(*words, "--columns", "text", "--lake", lake)
    assert "[2J" in said.out
    _is_quiet(said)


def _is_quiet(said: Any) -> None:
    text = said.out + said.err
    odd = {c for c in text if not c.isprintable() and c != "\n"}
    assert not odd, (odd, text)
