"""A plugin of pytest: it takes one rule or gate out, or writes down who asks which.

Which one stands in the environment. It touches nothing else on disk, and no other check.
"""

from __future__ import annotations

import functools
import importlib
import json
import os
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbi_stream  # noqa: F401

# isort: split
# Above this line, as polars takes its thread count when it is first imported.
import polars as pl

import handlers
from cbi_stream.shapes.gate import Finding, Gate
from cbi_stream.shapes.rule import Rule

TAKEN_OUT = "CBI_TAKEN_OUT"
"""`name:kind`, as in `within:blind`."""
WRITTEN_TO = "CBI_CHECKS_ASKED"
"""A file that gets, by check, the tests that ask it."""
KINDS = ("blind", "deaf")
"""blind: it passes everything. deaf: it fails everything."""
_asked: dict[str, set[str]] = {}


def pytest_configure() -> None:
    """Take out the check that the environment names, or listen to all of them."""
    said = os.environ.get(TAKEN_OUT, "")
    if said:
        name, _, kind = said.partition(":")
        take_out(name, passes=kind == "blind")
    if os.environ.get(WRITTEN_TO):
        for name, checks in every_check().items():
            for check in checks:
                _put(check, _heard(name, check.function))


def pytest_unconfigure() -> None:
    """Write down who asked, if that was wanted."""
    path = os.environ.get(WRITTEN_TO)
    if path:
        told = {name: sorted(tests) for name, tests in sorted(_asked.items())}
        Path(path).write_text(json.dumps(told), encoding="utf-8")


def every_check() -> dict[str, list[Rule | Gate]]:
    """Return all rules and gates of the handlers, by name."""
    found: dict[str, dict[int, Rule | Gate]] = {}
    for each in pkgutil.walk_packages(handlers.__path__, prefix="handlers."):
        for value in vars(importlib.import_module(each.name)).values():
            if isinstance(value, Rule | Gate):
                found.setdefault(value.name, {})[id(value)] = value
    return {name: list(checks.values()) for name, checks in found.items()}


def take_out(name: str, *, passes: bool) -> None:
    """Make a check answer always the same.

    Raises:
        KeyError: there is no such check.
    """
    for check in every_check()[name]:
        if isinstance(check, Rule):
            _put(check, _row(check.function, passes=passes))
        else:
            _put(check, _candidate(check.function, passes=passes))


def _put(check: Rule | Gate, function: Callable[..., Any]) -> None:
    # The record is frozen, and tests hold this very one.
    object.__setattr__(check, "function", function)


def _heard(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def listening(*what: Any, **numbers: Any) -> Any:
        test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
        if test:
            _asked.setdefault(name, set()).add(test)
        return function(*what, **numbers)

    return listening


def _row(function: Callable[..., pl.Expr], *, passes: bool) -> Callable[..., pl.Expr]:
    @functools.wraps(function)
    def always(first: pl.Expr, *_more: Any, **_numbers: Any) -> pl.Expr:
        # As many rows as the first thing that it looks at has.
        return first.is_null().or_(pl.lit(value=True)).eq(pl.lit(value=passes))

    return always


def _candidate(
    function: Callable[..., Finding], *, passes: bool
) -> Callable[..., Finding]:
    @functools.wraps(function)
    def always(*_what: Any, **_numbers: Any) -> Finding:
        return Finding(passed=passes, expected="anything", found="not looked at")

    return always
