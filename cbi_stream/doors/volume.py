"""What a lake's volume and machine must be able to do, each thing tried for real.

It opens no table and takes nothing for good: what it makes it removes, and it mends
nothing. Each finding says what was found, what was expected, and what a person can do.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from cbi_stream.doors.watch import Watch
from cbi_stream.lake import durable, log
from cbi_stream.words import clock
from cbi_stream.words.errors import DamagedLake

Level = Literal["ok", "warning", "fault"]
_MOUNTS = Path("/proc/mounts")
_INOTIFY = Path("/proc/sys/fs/inotify")
_MIB = 1024 * 1024
_FULL, _SCARCE, _SHARE = 64 * _MIB, 1024 * _MIB, 0.05
_FEW_INODES = 1000
_LIMITS = {
    "max_user_watches": 8192,
    "max_queued_events": 16384,
    "max_user_instances": 8,
}
"""Fewer of these, and many programs on one machine come into each other's way."""
_REMOTE = re.compile(r"nfs\d?|cifs|smb\w*|9p|fuse\..*|afs|ceph|glusterfs|lustre|vboxsf")
_FLEETING = re.compile(r"tmpfs|ramfs|overlay")
_DRIFT, _BACK, _FAR_BACK = (timedelta(seconds=s) for s in (5, 2, 3600))
_MOVE = (
    "move the lake to a local disk: ext4, xfs, btrfs or APFS; exFAT and FAT will not do"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    level: Level
    found: str
    expected: str
    mend: str = ""


def judged(what: str, *, found: str, expected: str, mend: str) -> Finding:
    """Return a warning where there is something to mend, else that it is fine."""
    return Finding(what, "warning" if mend else "ok", found, expected, mend)


def probe(folder: Path) -> list[Finding]:
    """Return what was found on a lake's volume and in its folder, ok or not."""
    if not folder.is_dir():
        found = "a file stands there" if folder.exists() else "it is not there"
        mend = "make a lake with `cbi init`, say --lake, or mount its volume again"
        return [Finding("folder", "fault", f"{folder}: {found}", "a folder", mend)]
    began, ticks = clock.now(), time.perf_counter()
    findings: list[Finding] = []
    for what, look in _LOOKS.items():
        try:
            findings += look(folder)
        except (OSError, ValueError) as error:
            mend = "look at the volume's cable, mount and permissions"
            findings.append(Finding(what, "fault", str(error), "a look at it", mend))
    passed = timedelta(seconds=time.perf_counter() - ticks)
    return [*findings, _steady((clock.now() - began) - passed)]


@contextmanager
def _room(folder: Path) -> Iterator[Path]:
    """Make a hidden folder that the sweep removes should this process be killed."""
    place = folder / ".work" / str(os.getpid()) / f"probe-{uuid.uuid4().hex[:8]}"
    try:
        place.mkdir(parents=True)
        for name in ("a", "b"):
            (place / name).write_text(name)
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        for above in (place.parent, place.parent.parent):
            with suppress(OSError):
                above.rmdir()


def _abilities(folder: Path) -> Iterator[Finding]:
    """Try each thing in a room of its own."""
    for what, (attempt, expected, mend) in _ABILITIES.items():
        try:
            with _room(folder) as room:
                wrong = attempt(room)
        except OSError as error:
            wrong = f"refused: {error.strerror or error}"
        level: Level = "ok" if not wrong else "fault"
        if wrong and what in ("case of names", "file events"):
            level = "warning"
        yield Finding(what, level, wrong or "it can", expected, mend if wrong else "")
        if wrong and what == "writing":
            return  # all else would fail for this one cause


def _writing(room: Path) -> str:
    data = os.urandom(4096)
    (room / "a").write_bytes(data)
    return "" if (room / "a").read_bytes() == data else "other bytes came back"


def _link(room: Path) -> str:
    os.link(room / "a", room / "c")
    return "" if (room / "a").samefile(room / "c") else "it made a copy, no link"


def _rename(room: Path) -> str:
    (room / "a").replace(room / "b")
    whole = not (room / "a").exists() and (room / "b").read_bytes() == b"a"
    return "" if whole else "the file that was there is there still"


def _sync(path: Path) -> str:
    durable.sync(path)
    return ""


def _lock(room: Path) -> str:
    with (room / "a").open("rb") as one, (room / "a").open("rb") as other:
        fcntl.flock(one, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _can_lock(other.fileno()):
            return "two hold one exclusive lock"
        fcntl.flock(one, fcntl.LOCK_UN)
        return "" if _can_lock(other.fileno()) else "it is never freed"


def _can_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _case(room: Path) -> str:
    # The usual disk of a Mac does so: it is no news there.
    same = (room / "A").exists() and sys.platform != "darwin"
    return "names that differ in case only are one file" if same else ""


def _events(room: Path) -> str:
    for name in ("landing", "outside"):
        (room / name).mkdir()
    (room / "a").rename(room / "outside" / "a")
    with Watch(room) as watch:
        watch.wait(0)
        (room / "outside" / "a").rename(room / "landing" / "a")
        return "" if watch.wait(2.0) else watch.why or "a file came, and none was told"


_WAIT = "nothing is lost: files are then found at the next look, within 30 s"
_ABILITIES: dict[str, tuple[Callable[[Path], str], str, str]] = {
    "writing": (_writing, "bytes come back", "mount it for writing, or own the folder"),
    "hard link": (_link, "made, for each commit", _MOVE),
    "rename": (_rename, "replaces a file whole", _MOVE),
    "fsync of a file": (
        lambda room: _sync(room / "a"),
        "bytes on the disk",
        _MOVE,
    ),
    "fsync of a folder": (_sync, "names on the disk", _MOVE),
    "flock": (_lock, "held by one, and freed", _MOVE),
    "case of names": (_case, "kept apart", "hand in no two files of one such name"),
    "file events": (_events, "a new file is told", _WAIT),
}


def _space(folder: Path) -> Iterator[Finding]:
    seen = os.statvfs(folder)
    free, total = seen.f_bavail * seen.f_frsize, seen.f_blocks * seen.f_frsize
    level: Level = "warning" if free < max(_SCARCE, _SHARE * total) else "ok"
    if free < _FULL:
        level = "fault"
    said = f"{free // _MIB:,} MiB free of {total // _MIB:,}"
    mend = "make room, or move the lake: with a full disk nothing is taken in"
    yield Finding(
        "space", level, said, "1 GiB and 5 % free", mend if level != "ok" else ""
    )
    few = seen.f_files > 0 and seen.f_favail < max(_FEW_INODES, _SHARE * seen.f_files)
    said = (
        f"{seen.f_favail:,} of {seen.f_files:,} free" if seen.f_files else "not counted"
    )
    mend = "delete small files on this volume, or move the lake"
    yield judged("inodes", found=said, expected="5 % free", mend=mend if few else "")
    if seen.f_flag & os.ST_RDONLY:
        mend = "mount it for writing; after a disk's error look at it first (fsck)"
        yield Finding("mount", "fault", "read-only", "read and write", mend)


def _owner(folder: Path) -> Iterator[Finding]:
    here = folder.resolve()
    seen, me = here.stat(), os.geteuid()
    mend = "" if seen.st_uid == me else "run as its owner: else files get two owners"
    found = f"owned by user {seen.st_uid}; this is user {me}"
    yield judged("owner", found=found, expected="one user", mend=mend)
    # In a sticky folder (a temporary one) nobody can put another lake in its place.
    wide = [here] if seen.st_mode & stat.S_IWOTH else []
    for above in here.parents:
        mode = above.stat().st_mode
        wide += [above] if mode & stat.S_IWOTH and not mode & stat.S_ISVTX else []
    found = ", ".join(map(str, wide)) or "nobody else"
    mend = f"chmod o-w {found}" if wide else ""
    yield judged("who may write", found=found, expected="nobody else", mend=mend)


def _file_system(folder: Path) -> Iterator[Finding]:
    what, expected = "file system", "a local disk"
    if not _MOUNTS.exists():
        yield Finding(what, "ok", "not looked at: this system has no list", expected)
        return
    here, best, kind = folder.resolve(), Path(), "unknown"
    for line in _MOUNTS.read_text(errors="replace").splitlines():
        _, escaped, of_kind, *_ = line.split(" ")
        place = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), escaped))
        # Of two mounts at one place the later one is seen.
        if here.is_relative_to(place) and len(place.parts) >= len(best.parts):
            best, kind = place, of_kind
    mend = ""
    if _REMOTE.fullmatch(kind):
        mend = (
            "take a local disk: others' changes are not told, locks may be a courtesy"
        )
    if _FLEETING.fullmatch(kind):
        mend = "take a disk: what is here is gone when the machine or container ends"
    yield judged(what, found=f"{kind} at {best}", expected=expected, mend=mend)


