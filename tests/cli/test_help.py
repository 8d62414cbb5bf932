"""Help is instant, whole, and shows how each verb is used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

VERBS = [
    "init",
    "drop",
    "ingest",
    "run",
    "demo",
    "replay",
    "status",
    "read",
    "plan",
    "why",
    "logs",
    "sources",
    "health",
    "doctor",
    "audit",
    "retry",
    "rebuild",
    "prove",
    "export",
    "quarantine list",
    "quarantine reject",
    "quarantine withdraw",
    "gates",
    "gates show",
    "gates let",
    "gates withdraw",
    "feature new",
    "feature list",
    "feature show",
]
WITHOUT_LAKE = {"demo", "replay", "feature new", "feature list"}
HEAVY = ("polars", "numpy", "pydantic", "deltalake", "pyarrow", "yaml")
WATCHED = f"""
import sys
sys.argv = ["cbi", *sys.argv[1:]]
from cbi_stream.cli.app import main
import os
def leave(code):
    sys.stdout.flush()
    print("HEAVY", [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
    raise SystemExit(code)
os._exit = leave
try:
    main()
except SystemExit as left:
    code = left.code or 0
    print("HEAVY", [m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)
    sys.exit(code)
"""
Cbi = Callable[..., Any]


@pytest.mark.parametrize("words", [["--help"], ["--version"], []])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """Who only asks what there is does not wait for libraries of data."""
    said = subprocess.run(
        [sys.executable, "-c", WATCHED, *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    assert "HEAVY []" in said.stderr
    assert said.stdout.strip()


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_shows_an_example(cbi: Cbi, verb: str) -> None:
    """Each help ends where a person can begin: with a line to copy."""
    said = cbi(*verb.split(), "--help")
    assert said.code == 0
    assert f"Example: cbi {verb}" in said.out


@pytest.mark.parametrize("verb", [v for v in VERBS if v not in WITHOUT_LAKE])
def test_every_verb_speaks_of_one_lake_and_in_json(cbi: Cbi, verb: str) -> None:
    """The same two options stand everywhere."""
    said = cbi(*verb.split(), "--help")
    assert "--lake" in said.out
    assert "CBI_LAKE" in said.out
    assert "--json" in said.out


def test_the_list_of_verbs_is_whole(cbi: Cbi) -> None:
    """Every verb stands in the help, and this test knows every verb."""
    from cbi_stream.cli.app import app  # noqa: PLC0415

    listed = {name for name in app if not name.startswith("-")}
    assert listed == {verb.split()[0] for verb in VERBS}
    said = cbi("--help")
    assert all(name in said.out for name in listed)
    assert "Exit codes: 0 done" in said.out


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["read"],
        ["read", "staging.prices", "--bogus"],
        ["read", "staging.prices", "--from", "yesterday"],
        ["read", "staging.prices", "--format", "xml"],
        ["quarantine", "reject", "abc"],
    ],
)
def test_wrong_words_are_wrong_usage(cbi: Cbi, words: list[str]) -> None:
    """A slip of the pen is exit 2, with nothing on stdout."""
    said = cbi(*words)
    assert said.code == 2
    assert said.out == ""
    assert said.err.strip()


def test_a_disk_that_refuses_is_one_line_and_worth_another_try():
    """Exit 75 and the mend, not a traceback; any other error of the system is a bug."""
    script = """
import errno, os, sys
from cbi_stream.cli import app as room
def refuse():
    raise OSError(getattr(errno, sys.argv[1]), os.strerror(28), "raw/part")
room.app = refuse
room.main()
"""
    found = {
        name: subprocess.run(
            [sys.executable, "-c", script, name],
            capture_output=True,
            text=True,
            check=False,
        )
        for name in ("ENOSPC", "ENOTDIR")
    }
    assert found["ENOSPC"].returncode == 75
    [line] = found["ENOSPC"].stderr.splitlines()
    assert "raw/part" in line
    assert "make room" in line
    assert found["ENOTDIR"].returncode == 1
    assert "Traceback" in found["ENOTDIR"].stderr
