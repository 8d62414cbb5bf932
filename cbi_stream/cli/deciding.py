"""Verbs about single lines: release, fix, reject, withdraw. Nothing is ever deleted."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.engine.preview import preview
from cbi_stream.lake.decisions import Verdict, decide
from cbi_stream.words.errors import WrongUsage


def release(
    sha256: str,
    line: int,
    *,
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Stage a line though it broke a rule: it is true.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        note: how that is known.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    return _decide("release", sha256, line, note, author, lake, json)


def fix(
    sha256: str,
    line: int,
    *,
    set_: Annotated[list[str], Parameter(name="--set", negative="")],
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Read a line with other cells from the next run on; the line itself stays.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        set_: a cell as it should read, CELL=VALUE; once for each cell.
        note: how that is known.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    cells = _cells(set_)
    return _decide("fix", sha256, line, note, author, lake, json, cells=cells)


def reject(
    sha256: str,
    line: int,
    *,
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Keep a line out, from the next run on.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        note: why.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    return _decide("reject", sha256, line, note, author, lake, json)


def withdraw(
    sha256: str,
    line: int,
    *,
    note: str,
    author: str | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Take back what was decided about a line.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        note: why.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    return _decide("withdraw", sha256, line, note, author, lake, json)


def _cells(said: Sequence[str]) -> dict[str, str]:
    """Return the cells of `CELL=VALUE`.

    Raises:
        WrongUsage: one is no such pair, or names a cell twice.
    """
    cells: dict[str, str] = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or not name.strip() or name.strip() in cells:
            msg = f"--set: expected CELL=VALUE, each cell once; found {each!r}"
            raise WrongUsage(msg)
        cells[name.strip()] = value.strip()
    return cells


def _decide(
    verdict: Verdict,
    sha256: str,
    line: int,
    note: str,
    author: str | None,
    folder: LakeFolder,
    json: bool,
    cells: Mapping[str, str] | None = None,
) -> int:
    found, graph = opened(folder)
    who = author or getpass.getuser()
    batch = decide(
        found,
        sha256=sha256,
        line=line,
        verdict=verdict,
        author=who,
        note=note,
        cells=cells,
    )
    reached = preview(found, graph)
    if json:
        places = [f"{task.table}/{task.partition}" for task in reached]
        show.as_json({"batch": batch, "verdict": verdict, "reaches": places})
    else:
        show.note(
            f"decision {batch}: {verdict}; it takes effect with `cbi run --until-idle`, "
            f"which computes {len(reached)} partitions at most (`cbi plan`)"
        )
    return 0
