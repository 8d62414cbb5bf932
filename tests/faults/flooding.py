"""A flood of small made-up files, a twentieth of them bad in every way that is known.

It puts them into a landing and judges what became of them. It knows no real data, and
takes nothing in itself.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, partial
from pathlib import Path

from cbi_stream.doors import landing, receipts
from cbi_stream.lake.lake import Lake
from cbi_stream.replay.layouts import YAHOO_HEADER
from cbi_stream.words.span import Span
from tests.doors.bad_inputs import BAD
from tests.doors.dialects import DIALECTS
from tests.doors.traps import TRAPS
from tests.faults.killing import GRAPH, raw_lines

DAYS = GRAPH.registry.sessions.between(Span(date(2005, 1, 1), date(2018, 1, 1)))
SYMBOLS = ("ZL", "ZS", "ZM", "ZC", "CL", "GC")
SERIES = ("VIXCLS", "DGS2", "DGS10", "DGS30", "T10Y2Y", "T5YIE", "DFF", "DCOILWTICO")
KEYS = SYMBOLS + SERIES
EACH_BAD = 20
"""One file of so many is bad."""
_EACH_OTHER = 10
"""One bad one of so many is no file of bytes."""
_STEP = 37
_FATES = ("staged", "quarantined", "superseded", "provisional", "unused")


@dataclass(frozen=True, slots=True)
class Drop:
    """One file of the flood."""

    name: str
    data: bytes
    end: str
    """Where it must end."""
    lines: int | None = 0
    """How many lines of it must stand in raw; None where that depends on other files:
    then its receipt must account for each of its lines."""
    put: Callable[[Path], object] | None = None
    """Puts something there that is no file of bytes."""

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
        return f"{key}=F_{day}{said}.csv", f"{YAHOO_HEADER}\n{cells}\n".encode()
    text = f"observation_date,{key}\n{day},{price:.2f}\n"
    return f"{key}_{day}{said}.csv", text.encode()


def _bad_line(i: int) -> bytes:
    return f"observation_date,NFCI\n2004-01-02,{i}\nx{i},y\n".encode()


@cache
def _kinds() -> tuple[tuple[str, Callable[[int], bytes], str, int | None], ...]:
    """Return the kinds of bad files: name, bytes of the i-th, end, lines in raw."""
    found: list[tuple[str, Callable[[int], bytes], str, int | None]] = [
        ("NFCI_{i}.csv", _bad_line, "archive", 2),
        ("NFCI_{i}_asof_2199-01-01.csv", _bad_line, "waiting", 0),
    ]
    for bad in BAD:
        for dialect in DIALECTS:
            if dialect.name in bad.only:
                end = bad.of(dialect).end
                make = cache(partial(bad.bytes_of, dialect))
                name = _numbered(dialect.file) + bad.ending
                found.append((name, _same(make), end, _lines(end)))
    for _, _, name, trap, end, _, _ in TRAPS:
        make = cache(partial(_bytes_of, trap))
        found.append((_numbered(name), _same(make), end, _lines(end)))
    return tuple(found)


def _numbered(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return f"{stem}_{{i}}.{ending}"


def _same(make: Callable[[], bytes]) -> Callable[[int], bytes]:
    return lambda _: make()


def _bytes_of(make: Callable[[], bytes | str]) -> bytes:
    made = make()
    return made if isinstance(made, bytes) else made.encode()


def _lines(end: str) -> int | None:
    return None if end == "archive" else 0


_OTHERS: tuple[tuple[str, Callable[[Path], object]], ...] = (
    ("link_{i}.csv", lambda path: path.symlink_to("/dev/zero")),
    ("nowhere_{i}.csv", lambda path: path.symlink_to("nowhere")),
    ("pipe_{i}.csv", os.mkfifo),
    ("folder_{i}.csv", Path.mkdir),
    ("sparse_{i}.csv", lambda path: path.touch() or os.truncate(path, 2 << 30)),
)
"""What is no file of bytes, or too large a one: it waits, and is never opened."""


def _bad(i: int) -> Drop:
    kinds, nth = _kinds(), i // EACH_BAD
    if nth % _EACH_OTHER == _EACH_OTHER - 1:
        other, make_it = _OTHERS[nth // _EACH_OTHER % len(_OTHERS)]
        return Drop(other.format(i=i), b"", "waiting", put=make_it)
    # Far steps, so that a small flood has some of everything.
    name, make, end, lines = kinds[nth * _STEP % len(kinds)]
    return Drop(name.format(i=i), make(i), end, lines)


def put(lake: Lake, drops: Sequence[Drop]) -> None:
    """Copy the files into the landing by hand, as fast as it goes."""
    folder = lake.folder / "landing"
    for each in drops:
        if each.put is not None:
            each.put(folder / each.name)
        else:
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
    aside = Counter(
        p.name for p in folder.glob("*") if not p.name.endswith(receipts.RECEIPT)
    )
    right = {each.sha256 for each in drops if each.end == "archive"}
    for each in drops:
        told = receipts.read(lake.folder / "landing" / each.name)
        place = receipts.short(f"{each.sha256[:16]}-{each.name}")
        ends = {
            "waiting": each.name in landed,
            "quarantine": aside.pop(place, 0) == 1,
            # The same bytes may be right under another name, as a book is of one source.
            "archive": lake.archive.holds(each.sha256)
            and (each.end == "archive" or each.sha256 not in right),
        }
        at = [end for end, there in ends.items() if there]
        if at != [each.end] or told.get("end") != each.end:
            found.append(f"{each.name}: must be in {each.end}; it is in {at}: {told}")
        if each.lines is None and told.get("end") == "archive":
            counts = [told[name] or 0 for name in (*_FATES, "duplicate")]
            if sum(counts) != told["lines"]:
                found.append(f"{each.name}: lines are missing: {told}")
    found += [f"nobody put {name} there" for name in aside]
    vague = {d.sha256 for d in drops if d.lines is None}
    want = Counter((d.sha256, n) for d in drops for n in range(2, 2 + (d.lines or 0)))
    have = Counter((s, n) for s, n, _ in raw_lines(lake) if s not in vague)
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
