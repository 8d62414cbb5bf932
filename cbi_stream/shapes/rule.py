"""The decorator for rules: which lines can be trusted, one test with one name each.

    @rule(phase="line")
    def within(cell: pl.Expr, *, low: float, high: float) -> pl.Expr:
        return (cell >= low) & (cell <= high)

A rule returns an expression that is true where a row is good; null is no pass. What it
looks at are its positional arguments, by name; its numbers are its keyword arguments, and
registry/rules.yaml gives them. A number may differ by series: it then arrives as an
expression, so a rule computes with numbers and never branches on them. A rule never looks
at stored output, a clock, or the order in which rows arrived.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_type_hints

from cbi_stream.words.errors import BrokenContract

if TYPE_CHECKING:
    import polars as pl

Phase = Literal["line", "neighbours", "batch"]
"""line: of the row alone. neighbours: against the raw rows before it that pass every rule
of the first phase. batch: of what one file has of one series or symbol in a month (bars)
or a quarter; a row then fails with its whole batch."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A named test of rows."""

    function: Callable[..., pl.Expr]
    phase: Phase
    firm: bool = False
    """Whether nobody can release what breaks it: it cannot be read at all."""
    excuse: Callable[..., pl.Expr] | None = None
    """True where a row that breaks the rule is only flagged; of the same form."""
    says: Callable[..., str] | None = None
    """Words about a row that breaks it, from the same arguments as values."""
    unless: Callable[..., pl.Expr] | None = None
    """True where the rule would pass and need not be asked; much cheaper."""

    @property
    def name(self) -> str:
        """The name under which rules.yaml and the quarantine know it."""
        return self.function.__name__

    @property
    def needs(self) -> tuple[str, ...]:
        """What it looks at: the names of its positional arguments."""
        return _positional(self.function)

    @property
    def excuse_needs(self) -> tuple[str, ...]:
        """What its excuse looks at; where that is not there, there is no excuse."""
        return () if self.excuse is None else _positional(self.excuse)

    @property
    def numbers(self) -> Mapping[str, tuple[Any, Any]]:
        """What rules.yaml gives it: by name the type, and the default or `...`."""
        return numbers_of(self.function)

    def __call__(self, **given: Any) -> pl.Expr:
        """Return the test for these expressions and numbers."""
        said = [given.pop(name) for name in self.needs]
        return self.function(*said, **given)

    def spared(self, **given: Any) -> pl.Expr:
        """Return the test for rows that need not be asked; of a rule with `unless`."""
        assert self.unless is not None, "asked of a rule with a cheaper test"
        names = inspect.signature(self.unless).parameters
        return self.unless(**{name: given[name] for name in names})

    def excused(self, **given: Any) -> pl.Expr:
        """Return the test for a row that is only flagged; of a rule with an excuse."""
        assert self.excuse is not None, "asked of a rule with an excuse"
        said = [given.pop(name) for name in self.excuse_needs]
        return self.excuse(*said, **given)


def numbers_of(function: Callable[..., Any]) -> dict[str, tuple[Any, Any]]:
    """Return the keyword-only arguments of a function: type, and default or `...`.

    Raises:
        BrokenContract: one of them has no type.
    """
    hints = get_type_hints(function, localns=_names(function))
    found = {}
    for name, each in inspect.signature(function).parameters.items():
        if each.kind is not inspect.Parameter.KEYWORD_ONLY:
            continue
        if name not in hints:
            msg = f"{function.__qualname__}: expected a type for {name}; found none"
            raise BrokenContract(msg)
        default = ... if each.default is inspect.Parameter.empty else each.default
        found[name] = (hints[name], default)
    return found


def _names(function: Callable[..., Any]) -> dict[str, Any]:
    return dict(vars(inspect.getmodule(function) or function))


def _positional(function: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(
        name
        for name, each in inspect.signature(function).parameters.items()
        if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    )


def rule(
    *,
    phase: Phase = "line",
    firm: bool = False,
    excuse: Callable[..., pl.Expr] | None = None,
    says: Callable[..., str] | None = None,
    unless: Callable[..., pl.Expr] | None = None,
) -> Callable[[Callable[..., pl.Expr]], Rule]:
    """Declare a function as a rule.

    Args:
        phase: what it may look at.
        firm: whether nobody can release what breaks it.
        excuse: a function of the same form: where it is true, a row that breaks the
            rule is flagged and stays.
        says: a function of the same arguments as values: what was expected, in words.
        unless: a function of some of these arguments, and much cheaper: where it is
            true the rule would pass, so it is not asked.
    """

    def declare(function: Callable[..., pl.Expr]) -> Rule:
        return Rule(function, phase, firm, excuse, says, unless)

    return declare
