"""Holds a file against the lake: which values both have, and which of them are equal.

It reads the lake as it was last published, and never changes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

import polars as pl

from cbi_stream.audit.finding import Finding, Weight, number
from cbi_stream.audit.sheet import DAY, Sheet

# The lake rounds prices to their tick, and files to as many digits.
_EQUAL = 1e-4
_FEWEST = 5
# One value in a hundred may be an unfinished day that the lake has since corrected.
_DIFFER = 0.01


@dataclass(frozen=True)
class Held:
    """What the lake holds, as far as a file may hold it as well."""

    series: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    """By symbol or series, in capitals: date and value (the close of a bar)."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By what others call it, in capitals: its name in the lake."""

    def known(self, name: str) -> str | None:
        """Return the lake's name of what somebody calls so."""
        said = name.strip().upper()
        # Its own name speaks first: one source may call another thing so.
        found = said if said in self.series else self.names.get(said)
        return found if found in self.series else None


def overlaps(sheet: Sheet, held: Held) -> Iterator[Finding]:
    """Say of each series that the lake has as well how many values are equal."""
    if not sheet.has_dates:
        return
    stem = PurePath(sheet.name.removesuffix(".gz")).stem.partition("_asof_")[0]
    for key, rows in sheet.keys:
        for name, column in _asked(sheet, key, stem):
            known = held.known(name)
            if known is not None:
                yield from _compared(
                    known, rows.select(DAY, column), held.series[known]
                )
                break


def _asked(sheet: Sheet, key: str, stem: str) -> list[tuple[str, str]]:
    """Return the names under which the lake may know a series, each with its column."""
    value = sheet.close
    if value is None:
        return [(column, column) for column in sheet.numbers]
    names = (
        [key, key.split(" / ", maxsplit=1)[0]]
        if key
        else [value, stem, stem.partition("_")[0]]
    )
    return [(name, value) for name in names]


def _compared(name: str, rows: pl.DataFrame, stored: pl.DataFrame) -> Iterator[Finding]:
    column = rows.columns[1]
    mine = rows.drop_nulls().unique(DAY, keep="last", maintain_order=True)
    both = mine.join(stored, left_on=DAY, right_on="date", how="inner").drop_nulls()
    if both.height < _FEWEST:
        return
    off = (pl.col(column) - pl.col("value")).abs()
    room = (
        _EQUAL * pl.max_horizontal(pl.col(column).abs(), pl.col("value").abs()) + 1e-9
    )
    differ = both.filter(off > room)
    weight: Weight = "replace" if differ.height > _DIFFER * both.height else "note"
    said = (
        f"{name}: the lake has {both.height} of {mine.height} dates as well; "
        f"{both.height - differ.height} values are equal, {differ.height} differ"
    )
    places = []
    for day, here, there in (
        differ.sort(DAY).select(DAY, column, "value").head(3).iter_rows()
    ):
        places.append(f"{day}: {number(here)} here, {number(there)} in the lake")
    said += f" ({'; '.join(places)})" if places else ""
    yield Finding("overlap", weight, said, both.height, (column,), tuple(places))


def held_of(
    prices: pl.DataFrame,
    observations: Mapping[str, pl.DataFrame],
    *,
    names: Mapping[str, str],
) -> Held:
    """Return what a lake holds.

    Args:
        prices: symbol, date and close.
        observations: by table: series, date, vintage and value.
        names: by what others call a symbol or series: its name in the lake.
    """
    series: dict[str, pl.DataFrame] = {}
    for frame in observations.values():
        newest = frame.sort("series", "date", "vintage").unique(
            ["series", "date"], keep="last", maintain_order=True
        )
        for key, part in newest.group_by("series", maintain_order=True):
            series[str(key[0]).upper()] = part.select("date", "value")
    for key, part in prices.group_by("symbol", maintain_order=True):
        series[str(key[0]).upper()] = part.select(
            "date", pl.col("close").alias("value")
        )
    return Held(series, {name.upper(): known.upper() for name, known in names.items()})
