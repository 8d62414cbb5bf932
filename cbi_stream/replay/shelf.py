"""A folder of files that were saved earlier: prices by symbol, observations by series.

It never changes a file, and never makes up a value that no file holds.

Two kinds of files are read, in any subfolder, also gzipped: prices below a header with
date, open, high, low, close, volume in either layout of Yahoo (`ZL=F.csv`, `spy.csv`),
and FRED's, a date and a value (`DGS10.csv`). `vintages/` is left alone: what a file
said on an earlier day is another question. A site that reads other files finds them
with `files`.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Final

_COLUMNS: Final = ("date", "open", "high", "low", "close", "volume")
_FRED_DATES: Final = {"date", "observation_date"}
_FRED_WIDTH: Final = 2
_EMPTY: Final = {"", "null", "."}
# What some files are called whose name is not the symbol's.
_CALLED: Final = {"ZL": ("soybean_oil",), "CL": ("wti",)}

Row = tuple[date, float | None, float | None, float | None, float | None, int | None]
"""A bar: its date, open, high, low, close and volume."""


def files(folder: Path, pattern: str) -> list[Path]:
    """Return the files below `folder` whose name fits, in order; no vintages."""
    return [
        path
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and "vintages" not in path.parts
    ]


def content(path: Path) -> bytes:
    """Return the bytes of a file, unpacked where its name ends in .gz."""
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


@lru_cache(maxsize=256)
def bars(folder: Path, symbol: str) -> tuple[Row, ...]:
    """Return the bars of a symbol; where files differ, the one that reaches furthest.

    Its dates come from all of them: an older file may begin earlier.
    """
    stems = (f"{symbol}=F", symbol, symbol.lower(), *_CALLED.get(symbol, ()))
    found = [rows for path in _named(folder, stems) if (rows := _bars_in(path))]
    by_date: dict[date, Row] = {}
    for rows in sorted(found, key=lambda rows: rows[-1][0]):
        by_date |= {row[0]: row for row in rows}
    return tuple(by_date[day] for day in sorted(by_date))


@lru_cache(maxsize=256)
def values(folder: Path, series: str) -> tuple[tuple[date, float | None], ...]:
    """Return date and value of a series of FRED, from the file that reaches furthest."""
    found = [rows for path in _named(folder, (series,)) if (rows := _values_in(path))]
    furthest = sorted(found, key=lambda rows: rows[-1][0])[-1:]
    return tuple(row for rows in furthest for row in rows)


def _named(folder: Path, stems: tuple[str, ...]) -> Iterator[Path]:
    for stem in dict.fromkeys(stems):
        yield from files(folder, f"{stem}.csv")
        yield from files(folder, f"{stem}.csv.gz")


def _cells(path: Path) -> Iterator[list[str]]:
    lines = csv.reader(io.StringIO(content(path).decode("utf-8-sig")))
    return (cells for cells in lines if cells and not cells[0].startswith("#"))


def _bars_in(path: Path) -> list[Row]:
    lines = _cells(path)
    header = [name.strip().lower() for name in next(lines, [])]
    if not set(_COLUMNS) <= set(header):
        return []
    at = [header.index(name) for name in _COLUMNS]
    rows = []
    for cells in lines:
        day, *prices, volume = (cells[i] for i in at)
        numbers = [_number(cell) for cell in prices]
        traded = _number(volume)
        start, high, low, close = numbers
        whole = None if traded is None else int(traded)
        rows.append((date.fromisoformat(day[:10]), start, high, low, close, whole))
    return sorted(rows, key=lambda row: row[0])


def _values_in(path: Path) -> list[tuple[date, float | None]]:
    lines = _cells(path)
    header = next(lines, [])
    if len(header) != _FRED_WIDTH or header[0].lower() not in _FRED_DATES:
        return []
    rows = [(date.fromisoformat(day[:10]), _number(cell)) for day, cell in lines]
    return sorted(rows, key=lambda row: row[0])


def _number(cell: str) -> float | None:
    return None if cell.strip() in _EMPTY else float(cell)
