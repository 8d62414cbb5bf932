"""GHCN-Daily files of NOAA in three layouts: a station's days, wide, long or fixed width.

It never takes a value that failed quality control, and never shifts a day: the time of
observation stays out of the value.
"""

from __future__ import annotations

import csv
import re
from functools import lru_cache

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.lines import text_of
from handlers.ingest.stations import READ, quality_in, rows_of

_LONG_HEADER = "ID,DATE,ELEMENT,DATA_VALUE,M_FLAG,Q_FLAG,S_FLAG,OBS_TIME"
_LONG = re.compile(
    r"[A-Z]{2}[A-Z0-9_\-]{9},[0-9]{8},[A-Z0-9]{4},-?[0-9]+,.?,.?,.?,[0-9]*"
)
_FIXED = re.compile(r"[A-Z]{2}[A-Z0-9_\-]{9}[0-9]{6}[A-Z0-9]{4}( *-?[0-9]+)...")
_PLACES = ("LATITUDE", "LONGITUDE", "ELEVATION", "NAME")
_ABOUT = ("STATION", "DATE", *_PLACES)
_HEADER = '"STATION","DATE","LATITUDE","LONGITUDE","ELEVATION","NAME","PRCP","PRCP_ATTRIBUTES"'
_WIDE, _START, _STEP, _DAYS = 269, 21, 8, 31


@lru_cache(maxsize=4)
def cells_of(line: str) -> tuple[str, ...]:
    """Return the cells of a line of CSV, trimmed; none where its quotes do not close."""
    try:
        return tuple(cell.strip() for cell in next(csv.reader([line], strict=True)))
    except (csv.Error, StopIteration):
        return ()


def _is_wide(header: str) -> bool:
    return set(_ABOUT) <= set(cells_of(header)) and "_ATTRIBUTES" in header


def _is_long(header: str) -> bool:
    return header == _LONG_HEADER or _LONG.fullmatch(header) is not None


def _is_fixed(header: str) -> bool:
    return _FIXED.match(header) is not None and len(header.rstrip()) >= _START + 5


def numbered(data: bytes) -> list[tuple[int, str]]:
    """Return the lines of a file that are neither blank nor remarks, from 1."""
    lines = enumerate(text_of(data).split("\n"), start=1)
    return [(n, line) for n, line in lines if line.strip() and not line.startswith("#")]


@source("ghcn", headers=(_HEADER,), recognises=_is_wide)
def wide(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per day and element of a station's CSV; `line` as in a sheet."""
    (_, header), *lines = numbered(data) or [(1, "")]
    columns = cells_of(header)
    places = _elements(columns)
    parts: list[tuple[object, ...]] = []
    for number, line in lines:
        cells = [cell.strip() for cell in _split(line)]
        if len(cells) != len(columns):
            parts.append((number * 1000, None, None, None, None, None, line))
            continue
        station, day = cells[columns.index("STATION")], cells[columns.index("DATE")]
        parts += [
            (
                number * 1000 + at,
                station,
                day,
                name,
                cells[at],
                quality_in(cells[flags]),
                line,
            )
            for name, at, flags in places
        ]
    return rows_of(_frame(parts), tenths=True)


def _split(line: str) -> list[str]:
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return []


def _elements(columns: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return name, place and place of the flags of each element that is read.

    Raises:
        BadInput: an element stands without its flags, or there is none.
    """
    found = [name for name in READ if name in columns]
    without = [name for name in found if f"{name}_ATTRIBUTES" not in columns]
    if without or not found:
        wanted = ", ".join(f"{n} and {n}_ATTRIBUTES" for n in without or READ[:2])
        msg = f"expected the columns {wanted}; found {', '.join(columns[:40])}"
        raise BadInput(msg)
    return [
        (name, columns.index(name), columns.index(f"{name}_ATTRIBUTES"))
        for name in found
    ]


def _frame(parts: list[tuple[object, ...]]) -> pl.DataFrame:
    names = ("station", "day", "element", "value", "qflag", "text")
    schema = {"line": pl.Int64, **dict.fromkeys(names, pl.String)}
    return pl.DataFrame(parts, schema=schema, orient="row")


@source("ghcn", headers=(_LONG_HEADER,), recognises=_is_long)
def long(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per line of a station's or a year's file, with or without header."""
    frame = pl.DataFrame({"text": text_of(data).split("\n")}).with_columns(
        line=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )
    lines = frame.filter(
        pl.col("text").str.contains(r"^\s*[^#\s]") & (pl.col("text") != _LONG_HEADER)
    )
    names = ("station", "day", "element", "value", "mflag", "qflag", "sflag", "time")
    parts = pl.col("text").str.split_exact(",", len(names) - 1)
    cut = lines.with_columns(parts.struct.rename_fields(list(names)).alias("cells"))
    cut = cut.unnest("cells").with_columns(pl.col(names).str.strip_chars())
    whole = pl.col("text").str.count_matches(",", literal=True) == len(names) - 1
    # One comma more or less moves all that follows: then nothing of it is read.
    cut = cut.with_columns(pl.when(whole).then(pl.col(names)).name.keep())
    return rows_of(cut, tenths=True, form="%Y%m%d")


@source("ghcn", headers=("USW00014839193804TMAX   22  6 ...",), recognises=_is_fixed)
def fixed(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per day and element of a .dly file; `line` as in a sheet."""
    parts: list[tuple[object, ...]] = []
    for number, line in numbered(data):
        if not _is_fixed(line) or len(line.rstrip("\n")) > _WIDE + 1:
            parts.append((number * 1000, None, None, None, None, None, line))
            continue
        station, month, element = line[:11], line[11:17], line[17:21]
        for day in range(_DAYS):
            group = line[_START + day * _STEP :][:_STEP].ljust(_STEP)
            value, quality = group[:5].strip(), group[6].strip()
            if value not in ("-9999", ""):
                when = f"{month}{day + 1:02d}"
                at = number * 1000 + day + 1
                parts.append((at, station, when, element, value, quality, line))
    return rows_of(_frame(parts), tenths=True, form="%Y%m%d")
