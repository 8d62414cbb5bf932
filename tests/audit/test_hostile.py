"""Files that nobody vouches for: each is listed with its reason, and none ends the walk.

No test here trusts a name, and none leaves anything outside its own folder.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import polars as pl
import pytest

from cbi_stream.audit import inventory, opening
from cbi_stream.audit.looking import Asked, look
from cbi_stream.audit.opening import Unreadable
from cbi_stream.words.errors import WrongUsage
from tests.audit.making import NOW, SESSIONS, bars


def looked(path: Path, **more: object) -> dict[str, tuple[str, str]]:
    """Return by file the verdict and what is said of it."""
    asked = Asked(SESSIONS, NOW, **more)  # type: ignore[arg-type]
    found = look(path, asked, told=lambda number, total, name: None)
    return {one.name: (one.verdict, one.said) for one in found}


def names(path: Path) -> set[tuple[str, int, int]]:
    """Return everything under a path with its size and time."""
    return {
        (str(p), p.lstat().st_size, p.lstat().st_mtime_ns)
        for p in sorted(path.rglob("*"))
    }


@pytest.fixture
def clean(tmp_path: Path) -> Path:
    """Return a folder with one clean file."""
    (tmp_path / "in").mkdir()
    bars().write_csv(tmp_path / "in" / "a.csv")
    return tmp_path / "in"


def test_every_form_of_one_table_is_read(clean):
    """CSV, gzip, Parquet and Delta with partitions give the same verdict and rows."""
    (clean / "b.csv.gz").write_bytes(gzip.compress((clean / "a.csv").read_bytes()))
    bars().write_parquet(clean / "c.parquet")
    parts = bars().with_columns(year=pl.col("date").dt.year())
    parts.write_delta(clean / "d", delta_write_options={"partition_by": ["year"]})
    asked = Asked(SESSIONS, NOW)
    found = look(clean, asked, told=lambda number, total, name: None)
    assert [(one.name, one.form) for one in found] == [
        ("a.csv", "csv"),
        ("b.csv.gz", "csv.gz"),
        ("c.parquet", "parquet"),
        ("d", "delta"),
    ]
    assert {(one.verdict, one.rows, one.last) for one in found} == {
        ("keep", 300, bars()["date"][-1])
    }


def test_nothing_is_written(clean):
    """The folder is bit for bit what it was, also where files are damaged."""
    (clean / "bad.parquet").write_bytes(b"PAR1 and no more")
    before = names(clean)
    looked(clean)
    assert names(clean) == before


def test_damaged_files_are_listed(clean):
    """A cut Parquet, a cut gzip, an empty and a binary file have reasons; others go on."""
    whole = clean / "w.parquet"
    bars().write_parquet(whole)
    (clean / "cut.parquet").write_bytes(whole.read_bytes()[:900] + b"PAR1")
    (clean / "cut.csv.gz").write_bytes(
        gzip.compress((clean / "a.csv").read_bytes())[:-30]
    )
    (clean / "empty.csv").write_bytes(b"")
    (clean / "bin.csv").write_bytes(bytes(range(256)) * 9)
    (clean / "page.csv").write_text("<html><body>too many requests</body></html>")
    (clean / "words.txt").write_text("one word\nand another\n")
    found = looked(clean)
    assert {name for name, (verdict, _) in found.items() if verdict == "keep"} == {
        "a.csv",
        "w.parquet",
    }
    reasons = {
        name: said for name, (verdict, said) in found.items() if verdict == "unreadable"
    }
    assert len(reasons) == 6
    assert "its end is missing" in reasons["cut.csv.gz"]
    assert reasons["empty.csv"] == "it is empty"
    assert "zero bytes" in reasons["bin.csv"]
    assert "a web page" in reasons["page.csv"]


def test_links_and_pipes_are_not_opened(clean, tmp_path):
    """A link, a link to a folder and a pipe are listed; the walk does not hang."""
    bars().write_csv(tmp_path / "outside.csv")
    (clean / "link.csv").symlink_to(tmp_path / "outside.csv")
    (clean / "folder").symlink_to(tmp_path)
    os.mkfifo(clean / "pipe.csv")
    found = looked(clean)
    assert found["link.csv"] == ("unreadable", "a link: it is not followed")
    assert found["folder"][0] == "unreadable"
    assert found["pipe.csv"] == ("unreadable", "no regular file")
    assert found["a.csv"][0] == "keep"


def test_a_pipe_that_takes_a_file_s_place(clean):
    """What became a pipe after it was listed is refused at once, without a wait."""
    item = inventory.found_in(clean)[0]
    item.path.unlink()
    os.mkfifo(item.path)
    with pytest.raises(Unreadable, match="a pipe"):
        inventory.read(item)


def test_a_small_file_that_unpacks_to_much(clean, monkeypatch):
    """A gzip is unpacked up to the limit and no further."""
    monkeypatch.setattr(opening, "MOST_BYTES", 100_000)
    (clean / "bomb.csv.gz").write_bytes(gzip.compress(b"0," * 5_000_000))
    assert "unpacks to more than 100,000 bytes" in looked(clean)["bomb.csv.gz"][1]


def test_a_file_that_is_too_large(clean, monkeypatch):
    """A file beyond the limit is not read."""
    monkeypatch.setattr(opening, "MOST_BYTES", 1000)
    assert "at most 1,000 are looked at" in looked(clean)["a.csv"][1]


@pytest.mark.parametrize(
    "path", ["../../outside.parquet", "/etc/passwd", "%2e%2e/x.parquet"]
)
def test_a_delta_log_that_names_a_file_elsewhere(clean, path):
    """A log may name files of its own folder only."""
    bars().write_delta(clean / "d")
    log = clean / "d" / "_delta_log" / "00000000000000000000.json"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "add" in line:
            line["add"]["path"] = path
    log.write_text("\n".join(json.dumps(line) for line in lines))
    verdict, said = looked(clean)["d"]
    assert verdict == "unreadable"
    assert "inside the table's folder" in said


def test_a_delta_log_that_is_damaged(clean):
    """A log that is no log, or holds a link, is listed; the other files go on."""
    for name in ("broken", "linked"):
        (clean / name / "_delta_log").mkdir(parents=True)
    (clean / "broken" / "_delta_log" / f"{0:020}.json").write_text("{nonsense")
    (clean / "linked" / "_delta_log" / f"{0:020}.json").symlink_to(clean / "a.csv")
    found = looked(clean)
    assert found["broken"][0] == "unreadable"
    assert "regular files in the Delta log" in found["linked"][1]
    assert found["a.csv"][0] == "keep"


@pytest.mark.parametrize(
    ("text", "noticed"),
    [
        ("Remarks of 2024,,\nmore,,\nDate,Value,Other\n", "2 lines stand above"),
        ("Date;Value;Other\n", "cells stand between"),
        ("", "there is no header"),
    ],
)
def test_headers_of_many_kinds(tmp_path, text, noticed):
    """Remarks above the header, other separators and no header are noticed, and read."""
    mark = ";" if ";" in text else ","
    lines = [mark.join((f"2024-01-{i:02}", f"{i}.5", f"{i * i}")) for i in range(1, 29)]
    (tmp_path / "x.csv").write_text(text + "\n".join(lines))
    read = opening.opened(tmp_path / "x.csv")
    assert read.frame.shape == (28, 3)
    assert noticed in "; ".join(read.noticed)


def test_cells_that_no_table_has(clean):
    """Ragged lines, names that stand twice, quotes and other encodings do no harm."""
    (clean / "x.csv").write_bytes(
        b"Date,V,V,\n2024-01-01,1,2\n2024-01-02,1,2,3,4,5\n\n"
        + 'Caf\xe9,"a\nb",7,'.encode("latin-1")
    )
    frame = opening.opened(clean / "x.csv").frame
    assert frame.columns == ["Date", "V", "V #3", "column 4"]
    assert frame.height == 3
    assert looked(clean)["x.csv"][0] != "unreadable"


def test_columns_that_are_no_cells(clean):
    """Lists, structures, bytes and a table without rows are looked at as far as they go."""
    odd = pl.DataFrame(
        {"date": ["2024-01-01"], "l": [[1, 2]], "b": [b"x"], "s": [{"a": 1}]}
    )
    odd.write_parquet(clean / "odd.parquet")
    bars()[:0].write_parquet(clean / "none.parquet")
    found = looked(clean)
    assert found["odd.parquet"][0] == "keep"
    assert found["none.parquet"][0] == "keep"


def test_a_check_that_fails_is_told(clean, monkeypatch):
    """A check that breaks on a file makes that file unreadable, and is named."""

    def broken(*words: object, **more: object) -> None:
        msg = "no such thing"
        raise ZeroDivisionError(msg)

    monkeypatch.setattr("cbi_stream.audit.looking.judged", broken)
    assert looked(clean)["a.csv"] == (
        "unreadable",
        "the checks failed on it: ZeroDivisionError: no such thing",
    )


def test_named_columns_override_the_guess(clean):
    """A column that is named is used; one that no file has is wrong usage."""
    frame = bars().with_columns(
        kind=pl.lit("x"), seen=pl.col("date") + pl.duration(days=1)
    )
    frame.write_csv(clean / "a.csv")
    found = look(
        clean,
        Asked(SESSIONS, NOW, None, "seen", ("kind",)),
        told=lambda number, total, name: None,
    )
    assert (found[0].date_column, found[0].key_columns) == ("seen", ("kind",))
    with pytest.raises(WrongUsage, match="nowhere"):
        looked(clean, date_column="nowhere")


def test_nothing_at_the_path(tmp_path):
    """A path at which nothing stands is wrong usage."""
    with pytest.raises(WrongUsage, match="found nothing"):
        looked(tmp_path / "absent")
