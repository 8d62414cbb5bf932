"""The page about adding a source, followed word for word in a copy of the project.

Nothing is added to what the page says: its blocks are put into the files that it names,
and its commands are run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "tasks" / "add-a-source.md"
RUN = "from cbi_stream.cli.app import main; main()"
FILE = "Day,Stage_ft\n2024-05-01,21.4\n2024-05-02,\n2024-05-03,n/a\n2024-05-06,19.8\n"


def block(after: str) -> str:
    """Return the indented block that follows a text of the page, without its indent."""
    text = PAGE.read_text(encoding="utf-8")
    assert text.count(after) == 1, after
    lines = text.split(after)[1].split("\n\n", 1)[1].split("\n")
    found = []
    for line in lines:
        if line and not line.startswith("    "):
            break
        found.append(line[4:])
    return "\n".join(found).rstrip() + "\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of handlers and registry with the page's source added."""
    for name in ("handlers", "registry"):
        shutil.copytree(ROOT / name, tmp_path / name)
    sources = tmp_path / "registry" / "data_sources.yaml"
    entry = "".join(f"  {line}\n" for line in block("**1. The entry**").splitlines())
    text = sources.read_text(encoding="utf-8").replace(
        "sources:\n", "sources:\n" + re.sub(r"^    ", "  ", entry, flags=re.M), 1
    )
    sources.write_text(text, encoding="utf-8")
    parser = tmp_path / "handlers" / "ingest" / "gauges.py"
    parser.write_text(block("**2. The parser** and"), encoding="utf-8")
    return tmp_path


def cbi(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with the copy's handlers and registry."""
    return subprocess.run(
        [sys.executable, "-c", RUN, *words],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{project}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_is_enough(project: Path) -> None:
    """Entry, parser and connector as they stand there; then its commands."""
    (project / "gauge_st_louis.csv").write_text(FILE)
    assert cbi(project, "init").returncode == 0
    commands = [line.split()[1:] for line in block("**4. Try it**").splitlines()]
    assert [words[0] for words in commands] == [
        "drop",
        "run",
        "read",
        "sources",
        "prove",
    ]
    for words in commands:
        done = cbi(project, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    rows = json.loads(cbi(project, "read", "staging.gauges", "--format", "json").stdout)
    said = [(r["series"], r["date"], r["value"], r["basis"]) for r in rows]
    assert said == [
        ("st_louis", "2024-05-01", 21.4, "rule"),
        ("st_louis", "2024-05-02", None, "rule"),
        ("st_louis", "2024-05-06", 19.8, "rule"),
    ]
    turned = json.loads(
        cbi(project, "read", "quarantine.gauges", "--format", "json").stdout
    )
    assert [row["line"] for row in turned] == [4]


def test_one_more_series_needs_no_python(project: Path) -> None:
    """The entry of a series, under a source that is there."""
    entry = block("`registry/data_sources.yaml`, under `series:` of its source")
    sources = project / "registry" / "data_sources.yaml"
    text = sources.read_text(encoding="utf-8")
    start = text.index("      DFF:")
    inside = "".join(f"      {line}\n" for line in entry.splitlines())
    sources.write_text(text[:start] + inside + text[start:], encoding="utf-8")
    (project / "DGS7.csv").write_text("observation_date,DGS7\n2024-05-01,4.61\n")
    for words in (["init"], ["drop", "DGS7.csv"], ["run", "--until-idle"]):
        done = cbi(project, *words)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
    rows = json.loads(cbi(project, "read", "staging.fred", "--format", "json").stdout)
    assert [(r["series"], r["value"]) for r in rows] == [("DGS7", 4.61)]
