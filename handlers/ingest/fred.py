"""FRED files in four layouts: a date and one series. It never drops a missing value."""

from __future__ import annotations

import re

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import NUMBER, body_of
from handlers.ingest.table import table_of

_NAMED = re.compile(r"(?:observation_date|DATE),([A-Z0-9]+)")
_UNNAMED = ("Date,Value", "date,value")
_HEADERS = ("observation_date,SERIES", "DATE,SERIES", *_UNNAMED)


def _is_header(header: str) -> bool:
    return header in _UNNAMED or _NAMED.fullmatch(header) is not None


def _series_of(header: str) -> str | None:
    match = _NAMED.fullmatch(header)
    return match[1] if match else None


@source("fred", headers=_HEADERS, recognises=_is_header, key_of=_series_of)
def fred(data: bytes, series: str | None) -> pl.DataFrame:
    """Return the lines of one series' file, cells as written.

    Raises:
        BadInput: the header names another series, or nothing names one.
    """
    header, lines = body_of(data, _is_header, expected=" or ".join(_HEADERS))
    named = _series_of(header) or series
    if named is None or series not in (named, None):
        msg = f"expected a file of the series {series}; its header says {header!r}"
        raise BadInput(msg)
    rows = table_of(lines, columns={"value": NUMBER}, nulls=("", "."))
    return rows.select(pl.lit(named, pl.String).alias("series"), pl.all())
