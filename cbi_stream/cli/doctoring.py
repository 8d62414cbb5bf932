"""The verb that looks for what is wrong with a machine or a lake: doctor. It mends nothing.

It needs no lake that can be opened, and holds no lock beyond the moment of looking.
"""

from __future__ import annotations

import json as plain_json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, registry
from cbi_stream.doors import volume
from cbi_stream.doors.volume import Finding, judged
from cbi_stream.engine.graph import discover
from cbi_stream.lake import durable
from cbi_stream.words import clock

FAULTY = 3
_LEVELS = ("fault", "warning", "ok")
_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"\d{20}\.checkpoint.*\.parquet")
_LAST = "_last_checkpoint"
_PARQUET_END = b"PAR1"
_IN_FLIGHT_SECONDS = 60
_RESTORE = (
    "a raw table: restore its folder from a backup, the archive holds the bytes too; "
    "any other: take its folder away and run, it is computed anew"
)


def doctor(
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    json: AsJson = False,
) -> int:
    """Look for what is wrong with this machine or lake, and say the mend. Exit 3: a fault.

    Args:
        lake: folder of the lake; it need not be one that can be opened.
        every: show what is fine as well.
        json: print one JSON object; it always holds everything.
    """
    findings = examined(lake)
    count = {level: sum(f.level == level for f in findings) for level in _LEVELS}
    if json:
        plain = [asdict(each) for each in findings]
        show.as_json({"lake": str(lake), **count, "findings": plain})
    else:
        _print(lake, [f for f in findings if every or f.level != "ok"], count)
    return FAULTY if count["fault"] else 0


def examined(folder: Path) -> list[Finding]:
    """Return everything that was looked at, faults first."""
    findings = [*volume.probe(folder), *_parts()]
    for look in _LOOKS if folder.is_dir() else ():
        try:
            findings += look(folder)
        except OSError as error:
            # What is removed while it is looked at is nobody's fault: look again.
            mend = "ask again; if it stays, look at the folder's permissions"
            found, what = str(error), look.__name__.strip("_")
            findings.append(Finding(what, "warning", found, "a look at it", mend))
    return sorted(findings, key=lambda each: _LEVELS.index(each.level))


def _print(lake: Path, shown: list[Finding], count: dict[str, int]) -> None:
    said = f"faults {count['fault']}, warnings {count['warning']}, ok {count['ok']}"
    if not shown:
        print(f"{show.plain(lake)}: nothing is wrong ({said})")
        return
    rows = [(each.level, each.what, each.expected, each.found) for each in shown]
    show.table(f"{lake}: {said}", ["", "what", "expected", "found"], rows)
    for each in shown:
        if each.mend:
            print(f"mend {each.what}: {show.plain(each.mend)}")


def _parts() -> Iterator[Finding]:
    """Look whether the registry and the handlers can be loaded."""
    what, expected = "registry and handlers", "they load"
    try:
        graph = discover(registry())
    except Exception as error:  # noqa: BLE001 - a handler's module may raise anything
        mend = "mend the file that it names; CBI_REGISTRY says where the registry is"
        yield Finding(what, "fault", f"{error or error!r}", expected, mend)
    else:
        yield Finding(what, "ok", f"{len(graph.nodes)} handlers", expected)


def _identity(folder: Path) -> Iterator[Finding]:
    what, expected = "lake.json", "an id and a kind"
    try:
        kind = plain_json.loads((folder / what).read_bytes())
        known = bool(kind["id"]) and kind["kind"] in ("real", "simulated")
        found = f"a {kind['kind']} lake" if known else f"id or kind is wrong: {kind}"
        mend = ""
    except FileNotFoundError:
        known, found = False, "no lake in this folder"
        mend = "make one with `cbi init`, say --lake, or mount its volume again"
    except (ValueError, KeyError, TypeError) as error:
        known, found, mend = False, f"it cannot be read: {error!r}", ""
    if not known and not mend:
        mend = 'write {"id": ..., "kind": ...} anew; current.json says both: lake, kind'
    yield Finding(what, "ok" if known else "fault", found, expected, mend)


