"""The decorator for gates: whether a candidate may be published. It never changes one.

    @gate
    def no_twins(rows: pl.DataFrame, subject: Subject) -> Finding: ...

    @whole_gate
    def ten_files(tables: Mapping[str, pl.DataFrame], subject: Subject, *, least: int): ...

A `gate` judges one candidate partition before it is committed; a `whole_gate` judges the
tables that an effect reads, and the files that it made, before they are published. What
they find is a pure function of these, the registry and decisions: never of stored output,
a clock, or the order in which rows arrived. The numbers are keyword arguments, and
registry/gates.yaml gives them. What a gate looks for and does not find is a failure; a
table or column that is not there at all skips it, which holds back just as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from cbi_stream.shapes.rule import numbers_of

if TYPE_CHECKING:
    from cbi_stream.words.span import Span

MOST_PLACES = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    passed: bool
    expected: str
    found: str
    places: tuple[str, ...] = ()
    """Where, for instance `2020-06-15 close=4766`: the first few of them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged, besides its rows."""

    table: str
    """The table; of a whole gate the effect's name."""
    partition: str | None = None
    span: Span | None = None
    """The dates of the partition."""
    key: tuple[str, ...] = ("date",)
    sessions: tuple[date, ...] = ()
    """The sessions of the calendar inside the span, up to the newest date of the
    table's spine."""
    fates: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of a table made of lines: per raw table, how many lines met which fate. Of a whole
    gate: the sums over all partitions of all staging tables."""
    counts_lines: bool = True
    """Whether its handler says the fate of every line. One that reads what others have
    judged turns no line away, and says none."""
    carried: tuple[str, ...] = ()
    """Of a whole gate: the held partitions behind its tables, as table/partition@hash."""
    files: Mapping[str, Any] = field(default_factory=dict)
    """Of a whole gate: the frames that the effect made, by file name."""
    spec: Any = None
    """The registry, read-only. A gate that looks at it judges again when any of it
    changes."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A named check of a candidate."""

    function: Callable[..., Finding]
    whole: bool = False

    @property
    def name(self) -> str:
        """The name under which gates.yaml and verdicts know it."""
        return self.function.__name__

    @property
    def numbers(self) -> Mapping[str, tuple[Any, Any]]:
        """What gates.yaml gives it: by name the type, and the default or `...`."""
        return numbers_of(self.function)

    def __call__(self, what: Any, subject: Subject, **numbers: Any) -> Finding:
        """Judge rows, or by table the rows of all that an effect reads."""
        return self.function(what, subject, **numbers)


def gate(function: Callable[..., Finding]) -> Gate:
    """Declare a check of one candidate partition."""
    return Gate(function)


def whole_gate(function: Callable[..., Finding]) -> Gate:
    """Declare a check of everything that an effect reads and made."""
    return Gate(function, whole=True)
