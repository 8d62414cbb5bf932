"""Verbs about single lines: reject and withdraw. Nothing is ever deleted."""

from __future__ import annotations

import getpass

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.lake.decisions import Verdict, decide


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
    """Take a rejection back.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        note: why.
        author: who decides; the name of the user if not given.
        lake: folder of the lake.
        json: print one JSON object.
    """
    return _decide("withdraw", sha256, line, note, author, lake, json)


def _decide(
    verdict: Verdict,
    sha256: str,
    line: int,
    note: str,
    author: str | None,
    folder: LakeFolder,
    json: bool,
) -> int:
    found, _ = opened(folder)
    who = author or getpass.getuser()
    batch = decide(
        found, sha256=sha256, line=line, verdict=verdict, author=who, note=note
    )
    if json:
        show.as_json({"batch": batch, "verdict": verdict})
    else:
        show.note(
            f"decision {batch}: {verdict}; it takes effect with `cbi run --until-idle`"
        )
    return 0
