"""The verb `plan`: what a run would compute, and what other rules would move.

It takes no lock, changes nothing, and commits nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import opening, show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder
from cbi_stream.doors import landing
from cbi_stream.engine.plan import Task
from cbi_stream.engine.preview import preview
from cbi_stream.engine.rejudging import Moved, moved
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage

_MOST = 40
"""How many lines are printed on a terminal."""


def plan(
    *,
    rules: Annotated[bool, Parameter(negative="")] = False,
    with_: Annotated[Path | None, Parameter(name="--with")] = None,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """Show what a run would compute, and why.

    Files still in the landing are not looked into. A run computes at most this: it
    stops where content stays the same.

    Args:
        rules: judge the stored lines by the rules of the registry now, which a run has not
            applied yet, and show which lines and dates they would move.
        with_: with --rules: a file to take instead of rules.yaml.
        lake: folder of the lake.
        json: print one JSON object.
    """
    if with_ is not None and not rules:
        msg = "--with names the rules that --rules tries: give both"
        raise WrongUsage(msg)
    if rules:
        return _rules(lake, with_, as_json=json)
    found, graph = opening.opened(lake)
    tasks = preview(found, graph)
    if json:
        there = [path.name for path in landing.waiting(found)]
        show.as_json({"tasks": [_plain(task) for task in tasks], "landing": there})
        return 0
    _print_tasks(f"{len(tasks)} partitions to compute", tasks)
    return 0


def _rules(folder: Path, instead: Path | None, *, as_json: bool) -> int:
    found, graph = opening.opened(folder, rules=instead)
    there = list(moved(found, graph))
    known: dict[str, dict[str, Sequence[Any]]] = {
        node.table: {} for node in graph.nodes if node.part != "output"
    }
    for each in there:
        known[each.table][each.partition] = each.changes
    tasks = preview(found, graph, known=known)
    lines = _lines(there)
    if as_json:
        plain = {
            "lines": lines.to_dicts(),
            "tasks": [_plain(task) for task in tasks],
        }
        show.as_json(plain)
        return 0
    _print_lines(found, lines)
    _print_tasks(f"{len(tasks)} partitions would be computed", tasks)
    show.note("nothing was changed; a run applies the rules of registry/rules.yaml")
    return 0


def _lines(there: Sequence[Moved]) -> pl.DataFrame:
    """Return the lines that would move, with `would` saying whereto."""
    schema: dict[str, Any] = {
        "would": pl.String,
        "table": pl.String,
        "date": pl.Date,
        "about": pl.String,
        "rules": pl.String,
        "found": pl.String,
        "raw": pl.String,
        "sha256": pl.String,
        "line": pl.Int64,
    }
    parts = [pl.DataFrame(schema=schema)]
    for each in there:
        for frame, would in (
            (each.turned_away, "be turned away"),
            (each.let_in, "be let in"),
        ):
            told = frame.with_columns(would=pl.lit(would), table=pl.lit(each.table))
            parts.append(told.select(list(schema)))
    return pl.concat(parts).sort("date", "raw", "sha256", "line", descending=True)


def _print_lines(lake: Lake, lines: pl.DataFrame) -> None:
    title = f"{lines.height} lines would move ({lake.kind} lake: {lake.folder})"
    if not lines.height:
        print(title)
        return
    counts = lines.select("would", "table", rule=pl.col("rules").str.split(","))
    by_rule = counts.explode("rule").group_by("would", "rule", "table").len("lines")
    order = by_rule.sort("would", "rule", "table")
    show.table(title, ["would", "rule", "table", "lines"], order.rows())
    shown = lines.head(_MOST).select(
        "date", "about", "would", "rules", pl.col("sha256").str.head(8), "line", "found"
    )
    columns = ["date", "about", "would", "rules", "file", "line", "found"]
    show.table("lines", columns, shown.rows())
    if shown.height < lines.height:
        show.note(
            f"these are {shown.height} of {lines.height}: all of them with --json"
        )


def _plain(task: Task) -> dict[str, Any]:
    return {
        "table": task.table,
        "partition": task.partition,
        "reasons": task.reasons,
        "dates": [[s.start, s.last] for s in task.dates],
    }


def _print_tasks(title: str, tasks: Sequence[Task]) -> None:
    rows = [(t.table, t.partition, "; ".join(t.reasons[:3])) for t in tasks]
    if not rows:
        print(title)
        return
    show.table(title, ["table", "partition", "because"], rows)