def _dispatcher(folder: Path) -> Iterator[Finding]:
    path, what, expected = folder / "dispatch.lock", "dispatcher", "one at most"
    pid = durable.holder(path)
    if pid is None:
        yield Finding(what, "ok", "none runs", expected)
        return
    found = f"process {pid} holds it" if pid else "a process that is not named holds it"
    mend = ""
    if pid and not durable.is_alive(pid):
        found = f"process {pid} ended, and something that it began holds the lock still"
        mend = f"find it with `lsof {path}`, and end it"
    yield judged(what, found=found, expected=expected, mend=mend)


def _leftovers(folder: Path) -> Iterator[Finding]:
    left = [place for place in (folder / ".work").glob("*") if _is_left(place)]
    # A proof that is being made holds the dispatcher's lock.
    proving = durable.holder(folder / "dispatch.lock") is not None
    left += [] if proving else folder.glob(".proof-*")
    names = ", ".join(sorted(str(place.relative_to(folder)) for place in left))
    mend = "`cbi run --until-idle` removes them" if left else ""
    yield judged("leftovers", found=names or "none", expected="none", mend=mend)


def _is_left(place: Path) -> bool:
    """Return whether unfinished files lie there, of a process that ended."""
    if place.name.isdecimal() and durable.is_alive(int(place.name)):
        return False
    # Every process leaves its folder behind; only files in it say that it was killed.
    return any(not each.is_dir() for each in (place, *place.rglob("*")))


def _logs(folder: Path) -> Iterator[Finding]:
    for log in sorted(folder.glob("*/*/_delta_log")):
        if not log.parent.parent.name.startswith("."):
            table = f"{log.parent.parent.name}.{log.parent.name}"
            names = sorted(entry.name for entry in log.iterdir())
            yield _commits(table, log, names)
            yield _checkpoints(table, log, names)
            yield _temporary(table, log, names)


def _commits(table: str, log: Path, names: list[str]) -> Finding:
    what, expected = f"{table} commits", "whole, none missing"
    empty = [n for n in names if _COMMIT.fullmatch(n) and not (log / n).stat().st_size]
    if empty:
        found = f"zero-length: {', '.join(empty)}; its rows are missing, unsaid"
        return Finding(what, "fault", found, expected, _RESTORE)
    versions = {int(m[1]) for m in map(_COMMIT.fullmatch, names) if m}
    gone = sorted(set(range(max(versions, default=-1) + 1)) - versions)
    if gone:
        found = f"missing: version {', '.join(map(str, gone[:5]))}"
        return Finding(what, "fault", found, expected, _RESTORE)
    return Finding(what, "ok", f"{len(versions)}", expected)


def _checkpoints(table: str, log: Path, names: list[str]) -> Finding:
    found = [name for name in names if _CHECKPOINT.fullmatch(name)]
    torn = [name for name in found if not _ends_well(log / name)]
    torn += [name for name in names if name == _LAST and _points_nowhere(log, found)]
    if not torn:
        return Finding(f"{table} checkpoints", "ok", f"{len(found)}", "whole")
    mend = f"move {log}/*checkpoint* into {log.parent}/_torn: every commit is kept"
    said = f"torn: {', '.join(torn)}; other Delta readers cannot open the table"
    return Finding(f"{table} checkpoints", "fault", said, "whole", mend)


def _points_nowhere(log: Path, found: list[str]) -> bool:
    """Return whether the newest checkpoint is named and is not there."""
    try:
        version = int(plain_json.loads((log / _LAST).read_bytes())["version"])
    except (ValueError, KeyError, TypeError):
        return False  # who cannot read it reads the commits
    return not any(name.startswith(f"{version:020d}.") for name in found)


def _ends_well(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - len(_PARQUET_END)))
        return file.read() == _PARQUET_END


def _temporary(table: str, log: Path, names: list[str]) -> Finding:
    # One that is young may be the commit that is being made.
    then = clock.now().timestamp() - _IN_FLIGHT_SECONDS
    left = [n for n in names if n.endswith("#1") and (log / n).stat().st_mtime < then]
    mend = f"rm {log}/*#1 while nothing runs: nothing reads them" if left else ""
    what, found = f"{table} #1 files", ", ".join(left) or "none"
    return judged(what, found=found, expected="none", mend=mend)


_LOOKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    _identity,
    _dispatcher,
    _leftovers,
    _logs,
)
