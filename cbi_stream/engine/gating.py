"""Binds the entries of gates.yaml to gates, tables and effects, or refuses them.

It judges nothing. What does not fit is an error when loading, with file and line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from cbi_stream.engine.expecting import Expectation
from cbi_stream.registry.gates import EFFECTS, ZONES, Placed
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.numbers import fitted, misfits
from cbi_stream.shapes.effect import Effect
from cbi_stream.shapes.gate import Gate
from cbi_stream.words.errors import BadRegistry
from cbi_stream.words.points import Point, Severity

EMPTIED = "emptied"
"""The check that is built in; no gate may take its name."""


@dataclass(frozen=True, slots=True)
class Check:
    """A gate as gates.yaml puts it somewhere."""

    gate: Gate
    at: Point
    severity: Severity
    numbers: Mapping[str, Any]
    label: str = ""
    """What tells it from the same gate elsewhere: of a join its name in brackets."""

    @property
    def name(self) -> str:
        """The name under which verdicts and decisions know it."""
        return self.gate.name + self.label


Checks = Mapping[str, tuple[Check, ...]]
"""By table, or `effects.<name>`, what judges it, in the order of gates.yaml."""


def place_of(effect: Effect) -> str:
    """Return the name under which gates, decisions and held files know an effect."""
    return f"{EFFECTS}.{effect.function.__name__}"


def bound(
    registry: Registry, gates: Iterable[Gate], effects: Iterable[Effect]
) -> Checks:
    """Return what judges each table and effect.

    An entry whose gate is not among these is left out; see `every_gate_is_known`.

    Raises:
        BadRegistry: two gates have one name, or an entry does not fit its gate.
    """
    known = _by_name(gates)
    places = [*sorted(registry.contracts), *(place_of(e) for e in effects)]
    problems: list[str] = []
    found: dict[str, list[Check]] = {}
    for i, entry in enumerate(registry.gates.gates):
        gate = known.get(entry.gate)
        if gate is None:
            continue
        problems += _misplaced(registry, i, gate=gate, places=places)
        problems += [
            f"{_at(registry, i, 'with', name)}: {entry.gate}: {why}"
            for name, why in misfits(gate.numbers, entry.given)
        ]
        if problems:
            continue
        numbers = fitted(gate.numbers, entry.given)
        check = Check(gate, entry.at, entry.severity, numbers)
        for place in _meant(entry, places):
            found.setdefault(place, []).append(check)
    if problems:
        raise BadRegistry("\n".join(problems))
    _none_twice(found)
    return {place: tuple(checks) for place, checks in found.items()}


def with_tests(
    checks: Checks, tests: Iterable[Expectation], effects: Iterable[Effect]
) -> Checks:
    """Return the checks with the tests of join_spec.yaml among them.

    A test of one partition judges its table; a whole one every effect that reads it.
    """
    found = {place: list(each) for place, each in checks.items()}
    for test in tests:
        label = test.name.removeprefix(test.gate.name)
        check = Check(test.gate, test.at, test.severity, test.numbers, label)
        places = [test.table]
        if test.gate.whole:
            places = [place_of(each) for each in effects if test.table in each.after]
        for place in places:
            found.setdefault(place, []).append(check)
    return {place: tuple(each) for place, each in found.items()}


def every_gate_is_known(
    registry: Registry, gates: Iterable[Gate], effects: Iterable[Effect]
) -> None:
    """Refuse entries of gates that nobody wrote, and patterns that match nothing.

    Raises:
        BadRegistry: there are some; the message names file and line.
    """
    known = {gate.name for gate in gates}
    places = [*registry.contracts, *(place_of(e) for e in effects)]
    problems = []
    for i, entry in enumerate(registry.gates.gates):
        if entry.gate not in known:
            names = ", ".join(sorted(known)) or "none"
            where = _at(registry, i, "gate")
            problems.append(f"{where}: expected a gate ({names}); found {entry.gate}")
        for j, pattern in enumerate(entry.on):
            if not any(fnmatchcase(place, pattern) for place in places):
                where = _at(registry, i, "on", j)
                problems.append(f"{where}: {pattern} matches no table and no effect")
    if problems:
        raise BadRegistry("\n".join(problems))


def _by_name(gates: Iterable[Gate]) -> dict[str, Gate]:
    found: dict[str, Gate] = {}
    for gate in gates:
        other = found.setdefault(gate.name, gate)
        if other is not gate or gate.name == EMPTIED:
            where = f"{other.function.__module__} and {gate.function.__module__}"
            msg = f"expected one gate called {gate.name}; found it in {where}"
            raise BadRegistry(msg)
    return found


def _meant(entry: Placed, places: Iterable[str]) -> list[str]:
    return [p for p in places if any(fnmatchcase(p, pattern) for pattern in entry.on)]


def _misplaced(
    registry: Registry, i: int, *, gate: Gate, places: Iterable[str]
) -> Iterator[str]:
    """Yield each table or effect that an entry names and may not judge."""
    entry = registry.gates.gates[i]
    where = _at(registry, i, "at")
    for place in _meant(entry, places):
        zone = place.partition(".")[0]
        kind = "an effect" if zone == EFFECTS else "one partition of a table"
        if zone not in ZONES[entry.at]:
            may = ", ".join(ZONES[entry.at])
            yield f"{where}: {entry.gate}: {entry.at} judges {may}; found {place}"
        elif gate.whole != (zone == EFFECTS):
            said = "a whole gate" if gate.whole else "a gate of partitions"
            yield f"{where}: {entry.gate} is {said}; {place} is {kind}"


def _none_twice(found: Mapping[str, list[Check]]) -> None:
    for place, checks in found.items():
        names = [check.name for check in checks]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            said = ", ".join(sorted(twice))
            msg = f"gates.yaml: {place}: expected each gate once; found twice {said}"
            raise BadRegistry(msg)


def _at(registry: Registry, i: int, *where: str | int) -> str:
    return registry.place("gates", "gates", i, *where)
