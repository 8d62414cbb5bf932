"""Tests: each says in a sentence what it shows, and can fail."""

from __future__ import annotations

import ast
from itertools import chain

CHECKS = {"raises", "warns", "fail"}


def those_named_test(module):
    """Return the test functions of a file."""
    return [node for node in module.functions() if node.name.startswith("test_")]


def called(node):
    """Return the names of the functions called inside."""
    names = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            func = inner.func
            names.add(getattr(func, "attr", None) or getattr(func, "id", ""))
    return names


def can_fail(node, functions):
    """Return whether a function asserts, itself or through one of its own file."""
    seen, waiting = set(), [node]
    while waiting:
        here = waiting.pop()
        names = called(here)
        if any(isinstance(inner, ast.Assert) for inner in ast.walk(here)):
            return True
        if names & CHECKS or any(name.startswith("assert_") for name in names):
            return True
        seen.add(here.name)
        waiting += [f for f in functions if f.name in names and f.name not in seen]
    return False


def silent_or_idle(module):
    """Return tests without a sentence, and tests that cannot fail."""
    functions = module.functions()
    for node in those_named_test(module):
        where = f"{module.path}:{node.lineno}: {node.name}"
        if not ast.get_docstring(node):
            yield f"{where}: no sentence says what it shows"
        if not can_fail(node, functions):
            yield f"{where}: it asserts nothing"


def test_each_test_speaks_and_can_fail(everything):
    """Every test has a docstring and asserts something."""
    modules = [module for module in everything if module.path.startswith("tests/")]
    assert len(modules) > 5
    assert list(chain.from_iterable(silent_or_idle(m) for m in modules)) == []


def test_a_silent_or_idle_test_is_seen(planted):
    """A test without a sentence and one without an assertion are seen."""
    for text in (
        "def test_x():\n    assert True",
        'def test_x():\n    """It shows x."""\n    run()',
    ):
        assert len(list(silent_or_idle(planted("tests/test_x.py", text)))) == 1
    through = (
        "def same(a, b):\n    assert a == b\n"
        'def test_x():\n    """It shows x."""\n    same(1, 1)'
    )
    assert not list(silent_or_idle(planted("tests/test_x.py", through)))
