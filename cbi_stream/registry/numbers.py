"""Holds the numbers that registry files give to functions against the types they ask for.

A function says by its signature which numbers it needs; nothing is guessed, and no text
is taken for a number.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

Wanted = Mapping[str, tuple[Any, Any]]
"""By name the type of a number, and its default or `...`."""


def misfits(wanted: Wanted, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each number that does not fit: its name, and what is wrong."""
    for name in given.keys() - wanted.keys():
        known = ", ".join(wanted) or "none"
        yield name, f"expected one of the numbers {known}; found {name}"
    for name, (kind, default) in wanted.items():
        if name not in given:
            if default is ...:
                yield name, f"expected the number {name}; it is missing"
            continue
        try:
            _adapter(kind).validate_json(_text(given[name]), strict=True)
        except ValidationError as error:
            said = error.errors()[0]["msg"]
            yield name, f"{name}: {said}; found {given[name]!r}"


def fitted(wanted: Wanted, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers in their types, defaults filled in; `misfits` found none."""
    found = {n: d for n, (_, d) in wanted.items() if d is not ...}
    for name, value in given.items():
        kind = wanted[name][0]
        found[name] = _adapter(kind).validate_json(_text(value), strict=True)
    return found


def _text(value: Any) -> str:
    # In JSON a list fits a tuple and text fits a date: YAML knows neither type.
    return json.dumps(value, default=str)


@lru_cache(maxsize=256)
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
