"""The verb `quarantine list`: every line and every file that was turned away, and why.

It looks at what readers see, and never decides about a line.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import intake, show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.engine import story
from cbi_stream.engine.slices import rows_between
from cbi_stream.lake import decisions
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.span import Span, plus_days

_MOST = 50
_ZONE = "quarantine."
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "date": pl.Date,
    "about": pl.String,
    "rules": pl.String,
    "found": pl.String,
    "raw": pl.String,
    "sha256": pl.String,
    "line": pl.Int64,
    "as_of": pl.Datetime("us", "UTC"),
    "first_seen_at": pl.Datetime("us", "UTC"),
    "table": pl.String,
}


def quarantine_list(
    *,
    table: str | None = None,
    rule: str | None = None,
    from_: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    file: str | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    lake: LakeFolder = DEFAULT_LAKE,
    json: AsJson = False,
) -> int:
    """List the lines and files that were turned away, newest date first.

    Args:
        table: a subject, such as prices.
        rule: only lines that broke this rule.
        from_: first date.
        to: last date.
        file: the sha256 of a file, or its beginning.
        all_: print every line, not the first 50.
        lake: folder of the lake.
        json: print one JSON object; it always has every line.
    """
    found, _ = opened(lake)
    days = Span(from_ or date.min, plus_days(to, 1) if to else date.max)
    lines = _lines(found, table, days)
    if rule is not None:
        lines = lines.filter(pl.col("rules").str.split(",").list.contains(rule))
    files = intake.quarantined(found)
    if file is not None:
        lines = lines.filter(pl.col("sha256").str.starts_with(file))
        files = [each for each in files if str(each["sha256"]).startswith(file)]
    lines = lines.sort("date", "first_seen_at", "sha256", "line", descending=True)
    if json:
        plain = [*_plain(found, lines)]
        show.as_json({"kind": found.kind, "lines": plain, "files": files})
        return 0
    _print(found, lines, files, most=None if all_ else _MOST)
    return 0


def _lines(lake: Lake, subject: str | None, days: Span) -> pl.DataFrame:
    """Return the rows of all quarantine tables, with one column for what they are about.

    Raises:
        WrongUsage: no quarantine has that subject.
    """
    tables = sorted(t for t in lake.registry.contracts if t.startswith(_ZONE))
    if subject is not None:
        wanted = _ZONE + subject.rpartition(".")[2]
        if wanted not in tables:
            known = ", ".join(t.removeprefix(_ZONE) for t in tables)
            msg = f"--table: expected one of {known}; found {subject!r}"
            raise WrongUsage(msg)
        tables = [wanted]
    parts = [pl.DataFrame(schema=_SCHEMA)]
    for name in tables:
        about = story.about_of(lake.table(name).contract)
        rows = rows_between(lake, name, days, story.published(lake, name)[1])
        told = rows.with_columns(
            about=pl.col(about) if about else pl.lit(None, pl.String),
            table=pl.lit(name),
        )
        parts.append(told.select(list(_SCHEMA)))
    return pl.concat(parts)


def _plain(lake: Lake, lines: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the lines as plain values, each with what people decided about it."""
    current = story.published(lake, decisions.TABLE)[1]
    said: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for row in rows_between(lake, decisions.TABLE, Span.all(), current).to_dicts():
        said.setdefault((row["sha256"], row["line"]), []).append(row)
    return [
        {**row, "decisions": said.get((row["sha256"], row["line"]), [])}
        for row in lines.to_dicts()
    ]


def _print(
    lake: Lake, lines: pl.DataFrame, files: list[dict[str, Any]], most: int | None
) -> None:
    title = f"{lines.height} lines in quarantine ({lake.kind} lake: {lake.folder})"
    if not lines.height:
        print(title)
    broken = lines.select("raw", rule=pl.col("rules").str.split(",")).explode("rule")
    counts = broken.group_by("rule", "raw").len("lines")
    shown = lines if most is None else lines.head(most)
    if lines.height:
        order = counts.sort("lines", "rule", "raw", descending=[True, False, False])
        show.table(title, ["rule", "from", "lines"], order.rows())
        rows = shown.select(
            "date",
            "about",
            "raw",
            pl.col("sha256").str.head(8),
            "line",
            "rules",
            "found",
        )
        columns = ["date", "about", "from", "file", "line", "rules", "found"]
        show.table("lines", columns, rows.rows())
        show.note(
            "a line's story: cbi why RAW DATE; decide: cbi quarantine reject or "
            'withdraw FILE LINE --note "..."'
        )
    if shown.height < lines.height:
        show.note(f"these are {shown.height} of {lines.height}: all of them with --all")
    for each in files:
        sha256, mend = str(each["sha256"])[:8], each["mend"] or "no mend is known"
        told = f"whole file {each['file']} ({sha256}): {each['reason']}. {mend}"
        print(show.plain(told))
