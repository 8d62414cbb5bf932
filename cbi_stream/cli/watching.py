"""`cbi status --watch`: the state of a lake, looked at again and again.

It repaints a terminal and appends to anything else. It never writes to the lake, and no
trouble with the lake ends it.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from itertools import accumulate
from pathlib import Path
from typing import Any

from cbi_stream.cli import show, state, stored
from cbi_stream.cli.health import pulse, said
from cbi_stream.cli.opening import opened
from cbi_stream.doors.settling import pause
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import CbiError, WrongUsage

EVERY_SECONDS = 2.0
_OFTENEST, _RAREST = 0.1, 86_400.0
_CLEAR, _HOME, _LINE_END, _BELOW = "\x1b[2J", "\x1b[H", "\x1b[K\n", "\x1b[J"
_RESTED_NS = 2_000_000_000
_NOTHING: dict[str, Any] = {"kind": None, "tables": [], "lines": {}, "lost": {}}
_PARTS = ("waiting", "quarantined_files", "damaged")
_NO_FILES: dict[str, Any] = {
    "landing": [],
    "waiting": [],
    "quarantined_files": [],
    "damaged": [],
}


def watch(folder: Path, *, every: float, as_json: bool) -> int:
    """Show the state of a lake until Ctrl-C.

    Args:
        folder: of the lake.
        every: seconds between two looks.
        as_json: print one JSON object a line.

    Raises:
        WrongUsage: there is no lake to begin with, or the seconds make no sense.
    """
    if not _OFTENEST <= every <= _RAREST:  # also what is no number
        msg = f"expected --every of {_OFTENEST} to {_RAREST:g} seconds; found {every}"
        raise WrongUsage(msg)
    try:
        lake, graph = opened(folder)
        eye = Eye(lake, graph)
        paper = _Paper(as_json=as_json)
        while True:
            paper.put(eye.look())
            pause(every)
    except KeyboardInterrupt:
        return 0  # to end it so is what it is for


class Eye:
    """Looks at a lake, and remembers what it saw the last time."""

    def __init__(self, lake: Lake, graph: Graph) -> None:
        self._folder, self._id = lake.folder, lake.id
        self._graph = graph
        self._seen: dict[str, Any] | None = None
        self._files: dict[str, Any] = _NO_FILES
        self._marks: list[int] | None = None

    def look(self) -> dict[str, Any]:
        """Return the state, what changed since the last look, and what is wrong."""
        at = clock.now()
        trouble: list[str] = []
        plain = {"dispatcher": {"state": "unknown"}, **_NOTHING, **_NO_FILES}
        try:
            # Made anew at each look: it says so where the lake is gone.
            lake = Lake(self._folder, self._graph.registry)
            if lake.id != self._id:
                trouble.append(f"another lake stands at {self._folder}: {lake.id}")
            plain["dispatcher"] = pulse(lake)
            plain |= self._tables(lake, trouble)
            plain |= self._listed(lake) | stored.looked_at(lake)
        except (CbiError, OSError) as error:
            trouble.append(str(error))
        changed = None if self._seen is None else _changed(self._seen, plain)
        if plain["tables"]:
            self._seen = plain
        return {
            "at": at.isoformat(timespec="seconds"),
            "lake": str(self._folder),
            "changed": changed,
            "trouble": trouble,
            **plain,
        }

    def _tables(self, lake: Lake, trouble: list[str]) -> dict[str, Any]:
        try:
            return state.looked_at(lake, self._graph)
        except CbiError as error:
            plain, why = state.readable(lake)
            trouble += why.values() or [str(error)]
            return plain

    def _listed(self, lake: Lake) -> dict[str, Any]:
        """Return the files, read anew only where a folder of theirs changed."""
        turned_away = lake.folder / "quarantine" / "files"
        marks = [(lake.folder / "landing").stat().st_mtime_ns]
        if turned_away.is_dir():
            marks.append(turned_away.stat().st_mtime_ns)
        if marks != self._marks:
            self._files = state.files(lake)
            # A folder that changes twice within one tick shows one time of change.
            rested = clock.now().timestamp() * 1e9 - max(marks) > _RESTED_NS
            self._marks = marks if rested else None
        return self._files


def _changed(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the tables, and the other parts, that are not what they were."""
    if not now["tables"]:
        return []  # the lake is not there: its return will be no news either
    rows = {row["table"]: row for row in before["tables"]}
    found = [
        row["table"]
        for row in now["tables"]
        if not _same_row(rows.get(row["table"], {}), row)
    ]
    found += [
        raw
        for raw, counts in now["lines"].items()
        if before["lines"] and counts != before["lines"].get(raw) and raw not in found
    ]
    if before["dispatcher"]["state"] != now["dispatcher"]["state"]:
        found.append("dispatcher")
    found += [part for part in _PARTS if now[part] != before[part]]
    return found


