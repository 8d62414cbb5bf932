"""The verbs do what their help says, and their exit codes mean one thing each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

Cbi = Callable[..., Any]
HOLDER = """
import sys, time
from pathlib import Path
from cbi_stream.lake import durable
with durable.locked(Path(sys.argv[1]) / "dispatch.lock"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def _held(lake: Path) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lake)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield
    finally:
        process.kill()
        process.communicate()


def _one_file(lake: Path, table: str) -> Path:
    return sorted((lake / table.replace(".", "/")).rglob("*.parquet"))[0]


def test_init_makes_a_lake_and_says_so(cbi: Cbi, tmp_path: Path) -> None:
    """The kind is printed, and the folder is a lake from then on."""
    said = cbi("init", "--lake", tmp_path / "lake", "--json")
    assert said.code == 0
    plain = json.loads(said.out)
    assert (plain["kind"], plain["lake"]) == ("real", str(tmp_path / "lake"))
    assert json.loads((tmp_path / "lake" / "lake.json").read_bytes())["kind"] == "real"


def test_init_twice_is_refused(cbi: Cbi, lake: Path) -> None:
    """A lake is not made over another one."""
    before = (lake / "lake.json").read_bytes()
    said = cbi("init", "--lake", lake)
    assert (said.code, said.out) == (2, "")
    assert "is not empty" in said.err
    assert (lake / "lake.json").read_bytes() == before


def test_no_lake_is_wrong_usage(cbi: Cbi, tmp_path: Path) -> None:
    """A verb on a folder that is no lake says how to make one."""
    said = cbi("status", "--lake", tmp_path)
    assert said.code == 2
    assert "cbi init" in said.err


def test_the_lake_may_stand_in_the_environment(
    cbi: Cbi, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CBI_LAKE chooses the lake where no option does."""
    monkeypatch.setenv("CBI_LAKE", str(made))
    assert json.loads(cbi("status", "--json").out)["lake"] == str(made)


def test_a_bad_registry_is_bad_configuration(
    cbi: Cbi, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 78, and the file is named."""
    monkeypatch.setenv("CBI_REGISTRY", str(tmp_path))
    said = cbi("status", "--lake", made)
    assert said.code == 78
    assert f"registry file {tmp_path}" in said.err


def _first_json(text: str) -> Any:
    found, end = json.JSONDecoder().raw_decode(text)
    assert text[end:].strip() == ""
    return found


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["plan"],
        ["run", "--until-idle"],
        ["rebuild"],
        ["rebuild", "--dry-run"],
        ["prove"],
        ["read", "features.panel"],
        ["drop", "FILE", "--dry-run"],
    ],
)
def test_json_is_one_value_and_nothing_else(
    cbi: Cbi, lake: Path, files: list[Path], words: list[str]
) -> None:
    """A machine reads stdout whole; what is for people goes to stderr."""
    asked = [str(files[0]) if word == "FILE" else word for word in words]
    said = cbi(*asked, "--lake", lake, "--json")
    assert said.code == 0, said.err
    assert _first_json(said.out) is not None
    assert said.err == ""


def test_a_run_tells_what_it_did(cbi: Cbi, made: Path) -> None:
    """After a settled run nothing is pending, and every table has rows and a version."""
    plain = json.loads(cbi("status", "--lake", made, "--json").out)
    tables = {row["table"]: row for row in plain["tables"]}
    assert plain["kind"] == "simulated"
    assert plain["landing"] == []
    assert all(row["planned"] == 0 for row in tables.values())
    for name in ("raw.yahoo", "staging.prices", "features.master", "labels.forward"):
        assert tables[name]["rows"] > 300
    assert tables["features.panel"]["last"] == "2023-12-29"
    said = cbi("status", "--lake", made)
    assert "simulated lake" in said.out


def test_a_second_run_changes_nothing(cbi: Cbi, lake: Path) -> None:
    """A settled lake is silent: the same versions, nothing computed."""
    before = cbi("status", "--lake", lake, "--json").out
    plain = json.loads(cbi("run", "--until-idle", "--lake", lake, "--json").out)
    assert plain["receipts"] == []
    assert all(counts["unaccounted"] == 0 for counts in plain["lines"].values())
    assert plain["lines"]["raw.yahoo"]["read"] > 300
    assert not any(t["changed"] for w in plain["waves"] for t in w["tables"].values())
    assert cbi("status", "--lake", lake, "--json").out == before


