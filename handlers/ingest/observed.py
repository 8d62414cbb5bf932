"""Observations that a parser finds one by one, as the rows of a raw table.

It never turns a cell into a number, and loses no entry that cannot be read: such a one
stays a row, with its problem.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from cbi_stream import BadInput

_SCHEMA: dict[str, Any] = {
    "series": pl.String,
    "date": pl.Date,
    "value": pl.String,
    "stamp": pl.Datetime("us", "UTC"),
    "loaded": pl.Boolean,
    "line": pl.Int64,
    "problem": pl.String,
    "text": pl.String,
}
_FIRST, _LAST = 1900, 2100
_KEPT = 500
_SHOWN = 5


class Observations:
    """Rows of observations, in the order in which they stand in the file.

    `line` numbers them: where a line of the file holds one of them its number, else the
    running number of the entry, else (in a sheet) 1000 times the row plus the column,
    each from 1. No two rows have the same.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {name: [] for name in _SCHEMA}
        self._bad: list[str] = []

    def add(
        self,
        series: str,
        day: date,
        value: object,
        *,
        line: int | None = None,
        stamp: datetime | None = None,
        loaded: bool | None = None,
    ) -> None:
        """Add an observation.

        Args:
            series: its id.
            day: the period that is observed.
            value: its cell as it was written; None and blanks are a missing value.
            line: see above; the running number unless said.
            stamp: when the source says that it released this value.
            loaded: whether that is only the time of a bulk load.
        """
        if not _FIRST <= day.year <= _LAST:
            problem = f"date: expected a day from {_FIRST} to {_LAST}; found {day}"
            self.unreadable(series, value, problem, line=line)
            return
        cell = "" if value is None else str(value).strip()
        self._row(series, day, cell, stamp, loaded, line, None, None)

    def unreadable(
        self, series: str, text: object, problem: str, *, line: int | None = None
    ) -> None:
        """Add an entry that cannot be read.

        Args:
            series: what it is about, as far as that can be told; else empty.
            text: the entry as it stands.
            problem: the rule that it breaks, a colon, what was expected and found.
            line: see above.
        """
        self._bad.append(problem)
        shown = str(text)[:_KEPT]
        self._row(series, None, None, None, None, line, problem, shown)

    def __len__(self) -> int:
        return len(self._columns["line"])

    def frame(self, *, expected: str) -> pl.DataFrame:
        """Return the rows of the raw table.

        An entry that cannot be read has the date of the nearest readable one above it,
        or below it where none is above.

        Args:
            expected: what the file should hold, for messages.

        Raises:
            BadInput: more than half of the entries cannot be read.
        """
        if len(self._bad) * 2 > len(self):
            told = "\n".join(self._bad[:_SHOWN])
            msg = (
                f"expected {expected}: {len(self._bad)} of {len(self)} entries cannot "
                f"be read, so none is taken:\n{told}"
            )
            raise BadInput(msg)
        rows = pl.DataFrame(self._columns, schema=_SCHEMA)
        return rows.with_columns(
            pl.col("date").fill_null(strategy="forward").fill_null(strategy="backward")
        )

    def _row(self, *cells: Any) -> None:
        names = (
            "series",
            "date",
            "value",
            "stamp",
            "loaded",
            "line",
            "problem",
            "text",
        )
        for name, cell in zip(names, cells, strict=True):
            self._columns[name].append(cell)
        if self._columns["line"][-1] is None:
            self._columns["line"][-1] = len(self)


def instant(day: date, at: str, zone: str) -> datetime:
    """Return the instant (UTC) of a local time of day, like 16:30, on a day."""
    local = datetime.fromisoformat(f"{day.isoformat()}T{at}")
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def end_of_day(day: date, zone: str) -> datetime:
    """Return the last second of a day, as UTC: by then all of its news is out."""
    return instant(day, "23:59:59", zone)


def day_in(text: object, *formats: str) -> date | None:
    """Return the day that a text says in one of these formats; None where it says none.

    A format is tried whole: nothing before or behind it is passed over.
    """
    for each in formats or ("%Y-%m-%d",):
        try:
            return datetime.strptime(str(text).strip(), each).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None


def one_of(names: Sequence[str], known: object, *, what: str) -> str:
    """Return the first of these names that something has.

    Raises:
        BadInput: it has none: a column or field was renamed.
    """
    held = list(known) if isinstance(known, dict | list | tuple) else []
    for name in names:
        if name in held:
            return name
    shown = ", ".join(map(str, held[:20]))
    msg = f"expected {what} under {' or '.join(names)}; found {shown}"
    raise BadInput(msg)
