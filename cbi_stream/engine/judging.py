"""Judges candidates: runs each gate, and turns what it says or raises into a verdict.

A gate is handed frames and never a path, a clock or stored output. An exception of a gate
is a verdict, never a failure of the wave.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import fields
from types import CodeType, FunctionType
from typing import Any, TypeVar

import polars as pl

from cbi_stream.engine import fingerprint
from cbi_stream.engine.gating import Check
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.verdicts import Verdict
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.model import Entry
from cbi_stream.shapes.gate import MOST_PLACES, Finding, Subject
from cbi_stream.words.errors import BrokenContract
from cbi_stream.words.points import Status

V = TypeVar("V")


class Given(dict[str, V]):
    """Frames by name; asking for one that is not there skips the gate."""

    def __missing__(self, name: str) -> V:
        """Say that it is absent."""
        raise _AbsentError(name)


class _AbsentError(Exception):
    """A gate asked for a frame that it was not given."""


def print_of(graph: Graph, place: str) -> str:
    """Return one hash over the gates of a table or an effect; empty where it has none.

    Over their names, numbers and code, and over the registry where one looks at it.
    """
    checks = graph.checks.get(place, ())
    if not checks:
        return ""
    parts: list[Any] = []
    for check in checks:
        code = fingerprint.code_of(graph, check.gate.function)
        numbers = {name: repr(value) for name, value in check.numbers.items()}
        looks = _looks_at_registry(check.gate.function)
        spec = registry_print(graph.registry) if looks else ""
        parts.append([check.name, check.at, check.severity, numbers, code, spec])
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _looks_at_registry(function: Callable[..., Any]) -> bool:
    """Return whether any function of a gate's module speaks of `spec`."""
    named = function.__globals__.values()
    functions = [function, *(getattr(each, "function", each) for each in named)]
    codes = [each.__code__ for each in functions if isinstance(each, FunctionType)]
    while codes:
        code = codes.pop()
        if "spec" in code.co_names:
            return True
        codes += [each for each in code.co_consts if isinstance(each, CodeType)]
    return False


_PRINTS: list[tuple[Registry, str]] = []
"""The registry whose print was taken last: it is long."""


def registry_print(registry: Registry) -> str:
    """Return one hash over all that the registry says, the gates left out."""
    for known, found in _PRINTS:
        if known is registry:
            return found
    said = {
        each.name: value.model_dump(mode="json")
        for each in fields(registry)
        if isinstance(value := getattr(registry, each.name), Entry)
        and each.name != "gates"
    }
    said["contracts"] = {
        name: contract.model_dump(mode="json")
        for name, contract in registry.contracts.items()
    }
    text = json.dumps([said, registry.sessions.digest], sort_keys=True, default=str)
    found = hashlib.sha256(text.encode()).hexdigest()
    _PRINTS[:] = [(registry, found)]
    return found


def judged(
    checks: Iterable[Check],
    what: Any,
    subject: Subject,
    *,
    candidate: str,
    permits: Iterable[str],
    shows: str,
) -> list[Verdict]:
    """Return the verdict of each check.

    Args:
        checks: what judges it.
        what: the candidate's rows; of an effect its tables by name.
        subject: what else a gate may look at.
        candidate: the candidate's hash; empty for an effect, whose findings are named.
        permits: the decisions that stand for it, as gate@candidate.
        shows: the command that shows the rows.
    """
    allowed = set(permits)
    found = []
    for check in checks:
        status, finding = _asked(check, what, subject)
        token = candidate or _token(check.name, finding)
        found.append(
            Verdict(
                gate=check.name,
                severity=check.severity,
                status=status,
                expected=finding.expected,
                found=finding.found,
                places=tuple(finding.places[:MOST_PLACES]),
                shows=shows,
                let=status != "passed" and f"{check.name}@{token}" in allowed,
                token="" if candidate or status == "passed" else token,
            )
        )
    return found


def _token(gate: str, finding: Finding) -> str:
    text = json.dumps([gate, finding.expected, finding.found, finding.places])
    return hashlib.sha256(text.encode()).hexdigest()


def _asked(check: Check, what: Any, subject: Subject) -> tuple[Status, Finding]:
    """Return status and finding of one check."""
    try:
        finding = check.gate(what, subject, **check.numbers)
        if not isinstance(finding, Finding):
            msg = f"{check.name}: expected a Finding; found {finding!r}"
            raise BrokenContract(msg)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except _AbsentError as error:
        return "skipped", _absent(error.args[0])
    except pl.exceptions.ColumnNotFoundError as error:
        return "skipped", _absent(f"the column {str(error).splitlines()[0]}")
    except BaseException as error:  # noqa: BLE001 - a gate may raise anything
        said = f"{type(error).__name__}: {error}"
        return "error", Finding(passed=False, expected="a finding", found=said)
    return "passed" if finding.passed else "failed", finding


def _absent(what: str) -> Finding:
    return Finding(
        passed=False,
        expected="every input that the gate needs",
        found=f"{what} is not there",
    )
