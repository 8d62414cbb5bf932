"""The decorator that turns a pure function into a handler. It never calls it.

    @handler(reads={"features.panel": sessions(back=60)}, writes="features.crush")
    def crush(panel: pl.DataFrame) -> pl.DataFrame: ...

Arguments are named after the last part of the tables that are read. `spec`, where
asked for, is the frozen registry entries named by `spec=`. A handler sees no path,
no clock, no network and no version.

Where sources of one shape are treated alike, their names are left open:

    each="observations", reads={"raw.{source}": ...}, writes="staging.{source}"
        one handler for each source of the shape; its argument is `lines`
    reads={"raw.{bars}": ...}
        one handler for all sources of the shape; its argument is `bars`, the frames
        by source
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
    each: str | None = None
    """The shape of sources for each of which there is such a handler."""
    source: str | None = None
    """The one for which this is."""
    gathers: str | None = None
    """The argument that takes the frames of sources; None where all are named."""

    @property
    def name(self) -> str:
        """Where the function stands, for messages: module and name."""
        where = f"{self.function.__module__}.{self.function.__qualname__}"
        return f"{where}({self.source})" if self.source else where

    @property
    def shape(self) -> str | None:
        """The shape of sources whose names are left open; None where none is."""
        opened = re.search(r"\{(\w+)\}", " ".join(self.reads))
        return (self.each or opened[1]) if opened else None

    def __call__(self, **frames: Any) -> pl.DataFrame | Conformed:
        """Run the function on frames handed in by table, as a test does."""
        if self.gathers is not None:
            named = inspect.signature(self.function).parameters
            loose = {n: frames.pop(n) for n in list(frames) if n not in named}
            frames[self.gathers] = next(iter(loose.values())) if self.each else loose
        return self.function(**frames)

    def closed(self, sources: Sequence[str]) -> tuple[Handler, ...]:
        """Return the handlers of these sources, with no name left open.

        Args:
            sources: the names of the sources of its shape.
        """
        if self.each is None:
            return (self._for(sources),)
        return tuple(replace(self._for([name]), source=name) for name in sources)

    def _for(self, sources: Sequence[str]) -> Handler:
        def filled(names: Sequence[str]) -> dict[str, str]:
            """Return each name with the sources put in, and the name that it was."""
            return {
                re.sub(r"\{\w+\}", source, name): name
                for name in names
                for source in (sources if "{" in name else [""])
            }

        only = sources[0] if self.each else ""
        reads = filled(list(self.reads))
        return replace(
            self,
            reads={name: self.reads[was] for name, was in reads.items()},
            writes=self.writes.replace("{source}", only),
            quarantines=self.quarantines and self.quarantines.replace("{source}", only),
            spec=tuple(filled(self.spec)),
        )


def handler(
    *,
    reads: Mapping[str, Read],
    writes: str,
    spec: tuple[str, ...] = (),
    quarantines: str | None = None,
    each: str | None = None,
) -> Callable[[Callable[..., pl.DataFrame | Conformed]], Handler]:
    """Declare what a function reads and which table it writes.

    The first table of `reads` is the spine: the output has the partitions that
    the spine has.

    Raises:
        BrokenContract: the function's arguments are not those of its reads.
    """

    def declare(function: Callable[..., pl.DataFrame | Conformed]) -> Handler:
        made = Handler(function, dict(reads), writes, spec, quarantines, each)
        last = [table.rpartition(".")[2] for table in reads]
        opened = [name for name in last if name.startswith("{")]
        inside = "lines" if each else "".join(opened).strip("{}")
        gathers = inside if opened else None
        names = [inside if name in opened else name for name in last]
        made = replace(made, gathers=gathers)
        expected = {*names} | ({"spec"} if spec else set())
        found = set(inspect.signature(function).parameters)
        if expected != found or len(set(names)) != len(reads):
            msg = (
                f"{made.name}: expected arguments named after its reads, "
                f"{sorted(expected)}; found {sorted(found)}"
            )
            raise BrokenContract(msg)
        return made

    return declare
