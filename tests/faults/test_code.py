"""Code and registry are edited while the daemon runs.

It works on a copy of the project's handlers and registry, in a folder of the test.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import handlers
from cbi_stream.lake.lake import Lake
from tests.faults.killing import COMMAND, arrivals, hand_in, prepared

LABELS = Path("handlers") / "labels" / "forward.py"
OLD, NEW = '.then(pl.lit("missing_base"))', '.then(pl.lit("no_base"))'
"""A word that stands in a table, and what the edit makes of it."""
PATIENCE = 90


@pytest.fixture
def project(tmp_path):
    """Return a folder with a copy of handlers and registry."""
    root = Path(handlers.__file__).parent.parent
    folder = tmp_path / "project"
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("handlers", "registry"):
        shutil.copytree(root / name, folder / name, ignore=ignore)
    return folder


def _cbi(project: Path, lake: Lake, *words: str) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(project), *(p for p in sys.path if p)])
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words, "--lake", str(lake.folder)],
        env={**os.environ, "PYTHONPATH": path},
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _events(lake: Lake, name: str) -> list[dict[str, object]]:
    path = lake.folder / "logs" / "cbi.log"
    rows = path.read_text().splitlines() if path.exists() else []
    return [each for each in map(json.loads, rows) if each["event"] == name]


def _until(said, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not said():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def _reasons(lake: Lake) -> set[str]:
    table = lake.table("labels.forward")
    rows = table.read(table.head()[1].partitions.values())
    return set(rows["reason"].drop_nulls().to_list())


def _edit(project: Path, old: str, new: str) -> None:
    text = (project / LABELS).read_text()
    assert old in text
    (project / LABELS).write_text(text.replace(old, new, 1))


def test_edited_code_is_run_and_signed_as_what_it_is(tmp_path, project):
    """A broken edit changes nothing and is said; the mended one is run, and proves."""
    lake = prepared(tmp_path)
    days = iter(arrivals())
    next(days)
    running = _cbi(project, lake, "run")
    try:
        hand_in(lake, tmp_path, next(days))
        # By then it has loaded everything, and so have its children.
        _until(lambda: _events(lake, "wave.settled"), "it did not start")
        _edit(project, OLD, "(((")
        _until(lambda: _events(lake, "code.refused"), "the broken edit was not seen")
        before = len(_events(lake, "wave.settled"))
        hand_in(lake, tmp_path, next(days))
        _until(
            lambda: len(_events(lake, "wave.settled")) > before,
            "it did not go on with what it had loaded",
        )
        assert "no_base" not in _reasons(lake)
        _edit(project, "(((", NEW)
        _until(lambda: "no_base" in _reasons(lake), "the new code was not run")
        assert len(_events(lake, "daemon.started")) == 2
        assert {event["pid"] for event in _events(lake, "daemon.started")} == {
            running.pid
        }
    finally:
        running.terminate()
        said, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, said
    proof = _cbi(project, lake, "prove")
    said, _ = proof.communicate(timeout=PATIENCE)
    assert proof.returncode == 0, said
    assert "missing_base" not in _reasons(lake)
