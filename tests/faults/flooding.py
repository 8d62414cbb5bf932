"""A flood of small simulated files, a twentieth of them bad, and where each must end.

It puts them into a landing and judges what became of them. It knows no real data, and
takes nothing in itself.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from cbi_stream.doors import landing, receipts
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.layouts import YAHOO_HEADER, file_text, mark_line
from cbi_stream.words.span import Span
from tests.faults.killing import GRAPH, raw_lines

DAYS = GRAPH.registry.sessions.between(Span(date(2005, 1, 1), date(2018, 1, 1)))
SYMBOLS = ("ZL", "ZS", "ZM", "ZC", "CL", "GC")
SERIES = ("VIXCLS", "DGS2", "DGS10", "DGS30", "T10Y2Y", "T5YIE", "DFF", "DCOILWTICO")
KEYS = SYMBOLS + SERIES
EACH_BAD = 20
"""One file of so many is bad."""


@dataclass(frozen=True, slots=True)
class Drop:
    """One file of the flood."""

    name: str
    data: bytes
    end: str
    """Where it must end."""
    lines: int = 0
    """How many lines of it must stand in raw."""

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        return hashlib.sha256(self.data).hexdigest()


def flood(count: int) -> list[Drop]:
    """Return so many files: each one day of one symbol or series, no two alike."""
    return [_bad(i) if i % EACH_BAD == EACH_BAD - 1 else _good(i) for i in range(count)]


def _good(i: int) -> Drop:
    name, data = _one_day(i)
    return Drop(name, data, "archive", 1)


def _one_day(i: int) -> tuple[str, bytes]:
    key, day = KEYS[i % len(KEYS)], DAYS[i // len(KEYS)]
    price = 100.0 * (i % len(KEYS)) + 40 + i // len(KEYS) % 200 / 2
    # Of every second key the files say when they were seen; of the others it is now.
    said = "" if i % 2 else f"_asof_{day + timedelta(days=9)}"
    if key in SYMBOLS:
        cells = ",".join([day.isoformat(), *[f"{price:.6f}"] * 5, "1000"])
        text = file_text(YAHOO_HEADER, [cells], seed=i)
        return f"{key}=F_{day}{said}.csv", text.encode()
    text = file_text(f"observation_date,{key}", [f"{day},{price:.2f}"], seed=i)
    return f"{key}_{day}{said}.csv", text.encode()


def _empty(_: int) -> bytes:
    return b""


def _page(i: int) -> bytes:
    return f"<!doctype html><html><body>busy, try again: {i}</body></html>".encode()


def _parquet(i: int) -> bytes:
    return b"PAR1" + str(i).encode() + b"PAR1"


def _unmarked(i: int) -> bytes:
    return _one_day(i)[1].split(b"\n", 1)[1]


def _stranger(i: int) -> bytes:
    return f"{mark_line(i)}\ntime,temperature\n{i},1\n".encode()


def _cut(i: int) -> bytes:
    return f"{mark_line(i)}\nobservation_date,VIXCLS\n2004-01-02,1{i}".encode()


def _cut_gzip(i: int) -> bytes:
    return gzip.compress(_one_day(i)[1], mtime=0)[:14]


def _bad_line(i: int) -> bytes:
    return file_text(
        "observation_date,NFCI", [f"2004-01-02,{i}", f"x{i},y"], seed=i
    ).encode()


_WAYS: tuple[tuple[str, Callable[[int], bytes], str, int], ...] = (
    ("empty_{i}.csv", _empty, "quarantine", 0),
    ("page_{i}.csv", _page, "quarantine", 0),
    ("table_{i}.csv", _parquet, "quarantine", 0),
    ("ZL=F_unmarked_{i}.csv", _unmarked, "quarantine", 0),
    ("stranger_{i}.csv", _stranger, "waiting", 0),
    ("VIXCLS_cut_{i}.csv", _cut, "waiting", 0),
    ("NFCI_{i}.csv.gz", _cut_gzip, "waiting", 0),
    ("NFCI_{i}.csv", _bad_line, "archive", 2),
    ("NFCI_{i}_asof_2199-01-01.csv", _bad_line, "waiting", 0),
)


def _bad(i: int) -> Drop:
    name, make, end, lines = _WAYS[i // EACH_BAD % len(_WAYS)]
    return Drop(name.format(i=i), make(i), end, lines)


def put(lake: Lake, drops: Sequence[Drop]) -> None:
    """Copy the files into the landing by hand, as fast as it goes."""
    folder = lake.folder / "landing"
    for each in drops:
        (folder / each.name).write_bytes(each.data)


def taken(
    lake: Lake,
    drops: Sequence[Drop],
    *,
    most_seconds: float,
    tell: Callable[[float, int], None] = lambda _seconds, _left: None,
) -> list[tuple[float, int]]:
    """Wait until every file has ended; return how many had not, time by time.

    Args:
        lake: the lake.
        drops: the files.
        most_seconds: how long to wait at most.
        tell: is told the same now and then, while it lasts.

    Raises:
        TimeoutError: that does not come to be.
    """
    stay = sum(each.end == "waiting" for each in drops)
    start = time.monotonic()
    seen: list[tuple[float, int]] = []
    while True:
        left = len(landing.waiting(lake)) - stay
        seen.append((time.monotonic() - start, left))
        tell(*seen[-1])
        if left <= 0 and _all_told(lake, drops):
            return seen
        if seen[-1][0] > most_seconds:
            msg = f"{left} files are left after {most_seconds} s"
            raise TimeoutError(msg)
        time.sleep(0.5)


def _all_told(lake: Lake, drops: Sequence[Drop]) -> bool:
    folder = lake.folder / "landing"
    told = [receipts.read(folder / each.name) for each in drops]
    return all(t and (t["end"] != "archive" or t["staged"] is not None) for t in told)


def wrong(lake: Lake, drops: Sequence[Drop]) -> list[str]:
    """Return what did not become of the files as it must, in words; up to twenty."""
    found = []
    landed = {path.name for path in landing.waiting(lake)}
    folder = lake.folder / "quarantine" / "files"
    aside = Counter(p.name for p in folder.glob("*") if p.suffix != ".json")
    for each in drops:
        told = receipts.read(lake.folder / "landing" / each.name)
        place = receipts.short(f"{each.sha256[:16]}-{each.name}")
        ends = {
            "waiting": each.name in landed,
            "quarantine": aside.pop(place, 0) == 1,
            "archive": lake.archive.holds(each.sha256),
        }
        at = [end for end, there in ends.items() if there]
        if at != [each.end] or told.get("end") != each.end:
            found.append(f"{each.name}: must be in {each.end}; it is in {at}: {told}")
    found += [f"nobody put {name} there" for name in aside]
    want = Counter((d.sha256, line) for d in drops for line in range(3, 3 + d.lines))
    have = Counter((sha256, line) for sha256, line, _ in raw_lines(lake))
    found += [f"lines: {line} {n} times too few" for line, n in (want - have).items()]
    found += [f"lines: {line} {n} times too many" for line, n in (have - want).items()]
    return found[:20]


def peak_mb(pid: int) -> dict[str, float]:
    """Return the most memory that a process and its children held, by command line."""
    found = {"daemon": _peak(pid)}
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for child in children:
        words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
        name = "reader" if any(b"child import" in word for word in words) else "worker"
        found[name] = max(found.get(name, 0.0), _peak(int(child)))
    return found


def _peak(pid: int) -> float:
    rows = Path(f"/proc/{pid}/status").read_text().splitlines()
    [row] = [row for row in rows if row.startswith("VmHWM")]
    return round(int(row.split()[1]) / 1024, 1)
