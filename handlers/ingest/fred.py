"""FRED graph files: a date and one series. It never drops a missing value."""

from __future__ import annotations

import re

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, numbered_lines, table_of

_HEADER = re.compile(r"(?:observation_date|DATE),([A-Z0-9]+)")


@source("fred", recognises=lambda header: _HEADER.fullmatch(header) is not None)
def fred(data: bytes, series: str) -> pl.DataFrame:
    """Return the lines of one series' file, cells as written.

    Raises:
        BadInput: the header names another series.
    """
    number, header = numbered_lines(data)[0]
    match = _HEADER.fullmatch(header)
    if match is None or match[1] != series:
        msg = (
            f"line {number}: expected the header observation_date,{series}; found "
            f"{header!r}: name the file after its series, or say --key"
        )
        raise BadInput(msg)
    return table_of(
        data,
        columns={"value": NUMBER},
        nulls=frozenset({"", "."}),
        mend="Download the file again, or take the lines out; nothing was taken in.",
    ).with_columns(series=pl.lit(series))
