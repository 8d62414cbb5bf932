"""The verb `audit`: what it prints, writes and returns, with and without a lake.

It never changes the lake or the files that it is shown.
"""

from __future__ import annotations

import json

import polars as pl

from tests.audit.making import bars


def test_clean_files_are_kept(cbi, tmp_path):
    """Clean files end in 0, with a table of what stands in them."""
    bars().write_csv(tmp_path / "a.csv")
    said = cbi("audit", tmp_path)
    assert said.code == 0
    assert "keep 1, replace 0, archive 0, unreadable 0" in said.out
    assert "2015-01-02" in said.out


def test_a_fault_ends_in_three(cbi, tmp_path):
    """A file to replace ends in 3, with the reason in words; notes are told with --all."""
    frame = bars()
    cut = pl.concat([frame[:100], frame[150:]]).with_columns(volume=pl.lit(0.0))
    cut.write_csv(tmp_path / "a.csv")
    said = cbi("audit", tmp_path)
    assert said.code == 3
    assert "50 sessions missing" in said.out
    assert "zero column" not in said.out
    assert "zero column" in cbi("audit", tmp_path, "--all").out


def test_unreadable_files_end_in_zero(cbi, tmp_path):
    """A file that cannot be read is listed with its reason, and asks for nothing."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    said = cbi("audit", tmp_path)
    assert said.code == 0
    assert "expected Parquet" in said.out


def test_a_machine_reads_everything(cbi, tmp_path):
    """--json prints one object with findings, columns and rows by year; --out writes it."""
    (tmp_path / "in").mkdir()
    bars().with_columns(net=pl.lit(0.0)).write_csv(tmp_path / "in" / "a.csv")
    out = tmp_path / "out.json"
    said = cbi("audit", tmp_path / "in", "--json", "--out", out)
    assert said.code == 3
    content = json.loads(said.out)
    assert json.loads(out.read_text()) == content
    (one,) = content["files"]
    assert one["verdict"] == "replace"
    assert one["rows_by_year"] == {"2015": 252, "2016": 48}
    assert [f["what"] for f in one["findings"]] == ["zero column"]
    assert one["findings"][0]["columns"] == ["net"]


def test_nothing_is_written_into_what_is_looked_at(cbi, tmp_path):
    """--out under the path is wrong usage."""
    bars().write_csv(tmp_path / "a.csv")
    said = cbi("audit", tmp_path, "--out", tmp_path / "x.json")
    assert said.code == 2
    assert not (tmp_path / "x.json").exists()


def test_a_path_is_asked_for(cbi):
    """Without a path nothing is looked at."""
    assert cbi("audit").code not in (0, 3)


def test_named_columns(cbi, tmp_path):
    """--date and --key say by which columns the rows are read."""
    bars().with_columns(kind=pl.lit("x")).write_csv(tmp_path / "a.csv")
    said = cbi("audit", tmp_path, "--date", "date", "--key", "kind", "--json")
    assert json.loads(said.out)["files"][0]["key_columns"] == ["kind"]
    assert cbi("audit", tmp_path, "--key", "nowhere").code == 2


def test_a_hostile_name_moves_no_cursor(cbi, tmp_path):
    """What stands in a name or a cell is shown and does nothing."""
    bars().rename({"close": "cl\x1b[2Jose"}).write_csv(tmp_path / "a\x1b[31m.csv")
    assert "\x1b" not in cbi("audit", tmp_path, "--all").out


def of_lake(cbi, lake, folder, **changed):
    """Write the lake's own closes as somebody's file, and return its overlap."""
    rows = cbi("read", "staging.prices", "--lake", lake, "--format", "csv").out
    prices = pl.read_csv(rows.encode(), try_parse_dates=True).filter(
        pl.col("symbol") == "ZL"
    )
    frame = prices.select("date", "close").drop_nulls().with_row_index()
    wrong = pl.col("index") < changed.get("wrong", 0)
    frame = frame.select("date", close=pl.col("close") + wrong.cast(pl.Float64))
    frame.write_csv(folder / "ZL=F.csv")
    said = cbi("audit", folder, "--lake", lake, "--json")
    findings = json.loads(said.out)["files"][0]["findings"]
    return frame.height, next(f for f in findings if f["what"] == "overlap"), said.code


def test_values_are_held_against_the_lake(cbi, made, tmp_path):
    """Equal closes are counted; where one in a hundred differs the file is replaced."""
    n, overlap, code = of_lake(cbi, made, tmp_path)
    assert f"{n} values are equal, 0 differ" in overlap["said"]
    assert (overlap["weight"], code) == ("note", 0)
    n, overlap, code = of_lake(cbi, made, tmp_path, wrong=20)
    assert f"{n - 20} values are equal, 20 differ" in overlap["said"]
    assert "in the lake" in overlap["said"]
    assert (overlap["weight"], code) == ("replace", 3)


def test_tables_of_a_lake_can_be_looked_at(cbi, made):
    """The lake's own Delta tables are read like anybody's, and hold no fault."""
    said = cbi("audit", made / "staging" / "prices", "--json")
    (one,) = json.loads(said.out)["files"]
    assert one["form"] == "delta"
    assert one["verdict"] == "keep"
    assert one["key_columns"] == ["symbol"]
