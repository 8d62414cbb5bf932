"""Which numbers of a rule hold for which row, and whether it only flags. Never a verdict.

Of several entries about one rule and cell the last one that is about the row's series and
date counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

from cbi_stream.kernels.targets import Facts, Targets

Bools: TypeAlias = NDArray[np.bool_]
_EPOCH = date(1970, 1, 1)
_EVER = 10**6


class Binding(Protocol):
    """All rules that hold for the lines of one handler."""

    @property
    def bound(self) -> Sequence[Any]:
        """In the order of rules.yaml."""

    @property
    def back(self) -> int:
        """How many days before a row its neighbours may lie."""

    @property
    def batch(self) -> str:
        """How long the batch of a file is, as polars says it: 1mo, 1q."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One entry: for which entities and dates it holds, and what it says."""

    mask: Bools
    since: int
    until: int
    numbers: Mapping[str, Any]
    severity: str

    @property
    def by_date(self) -> bool:
        """Whether it holds for some dates only."""
        return self.since > -_EVER or self.until < _EVER


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for each row of a frame."""

    layer: NDArray[np.int64]
    """Which layer counts; -1 for none."""
    active: Bools
    flags: Bools
    numbers: Mapping[str, Any]
    """Numbers, or where they differ a column of them."""


@dataclass(frozen=True, slots=True)
class Test:
    """A rule on one cell, with every entry about it."""

    rule: Any
    cell: str
    whole: bool
    """Whether a line that breaks it is turned away; else it only loses the cell."""
    layers: tuple[Layer, ...]

    @property
    def name(self) -> str:
        """How the quarantine names it: volume:within where it is about one cell."""
        return self.rule.name if self.whole else f"{self.cell}:{self.rule.name}"

    @property
    def looks_at(self) -> tuple[str, ...]:
        """All columns that the rule or its excuse may look at."""
        return (*self.rule.needs, *self.rule.excuse_needs)

    def terms(self, entity: NDArray[np.int64], day: NDArray[np.int64]) -> Terms:
        """Return what holds for rows of these entities and days (since 1970)."""
        always = np.full(len(self.layers[0].mask), -1, dtype=np.int64)
        for i, each in enumerate(self.layers):
            if not each.by_date:
                always[each.mask] = i
        layer = always[entity]
        for i, each in enumerate(self.layers):
            if each.by_date:
                inside = each.mask[entity] & (day >= each.since) & (day <= each.until)
                layer[inside] = np.maximum(layer[inside], i)
        off = np.array([each.severity == "off" for each in self.layers])
        flag = np.array([each.severity == "flag" for each in self.layers])
        active = (layer >= 0) & ~off[layer]
        return Terms(layer, active, flag[layer] & active, self._numbers(layer[active]))

    def _numbers(self, used: NDArray[np.int64]) -> dict[str, Any]:
        """Return each number; as None where it differs among the layers that are used."""
        counted = np.bincount(used, minlength=len(self.layers))
        there = [self.layers[i].numbers for i in np.flatnonzero(counted)]
        names = there[0] if there else {}
        return {
            name: value if all(each[name] == value for each in there) else None
            for name, value in names.items()
        }

    def column(self, layer: NDArray[np.int64], name: str) -> pl.Series:
        """Return a number that differs, row by row."""
        default = next(iter(self.layers)).numbers[name]
        each = [at.numbers.get(name, default) for at in self.layers]
        return pl.Series(each).gather(np.maximum(layer, 0))

    def numbers_at(self, layer: int) -> Mapping[str, Any]:
        """Return the numbers of one layer."""
        return self.layers[layer].numbers


def tests_of(
    binding: Binding, facts: Sequence[Facts], *, main: str
) -> dict[str, list[Test]]:
    """Return by phase the rules on each cell, with what rules.yaml says of each entity.

    Args:
        binding: the rules of the handler.
        facts: what is known of each entity.
        main: the cell that is meant where an entry names none; a line is worth nothing
            without it.
    """
    found: dict[tuple[str, str], tuple[Any, list[Layer]]] = {}
    targets = Targets(facts)
    for each in binding.bound:
        about = targets.about(each.entry.on)
        mask = np.array([about >> i & 1 for i in range(len(facts))], dtype=bool)
        if not mask.any():
            continue
        layer = _layer(each, mask)
        named = each.entry.on.cells if "cell" in each.rule.needs else ()
        for cell in named or (main,):
            found.setdefault((each.rule.name, cell), (each.rule, []))[1].append(layer)
    phases: dict[str, list[Test]] = {"line": [], "neighbours": [], "batch": []}
    for (_, cell), (rule, layers) in found.items():
        phases[rule.phase].append(Test(rule, cell, cell == main, tuple(layers)))
    return phases


def look_back(
    tests: Sequence[Test],
    *,
    entity: NDArray[np.int64],
    day: NDArray[np.int64],
    most: int,
) -> NDArray[np.int64]:
    """Return how many days before each row its neighbours may lie.

    It is what the number `back` of a rule says that holds for the row, the greatest of
    several, and never more than `most`; where none says so, `most`.
    """
    said = np.zeros(len(entity), dtype=np.int64)
    for test in tests:
        if "back" in test.rule.numbers:
            terms = test.terms(entity, day)
            each = np.array([layer.numbers["back"] for layer in test.layers])
            here = np.where(terms.active, each[terms.layer], 0)
            said = np.maximum(said, here)
    return np.where(said > 0, np.minimum(said, most), most)


def _layer(each: Any, mask: Bools) -> Layer:
    entry = each.entry
    given = {}
    for name, (kind, default) in each.rule.numbers.items():
        value = entry.numbers.get(name, default)
        # Where a rule is off it needs no numbers.
        given[name] = kind() if value is ... else kind(value)
    since = (entry.since - _EPOCH).days if entry.since else -_EVER
    until = (entry.until - _EPOCH).days if entry.until else _EVER
    return Layer(mask, since, until, given, entry.severity)
