"""The verbs of features: listed, looked at, and begun. No real data is read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import polars as pl
import pytest

from cbi_stream.cli.drawing import Band, svg
from cbi_stream.cli.skeleton import Begun, with_entry, with_idea, with_include
from cbi_stream.words.errors import WrongUsage

Cbi = Callable[..., Any]
ROOT = Path(__file__).resolve().parents[2]
PARTS = ("cbi_stream", "handlers", "registry", "tests", "docs", "pyproject.toml")
RUN = "import sys; from cbi_stream.cli.app import main; sys.argv[0] = 'cbi'; main()"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the project into which three features were begun."""
    root = tmp_path_factory.mktemp("checkout")
    for part in PARTS:
        if (ROOT / part).is_dir():
            caches = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, root / part, ignore=caches)
        else:
            shutil.copy(ROOT / part, root / part)
    for words in (
        ["oil_trial_20", "--family", "trial"],
        ["oil_again_20", "--family", "technical"],
        ["crude_trial_20", "--family", "macro"],
    ):
        said = _there(root, "-c", RUN, "feature", "new", *words)
        assert said.returncode == 0, said.stderr
        assert "next: cbi run --until-idle" in said.stderr
    return root


def _there(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python with the copy's own code."""
    where = {**os.environ, "PYTHONPATH": str(root)}
    where.pop("CBI_REGISTRY", None)
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=root, env=where, capture_output=True, text=True, check=False
    )


def test_a_begun_feature_passes_every_test_of_features(checkout: Path) -> None:
    """A family that is new, one with many ideas and one without: all work at once."""
    said = _there(
        checkout,
        *("-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/features"),
        "tests/cli/test_feature_pages.py::"
        "test_the_page_of_features_is_what_the_registry_says",
        *("-k", "trial or technical or macro or definition or registry_says"),
    )
    assert said.returncode == 0, said.stdout[-3000:]
    assert "features.trial" not in said.stderr


def test_a_begun_feature_stands_in_its_table_and_in_the_master(checkout: Path) -> None:
    """The handler computes it, the registry and the master's contract know it."""
    script = """
from pathlib import Path
from cbi_stream.engine.graph import discover
from cbi_stream.registry import loader
known = loader.load(Path("registry"))
graph = discover(known)
names = list(known.contracts["features.master"].columns)
print([n in names for n in ("oil_trial_20", "oil_again_20", "crude_trial_20")])
print("features.trial" in graph.node("features.master").reads)
"""
    said = _there(checkout, "-c", script)
    assert said.stdout.split("\n")[:2] == ["[True, True, True]", "True"], said.stderr


def test_what_is_written_is_as_the_house_writes(checkout: Path) -> None:
    """The linter and the formatter find nothing in the files that were begun."""
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("no ruff beside this Python")
    places = ["handlers/features", "tests/features/definitions"]
    for words in (["check"], ["format", "--check"]):
        said = subprocess.run(
            [str(ruff), *words, "--no-cache", *places],
            cwd=checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout


def test_a_begun_feature_is_a_file_of_its_own(checkout: Path) -> None:
    """In a family that is there the handler gains one import and one line."""
    before = (ROOT / "handlers/features/macro.py").read_text().splitlines()
    after = (checkout / "handlers/features/macro.py").read_text().splitlines()
    added = [line for line in after if line not in before]
    assert [line.strip().split(" ")[0] for line in added] == ["from", "made", "return"]
    idea = (checkout / "handlers/features/crude_trial_20.py").read_text()
    assert 'crude_trial_20=k.log_return("crude_close", 20)' in idea


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["return_20"], "is a feature of features.technical already"),
        (["target_move"], "taken for a label"),
        (["CrudeMove"], "lower-case words"),
        (["crude__move"], "lower-case words"),
        (["class"], "lower-case words"),
        (["technical"], "is there already"),
        (["crude_move_9", "--family", "Macro"], "lower-case words"),
        (["crude_move_9", "--family", "master"], "is no family"),
    ],
)
def test_a_name_that_is_none_or_taken_is_refused(
    cbi: Cbi, words: list[str], why: str
) -> None:
    """Nothing is written, and the message says which name would do."""
    before = (ROOT / "registry/feature_registry.json").read_bytes()
    said = cbi("feature", "new", *words)
    assert said.code == 2
    assert said.out == ""
    assert why in said.err
    assert (ROOT / "registry/feature_registry.json").read_bytes() == before


def test_a_dry_run_names_the_files_and_writes_none(cbi: Cbi) -> None:
    """The four files of an idea are named; none is there afterwards."""
    said = cbi(
        "feature", "new", "oil_dry_20", "--family", "macro", "--dry-run", "--json"
    )
    assert said.code == 0, said.err
    plain = json.loads(said.out)
    assert plain["files"] == [
        "registry/feature_registry.json",
        "handlers/features/macro.py",
        "handlers/features/oil_dry_20.py",
        "tests/features/definitions/oil_dry_20.py",
    ]
    assert not (ROOT / "handlers/features/oil_dry_20.py").exists()