def _same_row(before: dict[str, Any], now: dict[str, Any]) -> bool:
    # What is planned is not known while a table is damaged: that is no news of it.
    unknown = before.get("planned") is None or now["planned"] is None
    return all(
        before.get(name) == value
        for name, value in now.items()
        if not (name == "planned" and unknown)
    )


class _Paper:
    """Where looks are shown: a terminal that is painted over, or lines that follow."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        dumb = os.environ.get("TERM") == "dumb"
        self._paints = sys.stdout.isatty() and not dumb and not as_json
        self._looks = 0

    def put(self, look: dict[str, Any]) -> None:
        """Show one look."""
        if self._as_json:
            text = json.dumps(look, default=str) + "\n"
        elif self._paints:
            text = ("" if self._looks else _CLEAR) + painted(in_words(look))
        else:
            text = ("\n" if self._looks else "") + in_words(look) + "\n"
        self._looks += 1
        sys.stdout.write(text)
        sys.stdout.flush()


def in_words(look: dict[str, Any]) -> str:
    """Return a look as text: the line on top, tables, lines, files, trouble."""
    found = io.StringIO()
    # Notes belong into the picture: on a terminal they would be painted over.
    with redirect_stdout(found), redirect_stderr(found):
        print(_top(look))
        for each in look["trouble"]:
            show.note(f"TROUBLE: {show.plain(each)}")
        if look["tables"]:
            title = f"{look['kind']} lake: {look['lake']}"
            state.print_state(title, look, look["changed"] or ())
        for line in stored.lines(look) if "checked" in look else ():
            show.note(line)
    lines = (line.rstrip() for line in found.getvalue().splitlines())
    return "\n".join(lines).rstrip("\n")


def _top(look: dict[str, Any]) -> str:
    changed = look["changed"]
    news = "first look"
    if changed is not None:
        news = f"changed: {', '.join(changed)}" if changed else "nothing changed"
    return f"{look['at']}   {said(look['dispatcher'])}   {news}"


def painted(text: str, size: os.terminal_size | None = None) -> str:
    """Return what puts a text over the last one, cut where the terminal ends.

    Args:
        text: some lines.
        size: of the terminal; asked for where it is not given.
    """
    columns, height = size or shutil.get_terminal_size()
    lines = text.split("\n")
    # The last line of a terminal stays free: the cursor rests there.
    if _fitting(lines, columns, height - 1) < len(lines):
        lines = [line for line in lines if line]
    kept, more = _fitting(lines, columns, height - 1), []
    if kept < len(lines):
        kept = _fitting(lines, columns, height - 2)
        more = [f"({len(lines) - kept} more lines: the window is too low)"]
    return _HOME + "".join(line + _LINE_END for line in lines[:kept] + more) + _BELOW


def _fitting(lines: list[str], columns: int, height: int) -> int:
    """Return how many of the lines fit, each of them wrapped where it is too long."""
    used = accumulate(max(1, -(-len(line) // columns)) for line in lines)
    return sum(total <= height for total in used)
