"""The verb `quarantine show`: one line of a file, why it was turned away, what to do.

It prints what a person needs for a decision, and decides nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import polars as pl

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.engine import story
from cbi_stream.engine.fates import conforming
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.preview import preview
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import decisions
from cbi_stream.lake.lake import Lake
from cbi_stream.lake.partition_map import Change
from cbi_stream.words.errors import CbiError
from cbi_stream.words.span import Span

_AROUND = 5
"""How many rows before and after the date are shown."""
_DAYS = 400
_LONGEST = 300


def quarantine_show(
    sha256: str, line: int, *, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False
) -> int:
    """Show one line of a file: what it says, the rules that it broke, what stands beside.

    Args:
        sha256: the file's hash, or its beginning.
        line: the line's number in the file.
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    place = decisions.line_of(found, sha256, line)
    node = next(n for n in conforming(graph) if place.raw in n.lines)
    told = [asdict(each) for each in _told(found, graph, node, place)]
    about = told[0]["about"] if told else None
    near = _near(found, node, place.date, about)
    said = Change(Span.day(place.date), about=(place.raw,))
    reached = preview(found, graph, pending={decisions.TABLE: [said]})
    plain: dict[str, Any] = {
        "file": asdict(place),
        "written": _written(found, place),
        "lines": told,
        "rules": _rules(graph, told),
        "near": near.to_dicts(),
        "reaches": [f"{task.table}/{task.partition}" for task in reached],
    }
    if json:
        show.as_json({"kind": found.kind, **plain})
    else:
        _print(found, plain, near)
    return 0


def _told(
    lake: Lake, graph: Graph, node: Node, place: decisions.Place
) -> Iterable[story.Line]:
    """Return the line as it was stored, once for each time that it was seen anew."""
    _, made = story.made_of(lake, graph, node.table, place.date)
    lines = story.lines_of(lake, [place.raw], place.date, about=None, told=made)
    return [e for e in lines if (e.sha256, e.line) == (place.sha256, place.line)]


def _written(lake: Lake, place: decisions.Place) -> str | None:
    """Return the line as it stands in the file; None where the file is no text."""
    try:
        text = lake.archive.read_plain(place.sha256).decode("utf-8-sig")
        return text.splitlines()[place.line - 1][:_LONGEST]
    except (CbiError, UnicodeDecodeError, IndexError):
        return None  # a book, a page, or an archive that is damaged: the cells tell it


def _near(lake: Lake, node: Node, day: date, about: str | None) -> pl.DataFrame:
    """Return the staged rows next to the date, about the same symbol or series."""
    current = story.published(lake, node.table)[1]
    rows = rows_between(lake, node.table, Span.day(day).widen(_DAYS, _DAYS), current)
    rows = rows.filter(story.concerns(node.contract, about))
    before = rows.filter(pl.col("date") < day).tail(_AROUND)
    after = rows.filter(pl.col("date") > day).head(_AROUND)
    return pl.concat([before, rows.filter(pl.col("date") == day), after])


def _rules(graph: Graph, told: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the rules that the line broke, each with what it asks for and where."""
    names = {name for each in told for name in (each["rules"] or "").split(",") if name}
    found = []
    for name in sorted(names):
        rule = graph.rules.get(name)
        doc = inspect.getdoc(rule.function) if rule else None
        firm = rule is None or rule.firm
        asks = (doc or "").partition("\n\n")[0].replace("\n", " ")
        found.append({"rule": name, "asks": asks, "can_be_released": not firm})
    return found


def _print(lake: Lake, plain: Mapping[str, Any], near: pl.DataFrame) -> None:
    file, lines = plain["file"], plain["lines"]
    name = lines[0]["file"] if lines else None
    where = f"line {file['line']} of {name or 'a file'} ({file['sha256'][:8]})"
    print(show.plain(f"{where}, {file['raw']}, {file['date']} ({lake.kind} lake)"))
    if plain["written"] is not None:
        print(f"  {show.plain(plain['written'])}")
    for each in lines:
        seen = f"seen {each['as_of']:%Y-%m-%d %H:%M} UTC: {each['fate']}"
        print(show.plain(f"{seen}{': ' + each['found'] if each['found'] else ''}"))
        for said in each["decisions"]:
            print(
                show.plain(f"  {said['verdict']} by {said['author']}: {said['note']}")
            )
    for rule in plain["rules"]:
        asks = f": expected: {rule['asks']}" if rule["asks"] else ""
        print(show.plain(f"broke {rule['rule']}{asks}"))
    if near.height:
        wanted = ("date", "close", "value", "vintage", "volume", "source", "flags")
        shown = [n for n in wanted if n in near.columns]
        show.table("staged next to it", shown, near.select(shown).rows())
    n = len(plain["reaches"])
    show.note(f"a decision about it would compute {n} partitions, at most")
    at = f"{file['sha256'][:8]} {file['line']}"
    show.note(
        f"decide: cbi quarantine release {at} --note ... (it is true), "
        f"fix {at} --set CELL=VALUE --note ... (it should read so), "
        f"reject {at} --note ... (keep it out)"
    )
