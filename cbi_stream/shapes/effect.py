"""The decorator for effects: something made for the outside once a wave has settled.

An effect is a pure function of whole tables and never writes itself; the engine writes
what it returns. It is done again exactly when its inputs' content or its own code changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Effect:
    """A function from whole tables to named files."""

    function: Callable[..., dict[str, pl.DataFrame]]
    after: tuple[str, ...]
    spec: tuple[str, ...]

    @property
    def name(self) -> str:
        """Where the function stands, for messages."""
        return f"{self.function.__module__}.{self.function.__qualname__}"

    @property
    def arguments(self) -> dict[str, str]:
        """The table behind each argument."""
        return {table.rpartition(".")[2]: table for table in self.after}

    def __call__(self, **frames: Any) -> dict[str, pl.DataFrame]:
        """Run the function on frames handed in by name."""
        return self.function(**frames)


def effect(
    *, after: tuple[str, ...], spec: tuple[str, ...] = ()
) -> Callable[[Callable[..., dict[str, pl.DataFrame]]], Effect]:
    """Declare which tables an effect is made from."""

    def declare(function: Callable[..., dict[str, pl.DataFrame]]) -> Effect:
        return Effect(function, after, spec)

    return declare
