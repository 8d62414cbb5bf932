"""Verbs that only look: status and plan. They take no lock and change nothing."""

from __future__ import annotations

from typing import Any

from cbi_stream.cli import intake, show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors import landing
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.preview import preview
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.handler import FATES

BREACH = 3


def status(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Show what each table is at, and what became of every line. Exit 3: lines are lost.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    planned: dict[str, int] = {}
    for task in preview(found, graph):
        planned[task.table] = planned.get(task.table, 0) + 1
    tables = [
        _state_of(found, name, planned) for name in sorted(found.registry.contracts)
    ]
    lines = _lines_by_source(found, graph)
    lost = _lost(graph, lines, {str(row["table"]): row for row in tables})
    waiting, turned_away = intake.waiting(found), intake.quarantined(found)
    if json:
        show.as_json(
            {
                "lake": str(lake),
                "kind": found.kind,
                "tables": tables,
                "lines": lines,
                "lost": lost,
                "landing": [each["file"] for each in waiting],
                "waiting": waiting,
                "quarantined_files": turned_away,
            }
        )
    else:
        show.table(
            f"{found.kind} lake: {lake}",
            ["table", "at", "rows", "first", "last", "root", "failed", "planned"],
            [tuple(row.values()) for row in tables],
        )
        _print_lines(lines)
        for each in waiting:
            show.note(f"waiting in the landing: {_file(each)}")
        for each in turned_away:
            show.note(f"in quarantine: {_file(each)}")
    for raw, missing in lost.items():
        show.note(
            f"LINES ARE LOST: {raw}: {missing} lines are unaccounted for, though nothing is "
            "planned and nothing failed. This breaks promise P5: do not trust what is right "
            "of it, and report it"
        )
    return BREACH if lost else 0


def _lines_by_source(lake: Lake, graph: Graph) -> dict[str, dict[str, int]]:
    """Return by raw table what became of its lines; also where nobody looked at any."""
    told = fates.of_lake(lake, graph)
    for node in fates.conforming(graph):
        for raw in node.lines:
            total = lake.table(raw).head()[1].note.get("total")
            if raw not in told and total is not None:
                read, stored = total["lines"], total["stored"]
                told[raw] = {
                    "read": read,
                    "stored": stored,
                    **dict.fromkeys(FATES, 0),
                    "duplicate": read - stored,
                    "unaccounted": stored,
                }
    return dict(sorted(told.items()))


def _lost(
    graph: Graph, lines: dict[str, dict[str, int]], tables: dict[str, dict[str, object]]
) -> dict[str, int]:
    """Return by raw table the lines that nothing explains: not pending, not failed."""

    def is_settled(node: Node) -> bool:
        row = tables[node.table]
        return not row["planned"] and not row["failed"]

    return {
        raw: lines[raw]["unaccounted"]
        for node in fates.conforming(graph)
        for raw in node.lines
        if raw in lines and lines[raw]["unaccounted"] and is_settled(node)
    }


def _print_lines(lines: dict[str, dict[str, int]]) -> None:
    if not lines:
        return
    names = ["read", "stored", *FATES, "unaccounted"]
    rows: list[list[Any]] = [
        [name, *(counts[name] for counts in lines.values())] for name in names
    ]
    show.table("lines by source", ["", *lines], rows)


def _file(told: dict[str, Any]) -> str:
    mend = f" ({told['mend']})" if told["mend"] else ""
    return show.plain(f"{told['file']}: {told['reason']}{mend}")


def _state_of(lake: Lake, name: str, planned: dict[str, int]) -> dict[str, object]:
    version, current = lake.table(name).head()
    spans = [p.extent for p in current.partitions.values() if p.extent]
    return {
        "table": name,
        "version": version if version >= 0 else None,
        "rows": sum(p.rows for p in current.partitions.values()),
        "first": min(s.start for s in spans) if spans else None,
        "last": max(s.last for s in spans) if spans else None,
        "root": current.root[:8] if spans else None,
        "failed": sum(p.state == "failed" for p in current.partitions.values()),
        "planned": planned.get(name, 0),
    }


def plan(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Show what a run would compute, and why.

    Files still in the landing are not looked into. A run computes at most this: it
    stops where content stays the same.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    tasks = preview(found, graph)
    if json:
        plain = [
            {
                "table": task.table,
                "partition": task.partition,
                "reasons": task.reasons,
                "dates": [[s.start, s.last] for s in task.dates],
            }
            for task in tasks
        ]
        show.as_json(
            {"tasks": plain, "landing": [p.name for p in landing.waiting(found)]}
        )
        return 0
    show.table(
        f"{len(tasks)} partitions to compute",
        ["table", "partition", "because"],
        [(t.table, t.partition, "; ".join(t.reasons[:3])) for t in tasks],
    )
    return 0
