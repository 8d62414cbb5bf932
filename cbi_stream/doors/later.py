"""A file that comes late: the files that were seen after it are held against it again.

A line that said nothing new when it came may be news between the late file's line and
its own time. Whatever order files come in, raw then tells the same story. It takes in
no file that was not taken before, and counts no line twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import polars as pl

from cbi_stream.lake.arrivals import Arrival, seen_later
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.lines import append_lines


def hold_against(
    lake: Lake,
    table: str,
    *,
    key: str,
    as_of: datetime,
    days: pl.Series,
    read: Callable[[Arrival, bytes], pl.DataFrame],
    released: list[pl.Expr],
    answers: Sequence[Arrival] = (),
) -> int:
    """Store again what files seen later say of the dates of a file that came late.

    Args:
        lake: the lake.
        table: the raw table that the file's lines went to.
        key: the symbol or series that the file is about; empty where lines name it.
        as_of: when the file was seen.
        days: the dates of its lines.
        read: gives the lines of an archived file.
        released: as for `append_lines`.
        answers: what its source answered after that, also where it was no news then.

    Returns:
        How many lines were news after all.
    """
    stored = 0
    raw = lake.table(table)
    dates = days.unique().implode()
    # Oldest first: each is held against what the ones before it now say.
    known = seen_later(raw, key, as_of)
    there = {(each.sha256, each.as_of) for each, _ in known}
    known += [
        (each, each.as_of)
        for each in answers
        if each.as_of and (each.sha256, each.as_of) not in there
    ]
    for arrival, taken in sorted(known, key=lambda each: each[0].as_of or each[1]):
        lines = read(arrival, lake.archive.read(arrival.sha256))
        done = append_lines(
            raw,
            lines.filter(pl.col("date").is_in(dates)),
            arrival,
            work=lake.work,
            released=released,
            seen_first=taken,
        )
        stored += done.stored
    return stored
