"""Files taken from bytes to staged rows in memory, as the lake would do it.

Nothing is written, and no rule is loosened on the way.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl

from cbi_stream.engine.binding import bound
from cbi_stream.engine.graph import Graph, discover
from cbi_stream.lake.canonical import canonical, schema_of
from cbi_stream.registry import loader
from cbi_stream.registry.loader import Registry
from cbi_stream.registry.spec import Spec
from cbi_stream.shapes.source import Parser
from handlers.conform.counts import counts
from handlers.conform.observations import observations

LATER = datetime(2027, 1, 4, 12, tzinfo=UTC)
"""When everything here is seen, unless said: years late."""


@cache
def registry() -> Registry:
    """Return the project's own registry."""
    return loader.load(Path(__file__).resolve().parents[2] / "registry")


@cache
def graph() -> Graph:
    """Return the project's own handlers and rules."""
    return discover(registry())


def staged(
    parser: Parser, data: bytes, key: str | None = None, *, seen: datetime = LATER
) -> pl.DataFrame:
    """Return the staged rows of one file."""
    entry = registry().data_sources.sources[parser.source]
    contract = registry().contracts[entry.raw]
    told = parser.parse(data, key).with_columns(
        as_of=pl.lit(seen),
        first_seen_at=pl.lit(seen),
        stated=pl.lit(value=False),
        batch=pl.lit(1, pl.Int64),
        sha256=pl.lit("0" * 64),
        parser=pl.lit("p"),
    )
    types = schema_of(contract)
    absent = {n: pl.lit(None, types[n]) for n in types if n not in told.columns}
    frame = canonical(told.with_columns(**absent).select(*types), contract)
    if "stamp" in types:
        stamped = pl.min_horizontal(pl.coalesce("stamp", "as_of"), "as_of")
        frame = frame.with_columns(as_of=stamped)
    conform = counts if entry.shape == "counts" else observations
    decisions = pl.DataFrame(schema=schema_of(registry().contracts["raw.decisions"]))
    names = (f"data_sources.{parser.source}", "closures")
    spec = Spec(registry(), names, bound(registry(), graph().rules, [parser.source]))
    frames = {parser.source: frame, "decisions": decisions}
    out = conform(**frames, spec=spec)
    assert not isinstance(out, pl.DataFrame)
    assert out.fates.height == frame.height, "P5: each line has one fate"
    return canonical(out.staged, registry().contracts[f"staging.{parser.source}"])


def known_at(rows: pl.DataFrame, series: str, day: date) -> Any:
    """Return when the first version of an observation was knowable."""
    (row,) = rows.filter(
        (pl.col("series") == series)
        & (pl.col("date") == day)
        & (pl.col("vintage") == 0)
    ).rows(named=True)
    return row["knowable_at"]
