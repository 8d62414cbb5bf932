"""The page docs/failures.md: every class stands there, and every test that it names exists.

It never says whether a test is a good one.
"""

from __future__ import annotations

import ast
import re

from tests.failures.frames import ROOT
from tests.failures.test_every_gate import GATES

PAGE = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (F\d\d) \| (.+?) \| (.+) \| (.+) \|$", re.M)
NAMED = re.compile(r"`(?:(?P<file>[\w/]+\.py): )?(?P<test>test_\w+)`")
NOT_YET = {"F39"}


def written_in(path: str) -> set[str]:
    """Return the names of the tests in a file; none where there is no such file."""
    file = ROOT / path
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def missing(page: str) -> list[str]:
    """Return the tests that a page names and that are not there."""
    found = []
    for name, _, _, tests in ROW.findall(page):
        file = ""
        named = list(NAMED.finditer(tests))
        for match in named:
            file = match["file"] or file
            path = file if "/" in file else f"tests/failures/{file}"
            if match["test"] not in written_in(path):
                found.append(f"{name}: {path}: {match['test']}")
        if not named and name not in NOT_YET:
            found.append(f"{name}: no test")
    return found


def test_every_class_is_on_the_page():
    """F01 to F43 stand there once each, in order."""
    names = [row[0] for row in ROW.findall(PAGE)]
    assert names == [f"F{i:02d}" for i in range(1, 44)]


def test_every_test_on_the_page_exists():
    """Each test that the page names is there, and each class but the cloud's has one."""
    assert missing(PAGE) == []


def test_every_gate_on_the_page_exists():
    """What the page calls a gate is one of the folder."""
    said = {
        name
        for row in ROW.findall(PAGE)
        for part in row[2].split(";")
        if part.strip().startswith("gate")
        for name in re.findall(r"`(\w+)`", part)
    }
    assert len(said) > 25
    assert said <= GATES.keys()


def test_a_test_that_is_gone_is_seen():
    """A name that no file has, and a class without a test, are found."""
    row = "| F01 | x | y | `test_labels.py: test_f01_gone` |\n| F02 | x | y | none |\n"
    assert missing(row) == [
        "F01: tests/failures/test_labels.py: test_f01_gone",
        "F02: no test",
    ]
