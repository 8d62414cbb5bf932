"""Verbs that only look: status, read, plan. They take no lock and change nothing."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.doors import landing
from cbi_stream.engine.preview import preview
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.span import Span, plus_days


def status(*, lake: LakeFolder = DEFAULT_LAKE, json: AsJson = False) -> int:
    """Show what each table is at.

    Args:
        lake: folder of the lake.
        json: print one JSON object.
    """
    found, graph = opened(lake)
    planned: dict[str, int] = {}
    for task in preview(found, graph):
        planned[task.table] = planned.get(task.table, 0) + 1
    rows = [
        _state_of(found, name, planned) for name in sorted(found.registry.contracts)
    ]
    pending = [path.name for path in landing.waiting(found)]
    if json:
        show.as_json(
            {"lake": str(lake), "kind": found.kind, "tables": rows, "landing": pending}
        )
        return 0
    show.table(
        f"{found.kind} lake: {lake}",
        ["table", "at", "rows", "first", "last", "root", "failed", "to do"],
        [tuple(row.values()) for row in rows],
    )
    if pending:
        show.note(f"waiting in the landing: {', '.join(pending)}")
    return 0


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


def read(
    table: str,
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    from_: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    columns: str | None = None,
    version: int | None = None,
    format: Literal["table", "csv", "json", "parquet"] = "table",
    out: Path | None = None,
    json: AsJson = False,
) -> int:
    """Print or write the rows of a table, as the last settled run left them.

    Args:
        table: zone.name.
        lake: folder of the lake.
        from_: first date.
        to: last date.
        columns: names with commas between them.
        version: a version of the table instead of the published one.
        format: how to print; parquet needs --out.
        out: a file to write instead of stdout.
        json: the same as --format json.
    """
    found, _ = opened(lake)
    frame = _rows(found, table, from_, to, version)
    if columns is not None:
        names = [name.strip() for name in columns.split(",")]
        unknown = sorted(set(names) - set(frame.columns))
        if unknown:
            msg = f"{table} has no {unknown}; it has {frame.columns}"
            raise WrongUsage(msg)
        frame = frame.select(names)
    _write(frame, "json" if json else format, out)
    return 0


def _rows(
    lake: Lake, table: str, from_: date | None, to: date | None, version: int | None
) -> pl.DataFrame:
    stored = lake.table(table)
    seen = lake.published().get(table)
    newest = log.newest_version(stored.folder)
    at = version if version is not None else seen.version if seen else newest
    if at is None or (version is None and at < 0):
        return stored.read([])
    if newest is None or not 0 <= at <= newest:
        msg = f"{table} has versions up to {newest}; found --version {at}"
        raise WrongUsage(msg)
    days = Span(from_ or date.min, plus_days(to, 1) if to else date.max)
    return rows_between(lake, table, days, log.map_at(stored.folder, at))


def _write(frame: pl.DataFrame, format: str, out: Path | None) -> None:
    if format == "parquet":
        if out is None:
            msg = "--format parquet: expected --out FILE"
            raise WrongUsage(msg)
        frame.write_parquet(out)
        return
    if format == "csv":
        text = frame.write_csv()
    elif format == "json":
        text = frame.write_json()
    else:
        with pl.Config(tbl_rows=20, tbl_cols=12, tbl_hide_column_data_types=True):
            text = str(frame)
    if out is None:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    else:
        out.write_text(text, encoding="utf-8")


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