def _inotify(_: Path) -> Iterator[Finding]:
    for name, least in _LIMITS.items():
        try:
            limit = int((_INOTIFY / name).read_text())
        except FileNotFoundError:
            found = "not looked at: this system has none"
            yield Finding("inotify", "ok", found, "limits")
            return
        mend = f"sysctl fs.inotify.{name}={least}; {_WAIT}" if limit < least else ""
        found, expected = f"{name} {limit}", f"at least {least}"
        yield judged("inotify", found=found, expected=expected, mend=mend)


def _clock(folder: Path) -> Iterator[Finding]:
    """Hold the clock against the newest times that the lake knows."""
    known = {}
    with suppress(FileNotFoundError):
        made = (folder / "lake.json").stat().st_mtime
        known["lake.json"] = datetime.fromtimestamp(made, UTC)
    for table in folder.glob("raw/*"):
        version = log.newest_version(table)
        with suppress(DamagedLake, KeyError):  # a damaged commit is told elsewhere
            note = log.map_at(table, version or 0).note
            known[f"raw.{table.name}"] = datetime.fromisoformat(note["first_seen_at"])
    newest = max(known, key=lambda name: known[name], default="")
    back = known[newest] - clock.now() if known else timedelta()
    expected = "after all known times"
    if back <= _BACK:
        yield Finding("clock", "ok", "it is", expected)
        return
    level: Level = "fault" if back > _FAR_BACK else "warning"
    mend = "set the clock (NTP): till then what comes is stamped with the old time"
    yield Finding("clock", level, f"{back} before {newest}", expected, mend)


def _steady(drift: timedelta) -> Finding:
    mend = "let NTP slew the clock, not step it" if abs(drift) > _DRIFT else ""
    found = f"moved by {drift} while this looked" if mend else "runs evenly"
    return judged("clock's run", found=found, expected="even", mend=mend)


_LOOKS: dict[str, Callable[[Path], Iterator[Finding]]] = {
    "volume": _abilities,
    "space": _space,
    "owner": _owner,
    "file system": _file_system,
    "inotify": _inotify,
    "clock": _clock,
}
