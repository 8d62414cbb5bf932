"""Binds rules.yaml to the rules that handlers declare, and to the sources of a handler.

It is checked whole when loading. It never judges a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cbi_stream.kernels.targets import WORDS, Facts, Targets
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.rules import RuleEntry
from cbi_stream.shapes.rule import Rule
from cbi_stream.words.errors import BadRegistry

_LINES = frozenset({"date", "cell", "as_of", "first_seen_at", "numbers", "unlike"})
_NEIGHBOURS = frozenset({"usual", "last", "typical", "known", "same"})
_BARS = frozenset({"open", "high", "low", "close", "volume", "open_interest"})
_BAR_FACTS = frozenset(
    {"ticks_off", "plausible_low", "plausible_high", "unit", "session"}
)
_EVENT_FACTS = frozenset(
    {"stamp", "kind", "citation", "effective_on", "effective_at", "possible_at"}
)
SEEN: Mapping[str, frozenset[str]] = {
    "bars": _LINES | _NEIGHBOURS | _BARS | _BAR_FACTS | {"possible_at", "bar_again"},
    "observations": _LINES | _NEIGHBOURS | {"possible_at"},
    "counts": _LINES | _NEIGHBOURS | {"possible_at"},
    "events": _LINES | _EVENT_FACTS,
}
"""What the rules of each shape of sources can look at."""
_CELLS = {"bars": _BARS, "events": frozenset({"rate"})}
_VALUE = frozenset({"value"})


@dataclass(frozen=True, slots=True)
class Bound:
    """An entry of rules.yaml with its rule."""

    rule: Rule
    entry: RuleEntry

    def meaning(self) -> dict[str, Any]:
        """Return what can change a verdict: no prose."""
        return self.entry.model_dump(mode="json", exclude={"because"})


@dataclass(frozen=True, slots=True)
class Binding:
    """The rules that hold for the lines of one handler."""

    bound: tuple[Bound, ...]
    back: int
    batch: str

    def meaning(self) -> dict[str, Any]:
        """Return what can change a verdict besides the code of the rules."""
        entries = [each.meaning() for each in self.bound]
        return {"entries": entries, "back": self.back, "batch": self.batch}


def bound(
    registry: Registry,
    rules: Mapping[str, Rule],
    sources: Iterable[str],
    targets: Targets | None = None,
) -> Binding:
    """Return the rules that may hold for lines of these sources.

    Args:
        registry: the registry.
        rules: the declared rules, by name.
        sources: the sources of a handler.
        targets: every series and symbol of the registry; looked up if not given.

    Raises:
        BadRegistry: a rule that would hold is not declared: nothing is judged by less
            than rules.yaml says.
    """
    targets = targets or targets_of(registry)
    own = 0
    for name in sources:
        own |= targets.called("sources", name)
    listed = enumerate(registry.rules.rules)
    mine = [(i, entry) for i, entry in listed if targets.about(entry.on) & own]
    known = ", ".join(sorted(rules)) or "none"
    unknown = [
        f"{registry.place('rules', 'rules', i)}: expected a rule that is declared, "
        f"{known}; found {entry.rule}"
        for i, entry in mine
        if entry.rule not in rules
    ]
    if unknown:
        raise BadRegistry("\n".join(unknown))
    found = [Bound(rules[entry.rule], entry) for _, entry in mine]
    bars = bool(own & targets.called("shapes", "bars"))
    file = registry.rules
    back = file.bars_back if bars else file.statements_back
    return Binding(tuple(found), back, "1mo" if bars else "1q")


def targets_of(registry: Registry) -> Targets:
    """Return every series and symbol that any source may have."""
    names = registry.data_sources.sources
    return Targets([one for name in names for one in _facts_of(registry, name)])


def _facts_of(registry: Registry, source: str) -> Iterator[Facts]:
    entry = registry.data_sources.sources[source]
    place = {"shapes": (entry.shape or "",), "sources": (source,)}
    if entry.shape == "bars":
        for name, symbol in registry.universe.symbols.items():
            yield {
                **place,
                "symbols": (name,),
                "series": (),
                "kinds": (symbol.kind,),
                "units": (symbol.unit,),
            }
        return
    for name, series in entry.series.items():
        yield {
            **place,
            "symbols": (),
            "series": (name,),
            "kinds": (),
            "units": (series.unit,),
        }


def by_name(rules: Iterable[Rule]) -> dict[str, Rule]:
    """Return rules by their names.

    Raises:
        BadRegistry: two have one name.
    """
    found: dict[str, Rule] = {}
    for rule in rules:
        if rule.name in found:
            msg = f"two rules are called {rule.name}: the quarantine could not tell them apart"
            raise BadRegistry(msg)
        found[rule.name] = rule
    return found


def every_rule_fits(registry: Registry, rules: Mapping[str, Rule]) -> None:
    """Hold rules.yaml against the declared rules, the sources and the universe.

    Raises:
        BadRegistry: a rule, a number or a target is not there; file and line are named.
    """
    targets = targets_of(registry)
    problems = []
    for i, entry in enumerate(registry.rules.rules):
        place = registry.place("rules", "rules", i)
        problems += [
            f"{place}: {entry.rule}: {why}" for why in _misfits(entry, rules, targets)
        ]
    if problems:
        raise BadRegistry("\n".join(problems))


def _misfits(
    entry: RuleEntry, rules: Mapping[str, Rule], targets: Targets
) -> Iterator[str]:
    rule = rules.get(entry.rule)
    if rule is None:
        known = ", ".join(sorted(rules))
        yield f"expected a rule that handlers/rules declares: {known}"
        return
    yield from _numbers_misfit(entry, rule)
    about = targets.about(entry.on)
    shapes = {name for name, bits in targets.having["shapes"].items() if bits & about}
    if not shapes:
        said = entry.on.model_dump(exclude_defaults=True, exclude={"cells"})
        yield f"expected series or symbols to which it applies; none fit {said}"
    for shape in sorted(shapes & SEEN.keys()):
        lacking = sorted(set(rule.needs) - SEEN[shape])
        if lacking:
            yield f"it looks at {', '.join(lacking)}, which lines of {shape} do not have"
        strange = sorted(set(entry.on.cells) - _CELLS.get(shape, _VALUE))
        if strange:
            yield f"lines of {shape} have no cell {', '.join(strange)}"
    yield from _targets_misfit(entry, targets)


def _targets_misfit(entry: RuleEntry, targets: Targets) -> Iterator[str]:
    """Return each single name among the targets that nothing has."""
    for word in WORDS:
        for name in getattr(entry.on, word):
            if not targets.called(word, name):
                yield f"{word}: nothing is called {name}"


_KINDS: Mapping[type, tuple[type, ...]] = {
    float: (float, int),
    int: (int,),
    str: (str,),
    bool: (bool,),
}


def _numbers_misfit(entry: RuleEntry, rule: Rule) -> Iterator[str]:
    wanted, given = rule.numbers, entry.numbers
    for name in sorted(given.keys() - wanted.keys()):
        expected = ", ".join(wanted) or "none"
        yield f"with: it has no number {name}; expected {expected}"
    if entry.severity == "off":
        return
    for name, (kind, default) in wanted.items():
        if name not in given:
            if default is ...:
                yield f"with: the number {name} is missing"
            continue
        value = given[name]
        fits = isinstance(value, _KINDS[kind]) and (
            kind is bool or not isinstance(value, bool)
        )
        if not fits:
            yield f"with: {name}: expected {kind.__name__}; found {value!r}"
