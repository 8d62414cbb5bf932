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
from typing import TYPE_CHECKING, Any

from cbi_stream.shapes.reads import Read
from cbi_stream.words.errors import BrokenContract

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Handler:
    """A pure function from slices of tables to rows of one table."""

    function: Callable[..., pl.DataFrame]
    reads: Mapping[str, Read]
    writes: str
    spec: tuple[str, ...]

    @property
    def name(self) -> str:
        """Where the function stands, for messages: module and name."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def arguments(self) -> dict[str, str]:
        """The table behind each argument."""
        return {table.rpartition(".")[2]: table for table in self.reads}

    def __call__(self, **frames: Any) -> pl.DataFrame:
        """Run the function on frames handed in by name, as a test does."""
        return self.function(**frames)


def handler(
    *, reads: Mapping[str, Read], writes: str, spec: tuple[str, ...] = ()
) -> Callable[[Callable[..., pl.DataFrame]], Handler]:
    """Declare what a function reads and which table it writes.

    The first table of `reads` is the spine: the output has the partitions that
    the spine has.

    Raises:
        BrokenContract: the function's arguments are not those of its reads.
    """

    def declare(function: Callable[..., pl.DataFrame]) -> Handler:
        made = Handler(function, dict(reads), writes, spec)
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
