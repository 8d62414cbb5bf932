"""The verb `ingest`: what a source has now, or its files out of a folder, taken in at once.

It appends to raw, which any process may, and never computes a table. A folder and its
files stay as they are.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from cbi_stream.cli import receipts, show
from cbi_stream.cli.fetching import How, askable, fetched
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors import landing
from cbi_stream.doors.folder import Found, files_of
from cbi_stream.doors.readers import Child
from cbi_stream.doors.receipts import shown
from cbi_stream.engine.graph import Graph
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage


def ingest(
    source: str | None = None,
    *,
    every: Annotated[bool, Parameter(name="--all", negative="")] = False,
    since: date | None = None,
    whole: Annotated[bool, Parameter(negative="")] = False,
    jitter: float = 0.0,
    folder: Path | None = None,
    lake: LakeFolder = DEFAULT_LAKE,
    dry_run: Annotated[bool, Parameter(negative="")] = False,
    json: AsJson = False,
) -> int:
    """Ask a source now; or take in every file of a folder that it wrote, oldest first.

    Args:
        source: a source of data_sources.yaml.
        every: ask all sources that can be asked.
        since: the first date to ask for, like 2024-01-31; else the source's look-back.
        whole: ask for all of history once more.
        jitter: seconds to wait once the source is ours, before it is asked.
        folder: where files are; folders inside it are not looked into.
        lake: folder of the lake.
        dry_run: with --folder: say which files would be taken, and take none.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    if folder is None:
        if dry_run:
            msg = "--dry-run goes with --folder: nobody knows what a source will say"
            raise WrongUsage(msg)
        names = askable(graph, source, every=every)
        return fetched(found, graph, names, how=How(since, whole, jitter), json=json)
    if source is None or every or since or whole:
        msg = "--folder goes with one SOURCE, and without --all, --since and --whole"
        raise WrongUsage(msg)
    if source not in graph.parsers:
        known = ", ".join(sorted(graph.parsers))
        msg = f"expected one of the sources {known}; found {source!r}"
        raise WrongUsage(msg)
    if dry_run:
        _print_plan(files_of(graph, folder, source), source, json=json)
        return 0
    return _out_of_a_folder(found, graph, folder, source, json=json)


def _out_of_a_folder(
    found: Lake, graph: Graph, folder: Path, source: str, *, json: bool
) -> int:
    there = files_of(graph, folder, source)
    for path in there.fitting:
        landing.check(found, path)
    for path in there.fitting:
        landing.drop(found, path, landing.Hint())
    taken = {path.name for path in there.fitting}
    with Child(graph) as reader:
        told = landing.take_in(found, graph, reader=reader, names=taken)
    left = [shown(path.name) for path in there.left]
    if json:
        plain = [asdict(receipt) for receipt in told]
        show.as_json({"kind": found.kind, "receipts": plain, "left": left})
        return receipts.exit_code(told)
    receipts.print_receipts(told, kind=found.kind)
    _name_left(left)
    show.note("next: cbi run --until-idle")
    return receipts.exit_code(told)


def _print_plan(there: Found, source: str, *, json: bool) -> None:
    fitting = [shown(path.name) for path in there.fitting]
    left = [shown(path.name) for path in there.left]
    if json:
        show.as_json({"would_take": fitting, "left": left, "dry_run": True})
        return
    show.table(f"would be taken in, in this order ({source})", ["file"], zip(fitting))
    _name_left(left)


def _name_left(left: list[str]) -> None:
    if left:
        show.note(f"left alone, of another source or none: {', '.join(left)}")
