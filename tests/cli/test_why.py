"""`cbi why` tells the truth: each answer is held against the files that were dropped."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cbi_stream.cli.walking import named_in
from cbi_stream.engine import story
from cbi_stream.replay import edits
from cbi_stream.words.errors import CbiError

Cbi = Callable[..., Any]
REJECTED = "2023-06-15"
OFF_TICK = "2023-05-10"
OBSERVED = "2023-03-14"
RESTATED = "25.50"


def cells_of(path: Path, day: str) -> list[str]:
    """Return the cells of a file's row of a day, read without the project."""
    return next(
        row for row in csv.reader(path.read_text().splitlines()) if row[0] == day
    )


def line_of(path: Path, day: str) -> int:
    """Return the number of a file's line of a day."""
    lines = path.read_text().split("\n")
    return next(i for i, line in enumerate(lines, 1) if line.startswith(day))


@pytest.fixture(scope="module")
def troubled(
    cbi: Cbi, made: Path, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return a lake with a restated value, a price off its tick and a rejected line."""
    folder = tmp_path_factory.mktemp("troubled")
    lake = Path(shutil.copytree(made, folder / "lake"))
    by_name = {path.name: path for path in files}
    vix, oil = folder / "VIXCLS.csv", folder / "ZL=F.csv"
    data, when = (
        by_name["VIXCLS.csv"].read_bytes(),
        date.fromisoformat(OBSERVED),
    )
    vix.write_bytes(edits.corrected(data, day=when, close=float(RESTATED)))
    text = by_name["ZL=F.csv"].read_text().split("\n")
    at = line_of(by_name["ZL=F.csv"], OFF_TICK) - 1
    cells = text[at].split(",")
    text[at] = ",".join([*cells[:4], "38.123456", *cells[5:]])
    text[at + 1] = text[at + 1].split(",")[0] + ",\x1b[31mred"
    oil.write_text("\n".join(text))
    assert cbi("drop", vix, oil, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    (line,) = told(cbi, lake, "raw.yahoo", REJECTED)["lines"]
    words = [
        line["sha256"][:8],
        line["line"],
        "--author",
        "anna",
        "--note",
        "fat finger",
    ]
    assert cbi("quarantine", "reject", *words, "--lake", lake).code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    return lake


def told(cbi: Cbi, lake: Path, *words: str) -> Any:
    """Return what `cbi why --json` answers."""
    said = cbi("why", *words, "--lake", lake, "--json")
    assert said.code == 0, said.err
    return json.loads(said.out)


def chain(plain: Any) -> list[Any]:
    """Return a story and all that stand behind it."""
    return [plain, *(each for inner in plain["behind"] for each in chain(inner))]


def test_a_feature_leads_back_to_the_cells_of_the_files(
    cbi: Cbi, made: Path, files: list[Path]
) -> None:
    """The chain of a correlation ends at the file lines that hold price and fear."""
    plain = told(cbi, made, "features.master", "2023-03-15", "corr_vix_60")
    parts = chain(plain)
    assert [each["table"] for each in parts] == [
        "features.master",
        "features.technical",
        "features.panel",
        "staging.fred",
        "features.panel",
        "staging.prices",
    ]
    by_name = {path.name: path for path in files}
    lines = [line for each in parts for line in each["lines"]]
    for line, (name, day, cell) in zip(
        lines, [("VIXCLS.csv", OBSERVED, 1), ("ZL=F.csv", "2023-03-15", 4)], strict=True
    ):
        column = "value" if cell == 1 else "close"
        assert line["file"] == name
        assert line["fate"] == "staged"
        assert line["line"] == line_of(by_name[name], day)
        assert line["cells"][column] == cells_of(by_name[name], day)[cell]


def test_each_step_says_what_it_was_made_from(cbi: Cbi, made: Path) -> None:
    """Versions and roots are those of the tables, and computing again gives the same."""
    tables = {
        row["table"]: row
        for row in json.loads(cbi("status", "--lake", made, "--json").out)["tables"]
    }
    for part in chain(told(cbi, made, "features.technical", "2023-03-15", "return_1")):
        made_of = part["made"]
        assert made_of["again"] == "identical"
        for table, (version, root) in made_of["inputs"].items():
            assert version == (tables[table]["version"] or -1)
            assert version == -1 or root[:8] == tables[table]["root"]


def test_a_restatement_does_not_change_what_was_known(
    cbi: Cbi, troubled: Path, files: list[Path]
) -> None:
    """The old value stands behind the old session, and the later one is counted."""
    plain = told(cbi, troubled, "features.panel", "2023-03-15", "vix")
    (seen,) = plain["observed"]
    first = next(path for path in files if path.name == "VIXCLS.csv")
    assert seen["row"]["value"] == float(cells_of(first, OBSERVED)[1])
    assert (seen["row"]["date"], seen["age_days"]) == (OBSERVED, 1)
    assert seen["later_versions"] == 1
    (staging,) = plain["behind"]
    assert [row["value"] for row in staging["rows"]][1] == float(RESTATED)
    assert [line["fate"] for line in staging["lines"]] == ["staged", "staged"]
    assert staging["lines"][1]["cells"]["value"] == RESTATED


def test_a_rejected_line_shows_who_and_why(cbi: Cbi, troubled: Path) -> None:
    """No row is left of that date; author and note stand beside the line."""
    words = ["staging.prices", REJECTED, "--lake", troubled]
    said = cbi("why", *words)
    assert said.code == 0
    assert "no row: none of the 1 lines of that date stands: quarantined" in said.out
    assert "broke rejected" in said.out
    assert "reject by anna" in said.out
    assert "fat finger" in said.out
    (line,) = told(cbi, troubled, "staging.prices", REJECTED)["lines"]
    assert line["decisions"][0]["author"] == "anna"
    panel = told(cbi, troubled, "features.panel", REJECTED, "close")
    assert panel["rows"] == [{"date": REJECTED, "close": None}]
    assert "none of the 1 lines" in panel["behind"][0]["absent"]


def test_a_broken_rule_is_named_and_the_bar_before_it_stands(
    cbi: Cbi, troubled: Path
) -> None:
    """The line off its tick is quarantined; the one of the first file is staged."""
    plain = told(cbi, troubled, "staging.prices", OFF_TICK)
    fates = {line["batch"]: line for line in plain["lines"]}
    assert [fates[batch]["fate"] for batch in sorted(fates)] == [
        "staged",
        "quarantined",
    ]
    assert fates[max(fates)]["rules"] == "off_tick"
    assert fates[max(fates)]["cells"]["close"] == "38.123456"
    told_of = told(cbi, troubled, "quarantine.prices", OFF_TICK)
    assert [line["line"] for line in told_of["lines"]] == [fates[max(fates)]["line"]]


def test_what_stands_in_a_file_cannot_move_the_cursor(cbi: Cbi, troubled: Path) -> None:
    """A line with an escape sequence is shown, and does nothing to the terminal."""
    said = cbi("why", "raw.yahoo", "2023-05-11", "--lake", troubled)
    assert "unreadable" in said.out
    assert "\x1b" not in said.out
    assert "\\x1b[31mred" in said.out


def test_the_version_that_changed_this_very_date_is_named(
    cbi: Cbi, made: Path, troubled: Path
) -> None:
    """Other dates of the same partition changed later; this one did not."""
    before = told(cbi, made, "staging.prices", "2023-03-15")["made"]
    quiet = told(cbi, troubled, "staging.prices", "2023-03-15")["made"]
    moved = told(cbi, troubled, "staging.prices", REJECTED)["made"]
    assert quiet["changed_in"] == before["changed_in"]
    assert moved["changed_in"] > quiet["changed_in"]
    assert moved["version"] == quiet["version"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["features.panel", "2023-03-18"], "Saturday 2023-03-18 is no session"),
        (["features.panel", "2024-03-18"], "outside the extent"),
        (["staging.fred", "1990-03-15"], "outside the extent"),
        (["raw.decisions", "2023-03-15"], "the table is empty"),
        (["zl_training_prod_allhistory_1w", "2023-12-29"], "label is unresolved: open"),
    ],
)
def test_a_missing_row_has_a_reason(
    cbi: Cbi, made: Path, words: list[str], expected: str
) -> None:
    """No session, before or after all data, nothing there, an open label."""
    plain = told(cbi, made, *words)
    assert plain["rows"] == []
    assert expected in plain["absent"]


def test_a_label_names_both_sessions(cbi: Cbi, made: Path, files: list[Path]) -> None:
    """Base and target are the closes of the file, or the reason why there is none."""
    plain = told(cbi, made, "labels.forward", "2023-03-15", "--horizon", "1m")
    oil = next(path for path in files if path.name == "ZL=F.csv")
    (row,) = plain["rows"]
    for column, day in {
        "base_price": row["date"],
        "target_price": row["matures_on"],
    }.items():
        assert row[column] == round(float(cells_of(oil, day)[4]), 2)
    assert [each["date"] for each in plain["behind"]] == [
        row["date"],
        row["matures_on"],
    ]
    said = cbi("why", "labels.forward", "2023-12-28", "--lake", made)
    assert "unresolved (open)" in said.out


def test_a_regime_and_its_file_are_told(cbi: Cbi, made: Path) -> None:
    """A regime has no horizon, and a training file says that its weight is from there."""
    plain = told(cbi, made, "labels.regimes", "2023-03-15")
    assert plain["rows"][0]["regime"] == "disinflation"
    said = cbi("why", "labels.regimes", "2023-03-15", "--lake", made)
    assert "regime=disinflation weight=250 known_from=2023-11-01" in said.out
    plain = told(cbi, made, "zl_training_prod_allhistory_1w", "2023-03-15")
    tables = [each["table"] for each in plain["behind"]]
    assert tables == ["features.master", "labels.forward", "labels.regimes"]


def test_a_flag_leads_to_what_was_known(cbi: Cbi, made: Path) -> None:
    """Whether a count is missing follows from the count that was knowable, or none."""
    plain = told(cbi, made, "features.panel", OBSERVED, "open_interest_missing")
    assert [each["column"] for each in plain["observed"]] == ["open_interest"]


def test_a_training_file_is_held_against_its_manifest(cbi: Cbi, made: Path, lake: Path):
    """The manifest is named; a changed byte of the file is exit 3."""
    name = "zl_training_prod_allhistory_1w"
    words = [name, "2023-03-15", "close"]
    plain = told(cbi, made, *words)
    assert plain["manifest"]["intact"]
    assert [each["table"] for each in plain["behind"]] == ["features.master"]
    path = lake / "exports" / f"{name}.parquet"
    data = bytearray(path.read_bytes())
    data[data.rindex(b"Polars")] ^= 1
    path.write_bytes(data)
    said = cbi("why", *words, "--lake", lake)
    assert said.code == 3
    assert "NOT the bytes that were written" in said.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["features.panl", "2023-03-15"], "features.panel"),
        (["features.panel", "2023-03-15", "vx"], "vix"),
        (["features.panel", "2099-03-15"], "2035-12-31"),
        (["features.panel", "yesterday"], "yesterday"),
        (["features.panel", "2023-03-15", "--symbol", "ZL"], "one row for each date"),
        (["zl_training_prod_allhistory_1w", "2023-03-15", "clsoe"], "close"),
    ],
)
def test_what_does_not_exist_is_wrong_usage(
    cbi: Cbi, made: Path, words: list[str], expected: str
) -> None:
    """A table, a column, a date that no calendar has: exit 2, and what there is."""
    said = cbi("why", *words, "--lake", made)
    assert (said.code, said.out) == (2, "")
    assert expected in said.err


def test_a_row_that_its_inputs_do_not_give_is_exit_three(
    cbi: Cbi, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where computing again gives another content, nobody is told that all is well."""
    monkeypatch.setattr(story, "digest", lambda frame: "another")
    said = cbi("why", "staging.prices", "2023-03-15", "--lake", made)
    assert said.code == 3
    assert "computed again now: different" in said.out
    assert "cbi prove" in said.err


def test_a_handler_that_fails_now_is_told(
    cbi: Cbi, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stored row is shown, with why it cannot be computed again."""

    def fail(*args: Any, **more: Any) -> None:
        msg = "planted"
        raise CbiError(msg)

    monkeypatch.setattr(story, "returned", fail)
    plain = told(cbi, made, "staging.prices", "2023-03-15")
    assert plain["made"]["again"] == "it cannot be computed: planted"
    assert plain["rows"][0]["close"]
    assert [line["fate"] for line in plain["lines"]] == ["pending"]


@pytest.mark.parametrize(
    "words",
    [
        ["features.panel", "2023-03-15"],
        ["features.technical", "2023-03-15", "corr_vix_60"],
        ["features.master", "2023-03-15"],
        ["labels.forward", "2023-03-15"],
        ["staging.prices", "2023-03-15"],
    ],
)
def test_an_answer_fits_on_a_screen(cbi: Cbi, made: Path, words: list[str]) -> None:
    """At most forty lines for a person; which lake it is stands on top."""
    said = cbi("why", *words, "--lake", made)
    assert said.code == 0, said.err
    assert said.out.startswith("simulated lake")
    assert len(said.out.splitlines()) <= 40


def test_a_line_that_waits_for_a_run_is_pending(
    cbi: Cbi, lake: Path, files: list[Path], tmp_path: Path
) -> None:
    """It is shown beside the line that stands, and a run is announced."""
    oil = next(path for path in files if path.name == "ZL=F.csv")
    data = edits.corrected(oil.read_bytes(), day=date(2023, 3, 15), close=41.0)
    (tmp_path / oil.name).write_bytes(data)
    assert cbi("ingest", "yahoo", "--folder", tmp_path, "--lake", lake).code == 0
    plain = told(cbi, lake, "staging.prices", "2023-03-15")
    assert [line["fate"] for line in plain["lines"]] == ["staged", "pending"]
    assert plain["rows"][0]["close"] != 41.0
    assert any("raw.yahoo 2023-03-15" in reason for reason in plain["planned"])
    said = cbi("why", "staging.prices", "2023-03-15", "--lake", lake)
    assert "a run would compute it again" in said.out
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    plain = told(cbi, lake, "staging.prices", "2023-03-15")
    assert [line["fate"] for line in plain["lines"]] == ["superseded", "staged"]
    assert plain["rows"][0]["close"] == 41.0


def test_a_formula_is_followed_through_other_features() -> None:
    """Columns that a feature names by way of another one are found; words are not."""
    formulas = {
        "gap": "fast - slow, fast = mean(close, 5)",
        "signal": "mean(gap, 9) + vix[1]",
    }
    assert named_in("signal", formulas, {"close", "vix", "open"}) == ["vix", "close"]