def test_a_handler_of_another_shape_is_left_alone() -> None:
    """Two returns, no panel, or a name that is taken: a person puts it in by hand."""
    begun = Begun("oil_move_20", "odd", "close", 20, priced=True)
    head = '@handler(reads={}, writes="features.odd")\n'
    for body in (
        "def odd(panel):\n    if panel:\n        return 1\n    return 2\n",
        "def odd(prices):\n    return prices\n",
        "def odd(panel):\n    oil_move_20 = panel\n    return oil_move_20\n",
    ):
        with pytest.raises(WrongUsage, match="by hand"):
            with_idea(head + body, begun)
    with pytest.raises(WrongUsage, match="expected a function"):
        with_idea("def odd(panel):\n    return panel\n", begun)
    fine = with_idea(head + "def odd(panel):\n    return panel\n", begun)
    assert fine.splitlines()[-2:] == [
        "    made = panel",
        '    return pl.concat([made, oil_move_20(panel)], how="horizontal")',
    ]


def test_lists_grow_at_their_end_alone() -> None:
    """One line more in the registry and in the master; a file of another shape is left."""
    text = '{"features": [\n  {"name": "a"},\n  {"name": "b"}\n]}\n'
    grown = with_entry(text, {"name": "c"})
    assert json.loads(grown)["features"] == [{"name": n} for n in "abc"]
    assert grown.startswith(text[: text.index('"b"}') + 4])
    with pytest.raises(WrongUsage, match="expected its last lines"):
        with_entry('{"features": []}', {"name": "c"})
    master = "include:\n  - features.panel\ncolumns:\n  date: x\n"
    once = with_include(master, "features.odd")
    assert once == master.replace("panel\n", "panel\n  - features.odd\n")
    assert with_include(once, "features.odd") == once


def test_the_list_says_family_and_surface(cbi: Cbi) -> None:
    """Both choices narrow it, and JSON has all that the registry says."""
    listed = json.loads(cbi("feature", "list", "--json").out)
    macro = json.loads(cbi("feature", "list", "--family", "macro", "--json").out)
    full = json.loads(cbi("feature", "list", "--surface", "full", "--json").out)
    assert [f["name"] for f in listed if f["family"] == "macro"] == [
        f["name"] for f in macro
    ]
    assert 0 < len(full) < len(listed)
    assert {f["surface"] for f in full} == {"full"}
    assert macro[0]["formula"] == "fed_funds - breakeven_5y"
    said = cbi("feature", "list", "--family", "macro")
    assert "vix_zscore_252" in said.out
    assert cbi("feature", "list", "--family", "nosuch").code == 2
    assert cbi("feature", "list", "--markdown", "--json").code == 2


def test_show_tells_coverage_and_newest_values(
    cbi: Cbi, made: Path, tmp_path: Path
) -> None:
    """By year so many sessions with a value; each value with its moment and its ages."""
    plot = tmp_path / "vix.svg"
    words = ("feature", "show", "vix_change_5", "--lake", made, "--plot", plot)
    said = cbi(*words, "--json")
    assert said.code == 0, said.err
    told = json.loads(said.out)
    assert told["feature"]["sources"] == ["fred.VIXCLS"]
    assert told["inputs"] == ["vix"]
    rows = cbi("read", "features.macro", "--lake", made, "--json").out
    stored = pl.read_json(rows.encode(), infer_schema_length=None)
    held = stored.drop_nulls("vix_change_5")
    assert sum(year["sessions"] for year in told["coverage"]) == stored.height
    assert sum(year["with_value"] for year in told["coverage"]) == held.height
    last = told["newest"][-1]
    assert last["value"] == held["vix_change_5"][-1]
    assert last["knowable_at"].startswith(last["date"][:4])
    assert set(last["inputs_age_days"]) == {"vix"}
    shown = cbi(*words)
    assert "coverage" in shown.out
    assert str(plot) in shown.err


def test_show_draws_the_feature_its_inputs_and_what_became_known(
    cbi: Cbi, made: Path, tmp_path: Path
) -> None:
    """The picture is XML with one band per column, and as many marks as observations."""
    plot = tmp_path / "vix.svg"
    words = ("feature", "show", "vix_change_5", "--lake", made, "--plot", plot)
    assert cbi(*words, "--from", "2023-03-01", "--to", "2023-03-31").code == 0
    tree = ElementTree.parse(plot)
    texts = [each.text or "" for each in tree.iter() if each.tag.endswith("text")]
    assert any(text.startswith("vix_change_5 (") for text in texts)
    assert any(text.startswith("vix (") for text in texts)
    (known,) = [text for text in texts if text.startswith("marks:")]
    assert 15 <= int(known.split()[1]) <= 23


def test_show_of_nothing_says_so(cbi: Cbi, made: Path) -> None:
    """A name that is none is refused with its neighbours; dates without rows draw nothing."""
    said = cbi("feature", "show", "vix_nothing", "--lake", made)
    assert said.code == 2
    assert "vix_zscore_252" in said.err
    words = ("feature", "show", "vix_change_5", "--lake", made, "--from", "2031-01-01")
    said = cbi(*words, "--json")
    assert said.code == 0
    assert json.loads(said.out)["plot"] is None
    assert "no picture" in said.err


def test_a_line_ends_at_a_gap() -> None:
    """A null is never bridged: there are as many strokes as stretches of values."""
    days = [date(2024, 1, 1) + timedelta(days=i) for i in range(6)]
    band = Band("x < y", "share", [1.0, 2.0, None, 3.0, None, 4.0])
    picture = svg("a & b", days, [band], since=days[2])
    ElementTree.fromstring(picture)  # names are escaped
    (line,) = [part for part in picture.split('d="')[1:] if "L" in part.split('"')[0]]
    assert line.split('"')[0].count("M") == 3
    assert "available from 2024-01-03" in picture
    empty = svg("a", days[:1], [Band("z", "share", [None])])
    assert "no value in these dates" in empty
