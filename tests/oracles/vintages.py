"""Real vintages of real series, handed in one after the other as they were seen.

It reads the files with the csv module alone, so that what a lake says can be held
against them; it never computes what a lake should say of a day without a file.
"""

from __future__ import annotations

import csv
import gzip
import io
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cbi_stream.doors import landing
from cbi_stream.doors.dropping import Hint, drop
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 8, 2, 12, tzinfo=UTC)
EVERY = 10
"""Of FRED-MD every tenth column is taken: all of them take minutes, and show no more."""
ALWAYS = ("PAYEMS", "INDPRO")
Values = dict[date, float | None]


@dataclass(frozen=True)
class Vintage:
    """One file: when it was seen, and what it says of each series."""

    name: str
    seen: datetime
    values: dict[str, Values]
    data: bytes


def long_files(real: Path, series: str) -> list[Vintage]:
    """Return the vintages of a FRED series, oldest first; of a day only the last."""
    found: dict[datetime, Vintage] = {}
    for path in sorted(real.glob(f"fred_*/vintages/{series}_asof_*")):
        data = gzip.decompress(path.read_bytes())
        day = date.fromisoformat(path.name.partition("_asof_")[2][:10])
        seen = datetime.combine(day, time(23, 59, 59), CHICAGO).astimezone(UTC)
        rows = list(csv.reader(io.StringIO(data.decode())))[1:]
        values = {date.fromisoformat(d): float(v) if v else None for d, v in rows}
        # Several pulls of one day may come in any order: the longest is the last.
        if seen not in found or len(values) >= len(found[seen].values[series]):
            name = path.name.removesuffix(".gz")
            found[seen] = Vintage(name, seen, {series: values}, data)
    return [found[seen] for seen in sorted(found)]


def wide_files(real: Path) -> list[Vintage]:
    """Return the vintages of FRED-MD with some of their columns, oldest first."""
    return [_thinned(path) for path in sorted((real / "fred_md").glob("*.csv.gz"))]


def _thinned(path: Path) -> Vintage:
    rows = list(csv.reader(io.StringIO(gzip.decompress(path.read_bytes()).decode())))
    names = rows[0]
    kept = [i for i, n in enumerate(names) if i % EVERY == 0 or n in ALWAYS]
    text = "".join(",".join(row[i] for i in kept) + "\n" for row in rows if row)
    months = [row for row in rows[2:] if row and row[0]]
    values = {
        names[i]: {_month(row[0]): float(row[i]) if row[i] else None for row in months}
        for i in kept[1:]
    }
    name = path.name.removesuffix(".gz")
    return Vintage(name, _end_of(name[:7]), values, text.encode())


def _month(text: str) -> date:
    month, _, year = text.split("/")
    return date(int(year), int(month), 1)


def _end_of(month: str) -> datetime:
    year, number = map(int, month.split("-"))
    last = date(year, number, monthrange(year, number)[1])
    return datetime.combine(last, time(23, 59, 59), CHICAGO).astimezone(UTC)


def hand_in(lake: Lake, graph: Graph, files: list[Vintage], *, stating: bool) -> None:
    """Take the files in one by one, each stated as seen when it was, or left to its name."""
    folder = lake.folder.parent / "handed-in"
    folder.mkdir(exist_ok=True)
    with clock.held_at(NOW):
        for vintage in files:
            path = folder / vintage.name
            path.write_bytes(vintage.data)
            drop(lake, path, Hint(as_of=vintage.seen if stating else None))
            (receipt,) = landing.take_in(lake, graph)
            assert receipt.taken, receipt.reason


def moments(files: list[Vintage]) -> Iterator[tuple[Vintage, datetime]]:
    """Return each file with its first moment, and the last before the next one."""
    for vintage, after in zip(files, [*files[1:], None], strict=True):
        yield vintage, vintage.seen
        until = after.seen if after else NOW
        yield vintage, until - timedelta(seconds=1)
