"""The verb `read`: the rows of any table, as they are or as they would have been.

It prints or writes them, takes no lock, and changes nothing in the lake.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from cyclopts import Parameter

from cbi_stream.cli import show
from cbi_stream.cli.opening import DEFAULT_LAKE, AsJson, LakeFolder, opened
from cbi_stream.engine import asof
from cbi_stream.engine.graph import Graph
from cbi_stream.engine.slices import decision_time, rows_between
from cbi_stream.engine.story import published
from cbi_stream.lake import log
from cbi_stream.lake.lake import Lake
from cbi_stream.words.errors import WrongUsage
from cbi_stream.words.span import Span, plus_days

_FORMULA = r"^[\s\p{Cf}]*[=+\-@\t\r]"
"""How a cell begins that a spreadsheet may run; blanks before it do not help."""
_NUMBER = r"^[+-]?[0-9]+(\.[0-9]+)?$"


def read(
    table: str,
    *,
    lake: LakeFolder = DEFAULT_LAKE,
    from_: Annotated[date | None, Parameter(name="--from")] = None,
    to: date | None = None,
    columns: str | None = None,
    as_of: str | None = None,
    as_seen: str | None = None,
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
        as_of: what the world knew, e.g. 2022-06-01 or 2022-06-01T18:00-05:00.
        as_seen: what this lake held, though the world knew more.
        version: a version of the table instead of the published one.
        format: how to print; parquet needs --out.
        out: a file to write instead of stdout.
        json: the same as --format json.
    """
    found, graph = opened(lake)
    days = Span(from_ or date.min, plus_days(to, 1) if to else date.max)
    if as_of is None and as_seen is None:
        frame = _rows(found, table, days, version)
    elif version is None:
        frame = _rows_then(found, graph, table, days, as_of=as_of, as_seen=as_seen)
    else:
        msg = "expected --version, or --as-of and --as-seen; found both"
        raise WrongUsage(msg)
    if columns is not None:
        names = [name.strip() for name in columns.split(",")]
        unknown = sorted(set(names) - set(frame.columns))
        if unknown:
            msg = f"{table} has no {unknown}; it has {frame.columns}"
            raise WrongUsage(msg)
        frame = frame.select(names)
    for line in _held(found, table, days):
        show.note(show.plain(line))
    _write(frame, "json" if json else format, out)
    return 0


def _held(lake: Lake, table: str, days: Span) -> Iterator[str]:
    """Yield which partitions of these dates are held, or were made from held content."""
    grain = lake.table(table).contract.grain
    carried: set[str] = set()
    for name, entry in sorted(published(lake, table)[1].partitions.items()):
        if not grain.span(name).intersects(days):
            continue
        carried.update(entry.carried)
        if entry.state == "held":
            yield f"held: {table}/{name}: {entry.error}; these rows are the last good ones"
    if carried:
        yield f"computed from what is served of held partitions: {', '.join(sorted(carried))}"


def _rows_then(
    lake: Lake,
    graph: Graph,
    table: str,
    days: Span,
    *,
    as_of: str | None,
    as_seen: str | None,
) -> pl.DataFrame:
    """Return the rows as they would have been at a time."""
    lake.table(table)
    return asof.rows(
        lake,
        graph,
        table,
        days,
        as_of=_instant(lake, "--as-of", as_of),
        as_seen=_instant(lake, "--as-seen", as_seen),
    )


def _instant(lake: Lake, flag: str, text: str | None) -> datetime | None:
    """Return the instant that a time means; a date means its decision time.

    Raises:
        WrongUsage: it is neither a date nor a time with its zone.
    """
    if text is None:
        return None
    file = lake.registry.sessions_file
    try:
        if len(text) == len("2022-06-01"):
            return decision_time(file, Span.day(date.fromisoformat(text)))
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        msg = (
            f"{flag}: expected a date, or a time with its zone like "
            f"2022-06-01T18:00-05:00; found {text!r}"
        )
        raise WrongUsage(msg)
    return instant.astimezone(UTC)


def _rows(lake: Lake, table: str, days: Span, version: int | None) -> pl.DataFrame:
    stored = lake.table(table)
    seen = lake.published().get(table)
    newest = log.newest_version(stored.folder)
    at = version if version is not None else seen.version if seen else newest
    if at is None or (version is None and at < 0):
        return stored.read([])
    if newest is None or not 0 <= at <= newest:
        msg = f"{table} has versions up to {newest}; found --version {at}"
        raise WrongUsage(msg)
    return rows_between(lake, table, days, log.map_at(stored.folder, at))


def inert(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows whose text no spreadsheet runs as a formula when it opens the file.

    A cell of text that begins as a formula does gets an apostrophe before it, which a
    spreadsheet takes for "this is text". A number with its sign stays a number.
    """
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    return frame.with_columns(
        pl.when(
            pl.col(name).str.contains(_FORMULA) & ~pl.col(name).str.contains(_NUMBER)
        )
        .then(pl.concat_str(pl.lit("'"), pl.col(name)))
        .otherwise(pl.col(name))
        .alias(name)
        for name in texts
    )


def _quiet(frame: pl.DataFrame) -> pl.DataFrame:
    """Return rows for a terminal: nothing in their text can move its cursor."""
    return frame.with_columns(
        pl.col(pl.String).str.replace_all(
            r"[\p{C}\p{Zl}\p{Zp}]", "\N{REPLACEMENT CHARACTER}"
        )
    )


def _write(frame: pl.DataFrame, format: str, out: Path | None) -> None:
    if format == "parquet":
        if out is None:
            msg = "--format parquet: expected --out FILE"
            raise WrongUsage(msg)
        frame.write_parquet(out)
        return
    if format == "csv":
        text = inert(frame).write_csv()
    elif format == "json":
        text = frame.write_json()
    else:
        with pl.Config(tbl_rows=20, tbl_cols=12, tbl_hide_column_data_types=True):
            text = str(_quiet(frame))
    if out is None:
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")
    else:
        out.write_text(text, encoding="utf-8")
