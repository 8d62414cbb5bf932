"""GHCN-Daily from NOAA's access data service, JSON or CSV: degrees C and mm.

The same values as in the station's file have the same series ids. It never takes a file
whose temperatures are tenths: they come where `units=metric` was left out.
"""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from cbi_stream import BadInput, source
from handlers.ingest.ghcn import cells_of, numbered
from handlers.ingest.packed import json_of
from handlers.ingest.stations import READ, quality_in, rows_of

_JSON = re.compile(r"\[\s*\{[^{}]*\}", re.DOTALL)
_SCHEMA = {
    "line": pl.Int64,
    **dict.fromkeys(("station", "day", "element", "value", "qflag", "text"), pl.String),
}


def _is_json(head: str) -> bool:
    """Whether the first object of a list names a station and a day, and no long form."""
    first = _JSON.match(head)
    return first is not None and '"STATION"' in first[0] and '"DATE"' in first[0]


def _is_csv(header: str) -> bool:
    columns = cells_of(header)
    return (
        {"STATION", "DATE"} <= set(columns)
        and bool(set(READ) & set(columns))
        and "LATITUDE" not in columns
    )


@source(
    "ghcn", form="json", headers=('[{"DATE":..,"STATION":..}]',), recognises=_is_json
)
def access(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per day and element of a JSON answer, numbered as they stand."""
    said = json_of(data)
    parts: list[tuple[object, ...]] = []
    for entry in said if isinstance(said, list) else [said]:
        shown = str(entry)
        if not isinstance(entry, dict) or not {"STATION", "DATE"} <= entry.keys():
            parts.append((len(parts) + 1, None, None, None, None, None, shown))
            continue
        for name in READ:
            if name in entry:
                parts.append((len(parts) + 1, *_row(entry, name), shown))
    if said and not parts:
        msg = f"expected one of {', '.join(READ)}; found {', '.join(said[0])[:80]}"
        raise BadInput(msg)
    return rows_of(pl.DataFrame(parts, schema=_SCHEMA, orient="row"), tenths=False)


def _row(entry: dict[str, Any], name: str) -> tuple[str, ...]:
    """Return station, day, element, value and quality flag; blanks pad the values."""
    cells = [str(entry[key]).strip() for key in ("STATION", "DATE")]
    value = "" if entry[name] is None else str(entry[name]).strip()
    flags = str(entry.get(f"{name}_ATTRIBUTES") or "")
    return (*cells, name, value, quality_in(flags))


@source("ghcn", headers=('"STATION","DATE","PRCP","TMAX","TMIN"',), recognises=_is_csv)
def access_csv(data: bytes, _key: str | None) -> pl.DataFrame:
    """Return a row per day and element of a CSV answer; `line` as in a sheet."""
    (_, header), *lines = numbered(data)
    columns = cells_of(header)
    parts: list[tuple[object, ...]] = []
    for number, line in lines:
        cells = cells_of(line)
        if len(cells) != len(columns):
            parts.append((number * 1000, None, None, None, None, None, line))
            continue
        entry = dict(zip(columns, cells, strict=True))
        parts += [
            (number * 1000 + at, *_row(entry, name), line)
            for at, name in enumerate(columns)
            if name in READ
        ]
    return rows_of(pl.DataFrame(parts, schema=_SCHEMA, orient="row"), tenths=False)
