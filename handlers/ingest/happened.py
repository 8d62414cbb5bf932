"""Events that a parser finds one by one, as the rows of a raw table of events.

It judges no cell, and loses no entry that cannot be read: such a one stays a row, with
its problem.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl

from cbi_stream import BadInput

CELLS = (
    "effective_on", "kind", "form", "jurisdiction", "counterparty", "product",
    "rate_percent", "summary", "citation", "corrects",
)  # fmt: skip
"""What is said of an event, as it was written."""
_SCHEMA: dict[str, Any] = {
    "event": pl.String,
    "topic": pl.String,
    "date": pl.Date,
    "stamp": pl.Datetime("us", "UTC"),
    **dict.fromkeys(CELLS, pl.String),
    "line": pl.Int64,
    "problem": pl.String,
    "text": pl.String,
}
_KEPT, _SHOWN = 500, 5


class Happenings:
    """Rows of events, in the order in which they stand in the file."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []
        self._bad: list[str] = []

    def add(
        self,
        event: str,
        topic: str,
        *,
        day: date,
        stamp: datetime,
        line: int,
        cells: dict[str, str | None],
    ) -> None:
        """Add an event.

        Args:
            event: what names it.
            topic: what found it, or its kind.
            day: the day on which it was announced, at the source.
            stamp: when it was announced.
            line: its line of the file, or its running number.
            cells: some of CELLS.
        """
        named = {"event": event, "topic": topic, "date": day, "stamp": stamp}
        self._rows.append({**named, **cells, "line": line})

    def unreadable(self, text: object, problem: str, *, line: int) -> None:
        """Add an entry that cannot be read: the rule that it breaks, and what is wrong."""
        self._bad.append(problem)
        shown = str(text)[:_KEPT]
        about = {"event": "", "topic": "", "problem": problem, "text": shown}
        self._rows.append({**about, "line": line})

    def frame(self, *, expected: str) -> pl.DataFrame:
        """Return the rows of the raw table.

        An entry that cannot be read has the date of the nearest readable one above it,
        or below it where none is above.

        Args:
            expected: what the file should hold, for messages.

        Raises:
            BadInput: more than half of the entries cannot be read.
        """
        if len(self._bad) * 2 > len(self._rows):
            told = "\n".join(self._bad[:_SHOWN])
            msg = (
                f"expected {expected}: {len(self._bad)} of {len(self._rows)} entries "
                f"cannot be read, so none is taken:\n{told}"
            )
            raise BadInput(msg)
        full = [{name: row.get(name) for name in _SCHEMA} for row in self._rows]
        return pl.DataFrame(full, schema=_SCHEMA, orient="row").with_columns(
            pl.col("date").fill_null(strategy="forward").fill_null(strategy="backward")
        )
