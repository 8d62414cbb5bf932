"""One request for a rolling column: what, of which columns, over how many sessions.

It only checks its own numbers; it never sees a frame and never computes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kernel:
    """A rolling column, described and not yet computed.

    Attributes:
        name: Which formula, a key of `formulas.FORMULAS`.
        columns: The Float64 columns it reads; a pair is (y, x).
        window: How many sessions a value looks at, its own included. It is also
            the reach: rows further back cannot change a bit of the value.
        min_count: How many non-null values (for a pair: rows where both are
            non-null) the window must hold; with fewer, the answer is null.
        span: Sessions, for the exponential mean alone; else 0.

    Raises:
        ValueError: The window is empty, or `min_count` does not fit into it.
    """

    name: str
    columns: tuple[str, ...]
    window: int
    min_count: int
    span: int = 0

    def __post_init__(self) -> None:
        if self.window < 1:
            msg = f"{self}: window is {self.window} sessions, expected 1 or more"
            raise ValueError(msg)
        if not 1 <= self.min_count <= self.window:
            msg = (
                f"{self}: min_count is {self.min_count},"
                f" expected 1 to the window's {self.window}"
            )
            raise ValueError(msg)
        if self.span < 0:
            msg = f"{self}: span is {self.span} sessions, expected 1 or more"
            raise ValueError(msg)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(self.columns)}, window={self.window})"