def test_an_unknown_table_is_wrong_usage(cbi: Cbi, made: Path) -> None:
    """Exit 2, with the tables that there are, and nothing on stdout."""
    said = cbi("read", "staging.price", "--lake", made)
    assert (said.code, said.out) == (2, "")
    assert "staging.prices" in said.err


@pytest.mark.parametrize(
    "words",
    [
        ["--columns", "date,clsoe"],
        ["--version", "999"],
        ["--version", "-5"],
        ["--format", "parquet"],
    ],
)
def test_reading_what_is_not_there_is_wrong_usage(
    cbi: Cbi, made: Path, words: list[str]
) -> None:
    """A misspelt column, a version that never was, no file for Parquet."""
    said = cbi("read", "features.panel", "--lake", made, *words)
    assert (said.code, said.out) == (2, "")


READ = ["read", "features.panel", "--from", "2023-03-01", "--to", "2023-03-31"]


@pytest.mark.parametrize(
    ("format_", "to_file"),
    [("csv", True), ("json", True), ("parquet", True), ("csv", False), ("json", False)],
)
def test_a_table_is_read_in_any_format(
    cbi: Cbi, made: Path, tmp_path: Path, format_: str, *, to_file: bool
) -> None:
    """The same rows, in a file or on stdout, exactly."""
    path = tmp_path / "out"
    where = ["--out", path] if to_file else []
    said = cbi(*READ, "--lake", made, "--format", format_, *where)
    assert said.code == 0, said.err
    data = path.read_bytes() if to_file else said.out.encode()
    assert not to_file or said.out == ""
    whole = pl.read_parquet(_exported(cbi, made, tmp_path))
    found = {
        "csv": lambda: pl.read_csv(BytesIO(data), schema=whole.schema),
        "json": lambda: pl.read_json(BytesIO(data), schema=whole.schema),
        "parquet": lambda: pl.read_parquet(path),
    }[format_]()
    assert found.height == 23
    assert found.equals(whole)


def _exported(cbi: Cbi, made: Path, tmp_path: Path) -> Path:
    path = tmp_path / "whole.parquet"
    said = cbi(*READ, "--lake", made, "--format", "parquet", "--out", path)
    assert said.code == 0, said.err
    return path


def test_csv_on_stdout_has_no_line_too_many(cbi: Cbi, made: Path) -> None:
    """One line per row and one for the header: an empty one would read as a null."""
    words = [*READ, "--columns", "close", "--format", "csv", "--lake", made]
    lines = cbi(*words).out.split("\n")
    assert len(lines) == 1 + 23 + 1
    assert lines[-1] == ""


def test_a_table_without_commits_reads_as_empty(cbi: Cbi, made: Path) -> None:
    """Nobody decided anything yet: columns without rows."""
    said = cbi("read", "raw.decisions", "--lake", made, "--format", "csv")
    assert said.code == 0
    assert said.out.startswith("date,")
    assert len(said.out.strip().splitlines()) == 1


def test_a_refused_file_is_partial(cbi: Cbi, lake: Path, tmp_path: Path) -> None:
    """Exit 4, the reason is told, and a later run still says so."""
    bad = tmp_path / "bad.csv"
    bad.write_text("# SIMULATED by hand\ntime,price\n1,2\n")
    assert cbi("drop", bad, "--lake", lake).code == 0
    for _ in range(2):
        said = cbi("run", "--until-idle", "--lake", lake, "--json")
        assert said.code == 4
        (receipt,) = json.loads(said.out)["receipts"]
        assert "no source has the header" in receipt["reason"]
    assert "bad.csv" in cbi("status", "--lake", lake).err


