"""F21, F22: each gate can be imported, has a planted fault, and fails on nothing to see.

It looks at every gate in handlers/gates, so that no later one is left out.
"""

from __future__ import annotations

import importlib
import pkgutil
from datetime import date
from types import UnionType
from typing import Any, Union, get_args, get_origin

import polars as pl
import pytest

import handlers.gates
from cbi_stream import Finding, Subject
from cbi_stream.shapes.gate import Gate, gate
from tests.failures.frames import ROOT, registry


def every_gate() -> dict[str, Gate]:
    """Return each gate of the folder; a module that cannot be imported raises."""
    found = {}
    for module in pkgutil.iter_modules(handlers.gates.__path__, "handlers.gates."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Gate):
                found[value.name] = value
    return found


GATES = every_gate()


def some(kind: Any) -> Any:
    """Return a value of a type: names that nothing has, and numbers that mean little."""
    origin, inside = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return some(inside[0])
    if origin is tuple:
        return tuple(some(each) for each in inside if each is not Ellipsis)
    if origin is dict or (isinstance(origin, type) and issubclass(origin, dict)):
        return {some(inside[0]): some(inside[1])}
    plain = {str: "of_nobody", int: 1, float: 0.5, bool: False, date: date(2000, 1, 3)}
    return plain.get(kind, {} if origin else None)


def judged(check: Gate, what: object) -> Finding | None:
    """Return what a gate finds; None where it raises, which the engine calls an error."""
    numbers = {name: some(kind) for name, (kind, _) in check.numbers.items()}
    try:
        return check(what, Subject("of_nobody", "2020", spec=registry()), **numbers)
    except (pl.exceptions.PolarsError, LookupError):
        return None


def test_every_gate_is_found():
    """The folder holds gates of both kinds, and each has a name of its own."""
    assert len(GATES) >= 35
    assert {check.whole for check in GATES.values()} == {True, False}


@pytest.mark.parametrize("name", sorted(GATES))
def test_f22_a_gate_never_passes_on_nothing(name):
    """Without its table, its column or any row a gate does not pass."""
    check = GATES[name]
    nothing = [{}, {"of_nobody": pl.DataFrame()}, {"features.master": pl.DataFrame()}]
    rows = [pl.DataFrame(), pl.DataFrame(schema={"date": pl.Date})]
    for what in nothing if check.whole else rows:
        finding = judged(check, what)
        assert finding is None or not finding.passed, finding


def test_a_partition_whose_lines_are_all_accounted_for_may_be_empty():
    """Lines of nothing that is registered leave no row, and that is no failure."""
    rows = pl.DataFrame(schema={"basis": pl.String})
    numbers = {"column": "basis", "words": ["rule"], "registry": "", "used": []}
    told = {"raw.eia": {"unused": 120}}
    lost = {"raw.eia": {"unused": 119, "staged": 1}}
    said = ((told, True), (lost, False), ({}, False), ({"raw.eia": {}}, False))
    for fates, passed in said:
        subject = Subject("staging.eia", "1940", spec=registry(), fates=fates)
        assert GATES["known_words"](rows, subject, **numbers).passed is passed


def test_f22_a_gate_that_passes_without_its_column_is_seen():
    """The check of F22 itself can fail: `if the column exists, else good`."""

    @gate
    def lenient(rows: pl.DataFrame, subject: Subject, *, column: str) -> Finding:
        there = column in rows.columns
        good = bool(rows[column].all()) if there else True
        return Finding(good, "true", "true")

    finding = judged(lenient, pl.DataFrame())
    assert finding is not None
    assert finding.passed


@pytest.mark.parametrize("name", sorted(GATES))
def test_f21_every_gate_has_a_planted_fault(name):
    """For each gate of this folder some test plants a fault and demands a failure."""
    here = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "tests" / "failures").glob("test_*.py"))
        if path.name != "test_every_gate.py"
    )
    elsewhere = [
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.parent.name != "failures"
    ]
    assert f"assert_fails({name}," in "".join(here.split()) or any(
        name in text for text in elsewhere
    ), f"{name}: expected a test that plants its fault, in tests/failures"


def test_f21_a_gate_that_cannot_be_imported_is_seen(tmp_path, monkeypatch):
    """A file that an editor broke raises when the gates are gathered; none is left out."""
    (tmp_path / "broken.py").write_text("def f(:\n", encoding="utf-8")
    monkeypatch.setattr(handlers.gates, "__path__", [str(tmp_path)])
    with pytest.raises(SyntaxError):
        every_gate()
