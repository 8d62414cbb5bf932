"""The verbs about gates, on a small simulated lake in which one year is held.

A bar says all but the close of the session before, which rules of single lines let pass
and a gate of a registry of its own forbids. No test here looks into a table by itself.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Cbi = Callable[..., Any]
REGISTRY = Path(__file__).resolve().parents[2] / "registry"
YEAR, DAY, OTHER = "2023", "2023-05-10", "2023-05-11"
GATES = """gates:
  - gate: no_twins
    at: POST_STAGING
    on: [staging.prices]
    with: {key: [symbol, open, high, low]}
    severity: critical
  - {gate: nothing_carried, at: PRE_TRAINING, on: [effects.*], severity: critical}
"""


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a registry with a gate that forbids two bars alike but for their close."""
    folder = tmp_path_factory.mktemp("gated") / "registry"
    shutil.copytree(REGISTRY, folder)
    (folder / "gates.yaml").write_text(GATES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CBI_REGISTRY", str(folder))
        yield folder


@pytest.fixture(scope="module")
def spoilt(
    cbi: Cbi,
    made: Path,
    files: list[Path],
    registry: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a lake whose prices of 2023 are held, as the run left it."""
    assert registry.exists()
    folder = tmp_path_factory.mktemp("spoilt")
    lake = Path(shutil.copytree(made, folder / "lake"))
    source = next(path for path in files if path.name == "ZL=F.csv")
    lines = source.read_text().split("\n")
    at = next(i for i, line in enumerate(lines) if line.startswith(DAY))
    _, opened, high, low, *_ = lines[at].split(",")
    day, _, _, _, _, *rest = lines[at + 1].split(",")
    assert day == OTHER
    lines[at + 1] = ",".join([day, opened, high, low, opened, *rest])
    (folder / "ZL=F.csv").write_text("\n".join(lines))
    assert cbi("drop", folder / "ZL=F.csv", "--lake", lake).code == 0
    done = cbi("run", "--until-idle", "--lake", lake)
    assert done.code == 3, done.err
    assert f"held: staging.prices/{YEAR}: no_twins failed" in done.err
    return lake


@pytest.fixture
def lake(spoilt: Path, tmp_path: Path) -> Path:
    """Return a copy of that lake, to decide about."""
    return Path(shutil.copytree(spoilt, tmp_path / "lake"))


def _plain(said: Any) -> Any:
    return json.loads(said.out)


def test_gates_lists_what_judges_and_what_failed(cbi: Cbi, spoilt: Path):
    """Every configured gate with how many it judged; the failure with its places."""
    said = cbi("gates", "--lake", spoilt, "--json")
    assert said.code == 3
    plain = _plain(said)
    rows = {row["gate"]: row for row in plain["gates"]}
    assert rows["no_twins"] == {
        "gate": "no_twins",
        "at": "POST_STAGING",
        "severity": "critical",
        "on": "staging.prices",
        "judged": 2,
        "failed": 1,
        "error": 0,
        "skipped": 0,
    }
    assert rows["nothing_carried"]["failed"] == 1
    held = next(f for f in plain["failures"] if f["gate"] == "no_twins")
    assert (held["partition"], held["held"]) == (YEAR, True)
    assert "ZL" in held["places"][0]
    assert held["shows"] == f"cbi gates show staging.prices {YEAR}"
    text = cbi("gates", "--table", "staging.prices", "--failed", "--lake", spoilt).out
    assert "held: staging.prices/2023: no_twins failed" in text
    assert "nothing_carried" not in text
    assert cbi("gates", "--table", "staging.nobody", "--lake", spoilt).code == 2


def test_show_names_the_cells(cbi: Cbi, spoilt: Path):
    """The changed bar's cells are those that differ, and no others."""
    said = cbi("gates", "show", "staging.prices", YEAR, "--lake", spoilt, "--json")
    assert said.code == 3
    cells = _plain(said)["cells"]
    assert {cell["row"] for cell in cells} == {f"ZL {OTHER}"}
    assert "open" in {cell["column"] for cell in cells}
    text = cbi("gates", "show", "staging.prices", YEAR, "--lake", spoilt).out
    assert OTHER in text
    assert cbi("gates", "show", "staging.prices", "2022", "--lake", spoilt).code == 2


def test_status_health_and_why_say_it(cbi: Cbi, spoilt: Path):
    """One partition held, its descendants carry it, and the chain is told."""
    plain = _plain(cbi("status", "--lake", spoilt, "--json"))
    rows = {row["table"]: row for row in plain["tables"]}
    assert (rows["staging.prices"]["held"], rows["staging.prices"]["carried"]) == (1, 0)
    assert rows["features.panel"]["carried"] >= 1
    lines = plain["lines"]["raw.yahoo"]
    assert lines["held"] > 0, "the lines of the file that came wait with their year"
    assert lines["unaccounted"] == 0
    health = cbi("health", "--lake", spoilt)
    assert health.code == 3
    assert f"held: staging.prices/{YEAR}: no_twins" in health.out
    assert "carried:" in health.out
    assert "unaccounted" not in health.out
    why = cbi("why", "staging.prices", OTHER, "--lake", spoilt)
    assert "held: no_twins failed" in why.out
    assert f"cbi gates show staging.prices {YEAR}" in why.out
    why = cbi("why", "features.master", OTHER, "mean_20", "--lake", spoilt)
    assert why.code == 0, why.out
    assert "computed from what is served of held partitions" in why.out
    assert f"staging.prices/{YEAR}@" in why.out


def test_read_says_what_its_rows_are(cbi: Cbi, spoilt: Path):
    """The rows are the last good ones; stdout holds rows alone, and 2022 says nothing."""
    days = ("--from", OTHER, "--to", OTHER, "--lake", spoilt)
    said = cbi("read", "staging.prices", *days, "--json")
    assert said.code == 0
    closes = {row["symbol"]: row["close"] for row in json.loads(said.out)}
    shown = _plain(cbi("gates", "show", "staging.prices", YEAR, *days[4:], "--json"))
    close = next(c for c in shown["cells"] if c["column"] == "close")
    assert closes["ZL"] == close["served"] != close["candidate"]
    assert f"held: staging.prices/{YEAR}" in said.err
    said = cbi("read", "features.panel", *days)
    assert f"held partitions: staging.prices/{YEAR}@" in said.err
    before = ("--from", "2022-08-01", "--to", "2022-08-31", "--lake", spoilt)
    assert "held" not in cbi("read", "staging.prices", *before).err


def test_a_held_candidate_can_be_let_through_and_back(cbi: Cbi, lake: Path):
    """With a note only; the next run serves it, and withdrawn it is held again."""
    at = ("staging.prices", YEAR, "--gate", "no_twins", "--lake", lake)
    assert cbi("gates", "let", *at, "--note", " ").code == 2
    assert cbi("gates", "let", *at[:3], "nobody", *at[4:], "--note", "x").code == 2
    assert cbi("gates", "withdraw", *at, "--note", "x").code == 2
    assert cbi("gates", "let", *at, "--note", "the exchange confirmed it").code == 0
    plan = _plain(cbi("plan", "--lake", lake, "--json"))["tasks"]
    first = next(t for t in plan if t["table"] == "staging.prices")
    assert (first["partition"], first["reasons"]) == (YEAR, ["decision"])
    assert cbi("run", "--until-idle", "--lake", lake).code == 0
    said = cbi("gates", "--failed", "--lake", lake)
    assert said.code == 0
    assert "let through: staging.prices/2023: no_twins" in said.out
    assert cbi("prove", "--lake", lake).code == 0
    assert cbi("gates", "withdraw", *at, "--note", "it did not").code == 0
    assert cbi("run", "--until-idle", "--lake", lake).code == 3
    plain = _plain(cbi("prove", "--lake", lake, "--json"))
    assert plain["identical"]
    assert any(name.startswith("staging.prices/2023@") for name in plain["carried"])


def test_held_content_can_be_trained_on_by_a_decision(cbi: Cbi, lake: Path):
    """The finding about what is carried is let through: files are written, and say so."""
    at = ("effects.export", "--gate", "nothing_carried", "--lake", lake)
    assert cbi("gates", "let", *at, "--note", "old prices are good").code == 0
    done = cbi("run", "--until-idle", "--lake", lake)
    assert "wrote exports/" in done.err
    assert done.code == 3
    manifests = sorted((lake / "exports").glob("*.manifest.json"))
    told = json.loads(manifests[0].read_text())
    assert told["carried"][0].startswith("staging.prices/2023@")
    assert [v["gate"] for v in told["verdicts"] if v["let"]] == ["nothing_carried"]


def test_a_gate_that_nobody_wrote_is_named_with_its_line(
    cbi: Cbi, lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Exit 78, file and line."""
    folder = Path(shutil.copytree(REGISTRY, tmp_path / "registry"))
    (folder / "gates.yaml").write_text(GATES.replace("no_twins", "no_such"))
    monkeypatch.setenv("CBI_REGISTRY", str(folder))
    said = cbi("status", "--lake", lake)
    assert said.code == 78
    assert "gates.yaml:2: expected a gate" in said.err
