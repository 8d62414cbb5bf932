"""Binds the tests of join_spec.yaml to gates, with the numbers that the joins say.

What does not fit is an error when loading, with file and line. It publishes nothing,
and holds nothing back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from cbi_stream.registry.joins import Expected, Join
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.numbers import fitted, misfits
from cbi_stream.shapes.gate import Finding, Gate, Subject
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.points import Point, Severity
from cbi_stream.words.span import Span, plus_days

REFUSES = "expect_no_nulls"
"""The gate of `null_policy: refuse`; nobody has to write it down."""
_POINTS: Mapping[str, Point] = {
    "staging": "POST_STAGING", "features": "POST_FEATURES", "labels": "POST_FEATURES",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expectation:
    """A test of join_spec.yaml, ready to judge."""

    name: str
    """The gate's, and in brackets the join's: no two are alike."""
    gate: Gate
    at: Point
    table: str
    """The table that it looks at; a whole gate finds it among those of an effect."""
    numbers: Mapping[str, Any]
    severity: Severity
    place: str
    """file:line of the test."""


def expectations(registry: Registry, gates: Iterable[Gate]) -> tuple[Expectation, ...]:
    """Return every test of join_spec.yaml, bound to its gate.

    Args:
        registry: with join_spec.yaml.
        gates: those that there are.

    Raises:
        BadRegistry: a test names no gate, stands twice, or its numbers do not fit; the
            message names file and line.
    """
    known = {gate.name: gate for gate in gates}
    found: dict[str, Expectation] = {}
    problems: list[str] = []
    for where, join, test in _tests(registry):
        gate, said = known.get(test.gate), _said(registry, join, test)
        label = join.name if join else said["table"]
        name = f"{test.gate}[{label}]"
        place = registry.place("join_spec", *where)
        if gate is None:
            named = registry.place("join_spec", *where, "gate")
            names = ", ".join(n for n in sorted(known) if n.startswith("expect_"))
            problems.append(f"{named}: expected a gate ({names}); found {test.gate}")
        elif name in found:
            problems.append(f"{place}: {name} stands twice: keep one of them")
        else:
            numbers = {n: v for n, v in said.items() if n in gate.numbers} | test.given
            wrong = list(misfits(gate.numbers, numbers))
            problems += [
                f"{registry.place('join_spec', *where, 'with', n)}: {name}: {why}"
                for n, why in wrong
            ]
            if not wrong:
                numbers = fitted(gate.numbers, numbers)
                point = _point(gate, said["table"])
                found[name] = Expectation(
                    name, gate, point, said["table"], numbers, test.severity, place
                )
    if problems:
        raise BadRegistry("\n".join(problems))
    return tuple(found.values())


def judge(
    registry: Registry,
    gates: Iterable[Gate],
    tables: Mapping[str, pl.DataFrame],
) -> dict[str, Finding]:
    """Return what each test finds in these tables, by the test's name.

    Args:
        registry: with join_spec.yaml and the calendar.
        gates: those that there are.
        tables: the rows, by table.
    """
    found = {}
    for each in expectations(registry, gates):
        rows = tables.get(each.table)
        subject = Subject(each.table, sessions=_sessions(registry, rows), spec=registry)
        if each.gate.whole:
            found[each.name] = each.gate(tables, subject, **each.numbers)
        elif rows is None:
            expected = f"the table {each.table}"
            found[each.name] = Finding(False, expected, "it is not there")
        else:
            found[each.name] = each.gate(rows, subject, **each.numbers)
    return found


def _tests(
    registry: Registry,
) -> Iterator[tuple[tuple[str | int, ...], Join | None, Expected]]:
    """Yield where each test stands, its join, and what it says."""
    spec = registry.join_spec
    for i, join in enumerate(spec.joins):
        for j, test in enumerate(join.tests):
            yield ("joins", i, "tests", j), join, test
        if join.null_policy == "refuse":
            refused = Expected(gate=REFUSES, severity="critical")
            yield ("joins", i, "null_policy"), join, refused
    for i, test in enumerate(spec.tests):
        yield ("tests", i), None, test


def _said(registry: Registry, join: Join | None, test: Expected) -> dict[str, Any]:
    """Return the numbers that the file says elsewhere, so that no test repeats them."""
    spec = registry.join_spec
    said: dict[str, Any] = {"table": test.on or spec.table}
    if join is None:
        return said | ({} if test.on else {"columns": list(spec.columns)})
    said["columns"] = list(join.names)
    if join.prefix is not None:
        said["prefix"] = join.prefix
    if join.available_from is not None:
        said["since"] = join.available_from
    return said


def _point(gate: Gate, table: str) -> Point:
    if gate.whole:
        return "POST_ASSEMBLY"
    return _POINTS.get(table.partition(".")[0], "POST_ASSEMBLY")


def _sessions(registry: Registry, rows: pl.DataFrame | None) -> tuple[Any, ...]:
    if rows is None or rows.is_empty() or "date" not in rows.columns:
        return ()
    first, last = rows["date"].min(), rows["date"].max()
    span = Span(first, plus_days(last, 1)).clip(registry.sessions.covers)  # type: ignore[arg-type]
    return tuple(registry.sessions.between(span))