def test_dropping_nothing_or_what_is_not_there_is_wrong_usage(
    cbi: Cbi, lake: Path, files: list[Path], tmp_path: Path
) -> None:
    """One wrong name keeps all files out, also in a dry run."""
    assert cbi("drop", "--lake", lake).code == 2
    for more in ([], ["--dry-run"]):
        said = cbi("drop", files[0], tmp_path / "no.csv", "--lake", lake, *more)
        assert said.code == 2
        assert not [p for p in (lake / "landing").iterdir() if p.suffix == ".csv"]


@pytest.mark.parametrize("as_of", ["yesterday", "2024-05-41", "2024-05-01T18:00"])
def test_a_time_without_its_zone_is_wrong_usage(
    cbi: Cbi, lake: Path, files: list[Path], as_of: str
) -> None:
    """When a file was seen is an instant, or it is refused."""
    said = cbi("drop", files[0], "--as-of", as_of, "--lake", lake)
    assert said.code == 2
    assert "with its zone" in said.err


def test_a_dry_run_hands_nothing_in(cbi: Cbi, lake: Path, files: list[Path]) -> None:
    """It says what it would do and leaves the landing as it is."""
    before = sorted(lake.rglob("*"))
    said = cbi("drop", *files, "--dry-run", "--lake", lake, "--json")
    assert json.loads(said.out) == {"queued": [f.name for f in files], "dry_run": True}
    assert cbi("rebuild", "--dry-run", "--lake", lake).code == 0
    assert sorted(lake.rglob("*")) == before


@pytest.mark.parametrize("verb", [["run", "--until-idle"], ["rebuild"], ["prove"]])
def test_a_second_writer_is_told_that_the_lock_is_held(
    cbi: Cbi, lake: Path, verb: list[str]
) -> None:
    """Exit 5 while another process holds the lake; looking is always allowed."""
    with _held(lake):
        said = cbi(*verb, "--lake", lake)
        assert (said.code, said.out) == (5, "")
        assert "dispatch.lock" in said.err
        assert cbi("status", "--lake", lake).code == 0
    assert cbi(*verb, "--lake", lake).code == 0


def test_an_intact_lake_is_identical(cbi: Cbi, lake: Path) -> None:
    """The certificate says so, with the roots of all tables, and leaves no trace."""
    before = sorted(lake.rglob("*.parquet"))
    said = cbi("prove", "--lake", lake, "--json")
    assert said.code == 0, said.out
    plain = json.loads(said.out)
    assert plain["identical"] is True
    assert plain["first_difference"] is None
    assert {"staging.prices", "features.master", "raw.yahoo"} <= plain["roots"].keys()
    assert sorted(lake.rglob("*.parquet")) == before


