"""The decorator that turns a pure function into a handler. It never calls it.

    @handler(reads={"features.panel": sessions(back=60)}, writes="features.crush")
    def crush(panel: pl.DataFrame) -> pl.DataFrame: ...

Arguments are named after the last part of the tables that are read. `spec`, where
asked for, is the frozen registry entries named by `spec=`. A handler sees no path,
no clock, no network and no version.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cbi_stream.shapes.reads import Read
from cbi_stream.words.errors import BrokenContract

if TYPE_CHECKING:
    import polars as pl


class Conformed(NamedTuple):
    """What a conform handler makes of the lines that it is given."""

    staged: pl.DataFrame
    """The rows of the table that it writes."""
    quarantined: pl.DataFrame
    """The rows of its quarantine."""
    fates: pl.DataFrame
    """What became of each line: `raw`, `sha256`, `batch`, `line` and `fate`, which is
    one of FATES. Every line stands here once: none is lost."""


FATES = (
    "staged", "quarantined", "superseded", "duplicate", "provisional", "unused",
)  # fmt: skip
"""staged: its content stands. quarantined: it broke a rule, or a person rejected it.
superseded: a later version or another source stands instead. duplicate: it says what
the version before it said. provisional: seen before it was released. unused: it is
about something that the registry does not name."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A pure function from slices of tables to rows of one table."""

    function: Callable[..., pl.DataFrame | Conformed]
    reads: Mapping[str, Read]
    writes: str
    spec: tuple[str, ...]
    quarantines: str | None = None
    """The table of the lines that it turns away; its function then returns Conformed."""

    @property
    def name(self) -> str:
        """Where the function stands, for messages: module and name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def arguments(self) -> dict[str, str]:
        """The table behind each argument."""
        return {table.rpartition(".")[2]: table for table in self.reads}

    def __call__(self, **frames: Any) -> pl.DataFrame | Conformed:
        """Run the function on frames handed in by name, as a test does."""
        return self.function(**frames)


def handler(
    *,
    reads: Mapping[str, Read],
    writes: str,
    spec: tuple[str, ...] = (),
    quarantines: str | None = None,
) -> Callable[[Callable[..., pl.DataFrame | Conformed]], Handler]:
    """Declare what a function reads and which table it writes.

    The first table of `reads` is the spine: the output has the partitions that
    the spine has.

    Raises:
        BrokenContract: the function's arguments are not those of its reads.
    """

    def declare(function: Callable[..., pl.DataFrame | Conformed]) -> Handler:
        made = Handler(function, dict(reads), writes, spec, quarantines)
        expected = {*made.arguments} | ({"spec"} if spec else set())
        found = set(inspect.signature(function).parameters)
        if expected != found or len(made.arguments) != len(reads):
            msg = (
                f"{made.name}: expected arguments named after its reads, "
                f"{sorted(expected)}; found {sorted(found)}"
            )
            raise BrokenContract(msg)
        return made

    return declare
