"""What a lake is at: its tables, its lines, its files, looked at once and printed.

It reads maps and receipts. It takes no lock, changes nothing and judges no value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from cbi_stream.cli import holding, intake, show
from cbi_stream.engine import fates
from cbi_stream.engine.graph import Graph, Node
from cbi_stream.engine.preview import preview
from cbi_stream.lake.lake import Lake
from cbi_stream.shapes.handler import FATES
from cbi_stream.words.errors import BadRegistry, DamagedLake

_LOOKS = 3
_NAMES = (
    *("version", "rows", "first", "last", "root"),
    *("failed", "held", "carried", "planned"),
)


def looked_at(lake: Lake, graph: Graph) -> dict[str, Any]:
    """Return what each table is at, and what became of every line.

    Tables may be written meanwhile. Then it looks again; where they never rest, no line
    is called lost, since its table and its fate would be of two moments.

    Raises:
        DamagedLake: a table cannot be read.
    """
    plain: dict[str, Any] = {}
    for _ in range(_LOOKS):
        before = _versions(lake)
        plain = _looked_at(lake, graph)
        if _versions(lake) == before:
            return plain
    return {**plain, "lost": {}}


def readable(lake: Lake) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what each table is at that can be read, and by table why one cannot.

    What is planned, and what became of lines, is not known then.
    """
    rows: list[dict[str, object]] = []
    why: dict[str, str] = {}
    for name in sorted(lake.registry.contracts):
        try:
            rows.append(_state_of(lake, name, None))
        except (DamagedLake, BadRegistry, OSError) as error:
            rows.append({"table": name, **dict.fromkeys(_NAMES)})
            why[name] = str(error)
    return {"kind": lake.kind, "tables": rows, "lines": {}, "lost": {}}, why


def files(lake: Lake) -> dict[str, Any]:
    """Return the files that wait, and those that were turned away whole."""
    waiting = intake.waiting(lake)
    return {
        "landing": [each["file"] for each in waiting],
        "waiting": waiting,
        "quarantined_files": intake.quarantined(lake),
    }


def print_state(
    title: str, plain: dict[str, Any], changed: Collection[str] = ()
) -> None:
    """Print tables and lines on stdout, files and what is lost on stderr.

    Args:
        title: what stands above.
        plain: what `looked_at` and `files` returned.
        changed: the tables that are marked.
    """
    columns = ["table", "at", *_NAMES[1:]]
    rows = [
        (_marked(row["table"], changed), *list(row.values())[1:])
        for row in plain["tables"]
    ]
    show.table(title, columns, rows)
    _print_lines(plain["lines"], changed)
    for each in plain["waiting"]:
        show.note(f"waiting in the landing: {_file(each)}")
    for each in plain["quarantined_files"]:
        show.note(f"in quarantine: {_file(each)}")
    for line in holding.said(plain.get("held", [])):
        show.note(show.plain(line))
    print_lost(plain["lost"])


def print_lost(lost: dict[str, int]) -> None:
    """Say loudly on stderr which lines nothing explains."""
    for raw, missing in lost.items():
        show.note(
            f"LINES ARE LOST: {raw}: {missing} lines are unaccounted for, though nothing is "
            "planned and nothing failed. This breaks promise P5: do not trust what is right "
            "of it, and report it"
        )


def _versions(lake: Lake) -> list[int]:
    return [lake.table(name).head()[0] for name in lake.registry.contracts]


def _looked_at(lake: Lake, graph: Graph) -> dict[str, Any]:
    planned: dict[str, int] = {}
    held_now = holding.looked_at(lake, graph)["held"]
    for task in preview(lake, graph):
        planned[task.table] = planned.get(task.table, 0) + 1
    tables = [
        _state_of(lake, name, planned) for name in sorted(lake.registry.contracts)
    ]
    lines = _lines_by_source(lake, graph)
    lost = _lost(graph, lines, {str(row["table"]): row for row in tables})
    plain = {"kind": lake.kind, "tables": tables, "lines": lines, "lost": lost}
    return {**plain, "held": held_now}


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
                    **dict.fromkeys([*FATES, "held"], 0),
                    "duplicate": read - stored,
                    "unaccounted": stored,
                }
    return dict(sorted(told.items()))


def _lost(
    graph: Graph, lines: dict[str, dict[str, int]], tables: dict[str, dict[str, object]]
) -> dict[str, int]:
    """Return by raw table the lines that nothing explains: not pending or failed."""

    def is_settled(node: Node) -> bool:
        row = tables[node.table]
        return not row["planned"] and not row["failed"]

    return {
        raw: lines[raw]["unaccounted"]
        for node in fates.conforming(graph)
        for raw in node.lines
        if raw in lines and lines[raw]["unaccounted"] and is_settled(node)
    }


def _state_of(
    lake: Lake, name: str, planned: dict[str, int] | None
) -> dict[str, object]:
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
        "held": sum(p.state == "held" for p in current.partitions.values()),
        "carried": sum(bool(p.carried) for p in current.partitions.values()),
        "planned": None if planned is None else planned.get(name, 0),
    }


def _print_lines(lines: dict[str, dict[str, int]], changed: Collection[str]) -> None:
    if not lines:
        return
    names = ["read", "stored", *FATES, "held", "unaccounted"]
    rows: list[list[Any]] = [
        [name, *(counts[name] for counts in lines.values())] for name in names
    ]
    columns = ["", *(_marked(raw, changed) for raw in lines)]
    show.table("lines by source", columns, rows)


def _marked(name: str, changed: Collection[str]) -> str:
    return f"{name} *" if name in changed else name


def _file(told: dict[str, Any]) -> str:
    mend = f" ({told['mend']})" if told["mend"] else ""
    return show.plain(f"{told['file']}: {told['reason']}{mend}")