@pytest.mark.parametrize(
    ("table", "place"),
    [
        ("raw.yahoo", 40),
        ("staging.prices", -200),
        ("features.panel", 0),
        ("labels.forward", -1),
    ],
)
def test_a_flipped_byte_is_found(lake: Path, table: str, place: int) -> None:
    """One other bit in a data file: prove is exit 3 and names the table.

    In a process of its own, since a reader may end its process on broken bytes.
    """
    file = _one_file(lake, table)
    data = bytearray(file.read_bytes())
    data[place] ^= 1
    file.write_bytes(data)
    command = [Path(sys.executable).with_name("cbi"), "prove", "--lake", lake, "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 3, said.stderr
    plain = _first_json(said.stdout)
    assert plain["identical"] is False
    assert plain["first_difference"]["table"] == table


def test_a_byte_that_changes_no_value_is_found_too(cbi: Cbi, lake: Path) -> None:
    """A file that reads the same but is not what was written is damaged all the same.

    Whoever reads the table is told so, and the proof must not say identical.
    """
    file = _one_file(lake, "staging.prices")
    data = file.read_bytes()
    at = data.rindex(b"Polars")
    file.write_bytes(data[:at] + b"polarS" + data[at + 6 :])
    assert cbi("read", "staging.prices", "--lake", lake).code == 1
    assert cbi("prove", "--lake", lake).code == 3


def test_a_missing_file_is_found(cbi: Cbi, lake: Path) -> None:
    """Without one of its files a table is different, and reading it fails by name."""
    file = _one_file(lake, "features.technical")
    file.unlink()
    assert cbi("prove", "--lake", lake).code == 3
    said = cbi("read", "features.technical", "--lake", lake)
    assert said.code == 1
    assert file.name in said.err


@pytest.mark.parametrize("what", ["*.parquet", "*.manifest.json"])
def test_a_changed_export_is_found(cbi: Cbi, lake: Path, what: str) -> None:
    """The published files are part of the proof, and so is what they say of themselves."""
    file = sorted((lake / "exports").glob(what))[3]
    data = file.read_bytes()
    if what == "*.parquet":
        file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    else:
        plain = json.loads(data)
        plain["rows"] += 1
        file.write_text(json.dumps(plain))
    said = cbi("prove", "--lake", lake)
    assert said.code == 3
    assert "exports/" in said.out


def test_a_rebuild_of_an_intact_lake_commits_nothing(cbi: Cbi, lake: Path) -> None:
    """Everything is computed, and no version moves."""
    before = cbi("status", "--lake", lake, "--json").out
    plain = json.loads(cbi("rebuild", "--lake", lake, "--json").out)
    assert sum(t["planned"] for t in plain["tables"].values()) > 5
    assert not any(t["changed"] for t in plain["tables"].values())
    assert cbi("status", "--lake", lake, "--json").out == before


def test_a_rejected_line_leaves_its_bar_and_comes_back(cbi: Cbi, lake: Path) -> None:
    """Reject, run, read; withdraw, run, read: the roots are those of before."""
    path = lake.parent / "raw.parquet"
    cbi("read", "raw.yahoo", "--lake", lake, "--format", "parquet", "--out", path)
    row = pl.read_parquet(path).row(-1, named=True)

    def last_bar() -> str:
        words = ["--columns", "date", "--format", "csv", "--lake", lake]
        return str(cbi("read", "staging.prices", *words).out.strip().split("\n")[-1])

    def decide(verb: str) -> None:
        words = [row["sha256"][:12], row["line"], "--note", "why", "--lake", lake]
        said = cbi("quarantine", verb, *words, "--json")
        assert json.loads(said.out)["verdict"] == verb
        assert cbi("run", "--until-idle", "--lake", lake).code == 0

    before = last_bar()
    assert before == str(row["date"])
    decide("reject")
    assert last_bar() < before
    assert cbi("prove", "--lake", lake).code == 0
    decide("withdraw")
    assert last_bar() == before


def test_a_decision_about_nothing_is_wrong_usage(cbi: Cbi, lake: Path) -> None:
    """A line that is not there cannot be rejected, and a reason is needed."""
    words = ["quarantine", "reject", "ffffffffffff", "7", "--lake", lake]
    assert cbi(*words, "--note", "why").code == 2
    assert cbi(*words).code == 2


def test_a_reader_that_goes_away_is_no_error(made: Path) -> None:
    """`cbi read ... | head` ends quietly."""
    command = [
        Path(sys.executable).with_name("cbi"),
        *["read", "labels.forward", "--lake", made, "--format", "csv"],
    ]
    reading = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
    )
    assert reading.stdout is not None
    assert reading.stderr is not None
    assert reading.stdout.readline().startswith(b"date,")
    reading.stdout.close()
    said = reading.stderr.read()
    reading.wait()
    reading.stderr.close()
    assert b"Traceback" not in said


@pytest.mark.parametrize("damage", ["flip", "unlink"])
def test_a_rebuild_mends_a_derived_table(cbi: Cbi, lake: Path, damage: str) -> None:
    """A damaged or missing file is replaced by what the records give, and only that."""
    file = _one_file(lake, "features.panel")
    if damage == "flip":
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
    else:
        file.unlink()
    assert cbi("prove", "--lake", lake).code == 3
    plain = json.loads(cbi("rebuild", "--lake", lake, "--json").out)
    mended = {t: r["changed"] for t, r in plain["tables"].items() if r["changed"]}
    # Without one of its files the newest commit is taken for torn, and computed anew.
    assert mended == {"features.panel": 1 if damage == "flip" else 2}
    assert cbi("prove", "--lake", lake).code == 0
