"""The verb that takes stock of files that somebody else left behind: audit.

It never writes into what it looks at, and needs no lake; with one, values are compared.
"""

from __future__ import annotations

import json as plain_json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from cbi_stream.audit.held import held_by
from cbi_stream.audit.looking import Asked, counted, look
from cbi_stream.audit.verdict import Judged, reasons
from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, registry
from cbi_stream.lake import durable
from cbi_stream.lake.lake import Lake
from cbi_stream.words import clock
from cbi_stream.words.errors import WrongUsage

FOUND = 3
_GRAVE = ("replace", "archive")


def audit(
    path: Path,
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    date: str | None = None,
    key: str | None = None,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    out: Path | None = None,
    json: AsJson = False,
) -> int:
    """Say what stands in Parquet, CSV and Delta files. Exit 3: some are to be replaced.

    Args:
        path: a file, a Delta table or a folder of them; it is only read.
        lake: folder of the lake that values are compared with; it need not exist.
        date: the column that dates a row; guessed without it.
        key: the columns that say which series a row is of, with commas; guessed without.
        every: say the quirks as well that ask for nothing.
        out: a file for the JSON; it may not lie under the path.
        json: print one JSON object; it always holds everything.
    """
    _outside(out, path)
    found_registry = registry()
    held = None
    if (lake / "lake.json").is_file():
        held = held_by(Lake(lake, found_registry))
    keys = tuple(name.strip() for name in key.split(",")) if key else ()
    asked = Asked(found_registry.sessions, clock.now(), held, date, keys)
    found = look(path, asked, told=_progress)
    content = _plain(path, lake if held is not None else None, found)
    if out is not None:
        durable.write(out, plain_json.dumps(content, indent=1, default=str).encode())
    if json:
        show.as_json(content)
    else:
        _print(path, found, every=every)
    return FOUND if any(one.verdict in _GRAVE for one in found) else 0


def _outside(out: Path | None, path: Path) -> None:
    """Refuse to write into what is looked at.

    Raises:
        WrongUsage: the file would lie there.
    """
    if out is not None and out.resolve().is_relative_to(path.resolve()):
        msg = f"expected --out outside of {path}, which is only read; found {out}"
        raise WrongUsage(msg)


def _progress(number: int, total: int, name: str) -> None:
    if sys.stderr.isatty() and total > 1:
        end = "\n" if number == total else ""
        print(
            f"\r\x1b[K{number} of {total}: {show.plain(name)}", end=end, file=sys.stderr
        )


def _plain(path: Path, lake: Path | None, found: list[Judged]) -> dict[str, Any]:
    files = [asdict(one) | {"why": reasons(one)} for one in found]
    return {
        "path": str(path),
        "lake": None if lake is None else str(lake),
        "counts": counted(found),
        "files": files,
    }


def _print(path: Path, found: list[Judged], *, every: bool) -> None:
    said = ", ".join(f"{verdict} {n}" for verdict, n in counted(found).items())
    columns = ["file", "verdict", "rows", "columns", "from", "to", "why"]
    rows = [
        (
            one.name,
            one.verdict,
            one.rows,
            len(one.columns),
            one.first,
            one.last,
            reasons(one),
        )
        for one in found
    ]
    show.table(f"{path}: {said}", columns, rows)
    for one in found:
        shown = [each for each in one.findings if every or each.weight in _GRAVE]
        if not shown:
            continue
        print(f"{show.plain(one.name)}: {one.verdict}{_guessed(one)}")
        for each in shown:
            print(f"  {each.weight:8}{each.what}: {show.plain(each.said)}")


def _guessed(one: Judged) -> str:
    """Return by which columns a file was read."""
    keys = ", ".join(one.key_columns) or "no column"
    return show.plain(f" (dated by {one.date_column}, series by {keys})")
