"""`cbi quarantine list` shows every line and file that was turned away, and why."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cbi = Callable[..., Any]
OFF, SHORT, HOSTILE = 60, "2023-05-11", "[red]\x1b[31mred[/red]"
"""How many closes lie off their tick, and one line that is cut short."""


def spoilt(path: Path) -> tuple[bytes, dict[int, str]]:
    """Return the file with planted faults, and by line number which rule each breaks."""
    lines = path.read_text().split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(SHORT))
    lines[at] = f"{SHORT},{HOSTILE}"
    planted = {at + 1: "unreadable"}
    for i in range(at + 1, at + 1 + OFF):
        cells = lines[i].split(",")
        lines[i] = ",".join([*cells[:4], f"{cells[4][:-4]}3456", *cells[5:]])
        planted[i + 1] = "off_tick"
    return "\n".join(lines).encode(), planted


@pytest.fixture(scope="module")
def faulty(
    cbi: Cbi, made: Path, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, dict[int, str]]:
    """Return a lake with faults, the sha256 of the faulty file, and the faults."""
    folder = tmp_path_factory.mktemp("faulty")
    lake = Path(shutil.copytree(made, folder / "lake"))
    oil = next(path for path in files if path.name == "ZL=F.csv")
    data, planted = spoilt(oil)
    (folder / "ZL=F.csv").write_bytes(data)
    (folder / "page.csv").write_text("<!DOCTYPE html>\n<html>Not Found</html>\n")
    for name in ("ZL=F.csv", "page.csv"):
        assert cbi("drop", folder / name, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 4
    return lake, hashlib.sha256(data).hexdigest(), planted


def listed(cbi: Cbi, lake: Path, *words: object) -> Any:
    """Return what the list says in JSON."""
    said = cbi("quarantine", "list", *words, "--lake", lake, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def test_every_planted_fault_is_listed_with_its_rule(cbi: Cbi, faulty: Any) -> None:
    """Exactly the planted lines, each with file, line and rule."""
    lake, sha256, planted = faulty
    lines = listed(cbi, lake)["lines"]
    assert {line["line"]: line["rules"] for line in lines} == planted
    assert {line["sha256"] for line in lines} == {sha256}
    assert {line["about"] for line in lines} == {"ZL"}
    assert [line["date"] for line in lines] == sorted(
        (line["date"] for line in lines), reverse=True
    )


def test_filters_take_what_they_say(cbi: Cbi, faulty: Any) -> None:
    """By subject, rule, date and file."""
    lake, sha256, planted = faulty
    counts = Counter(planted.values())
    for words, expected in (
        (["--rule", "unreadable"], counts["unreadable"]),
        (["--table", "prices"], len(planted)),
        (["--table", "quarantine.fred"], 0),
        (["--file", sha256[:8]], len(planted)),
        (["--file", "0" * 8], 0),
        (["--from", SHORT, "--to", SHORT], 1),
        (["--to", "2023-05-10"], 0),
        (["--rule", "weekend"], 0),
    ):
        assert len(listed(cbi, lake, *words)["lines"]) == expected, words


def test_a_long_list_is_cut_and_says_so(cbi: Cbi, faulty: Any) -> None:
    """Fifty rows, then a note how to see all; counts speak of all of them."""
    lake, sha256, planted = faulty
    said = cbi("quarantine", "list", "--lake", lake)
    rows = [line for line in said.out.splitlines() if sha256[:8] in line]
    assert len(rows) == 50
    assert f"these are 50 of {len(planted)}: all of them with --all" in said.err
    assert f"{len(planted)} lines in quarantine (simulated lake" in said.out
    every = cbi("quarantine", "list", "--all", "--lake", lake)
    assert sum(sha256[:8] in line for line in every.out.splitlines()) == len(planted)
    assert "--all" not in every.err


def test_what_stands_in_a_line_is_shown_and_does_nothing(cbi: Cbi, faulty: Any) -> None:
    """Neither an escape sequence nor a word in brackets changes what is printed."""
    said = cbi("quarantine", "list", "--rule", "unreadable", "--lake", faulty[0])
    assert "\x1b" not in said.out
    assert "[red]\\x1b[31mred[/red]" in "".join(said.out.split())


def test_a_line_can_be_decided_on_as_it_is_listed(
    cbi: Cbi, faulty: Any, tmp_path: Path
) -> None:
    """The short hash and the number that are printed name the line for a decision."""
    lake = Path(shutil.copytree(faulty[0], tmp_path / "lake"))
    sha256, number = faulty[1][:8], next(iter(faulty[2]))
    words = [sha256, number, "--author", "anna", "--note", "seen", "--lake", lake]
    assert cbi("quarantine", "reject", *words).code == 0
    told = {line["line"]: line for line in listed(cbi, lake)["lines"]}[number]
    (said,) = told["decisions"]
    assert (said["verdict"], said["author"], said["note"]) == ("reject", "anna", "seen")


def test_a_file_that_is_no_table_is_listed_with_its_reason(
    cbi: Cbi, faulty: Any
) -> None:
    """Whole files stand below, each with why it was turned away."""
    lake = faulty[0]
    (told,) = listed(cbi, lake)["files"]
    assert told["file"] == "page.csv"
    assert told["reason"]
    said = cbi("quarantine", "list", "--lake", lake)
    assert "page.csv" in said.out
    assert told["sha256"][:8] in said.out


def test_an_empty_quarantine_is_no_error(cbi: Cbi, made: Path) -> None:
    """Nothing was turned away: exit 0, and it says so."""
    said = cbi("quarantine", "list", "--lake", made)
    assert said.code == 0
    assert "0 lines in quarantine" in said.out
    assert listed(cbi, made) == {"kind": "simulated", "lines": [], "files": []}


def test_an_unknown_subject_is_wrong_usage(cbi: Cbi, made: Path) -> None:
    """Exit 2, with the subjects that there are."""
    said = cbi("quarantine", "list", "--table", "price", "--lake", made)
    assert (said.code, said.out) == (2, "")
    for subject in ("cftc", "fred", "prices"):
        assert re.search(rf"\b{subject},", said.err), said.err
