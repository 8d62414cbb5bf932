"""CFTC lines, each one market and week: every registered count is an observation.

A series is a contract's code and a measure, `007601.open_interest`. Futures only and
futures with options are never mixed: this reads the first.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Conformed, Spec, days, handler
from handlers.conform import rules
from handlers.conform.statements import BROUGHT, STAGED, fates, judged, staged
from handlers.conform.versions import LINE

_ABOUT = ("contract", "date")


@handler(
    reads={"raw.cftc": days(), "raw.decisions": days()},
    writes="staging.cftc",
    quarantines="quarantine.cftc",
    spec=("data_sources.cftc", "closures"),
)
def cftc(cftc: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec) -> Conformed:
    """Return the versions of each count and week, and what was turned away."""
    source = spec.source
    measures = sorted({name.partition(".")[2] for name in source.series})
    lines = cftc.with_columns(
        raw=pl.lit(source.raw),
        written=rules.written(measures),
        stamp=pl.lit(None, pl.Datetime("us", "UTC")),
        loaded=pl.lit(None, pl.Boolean),
    ).unpivot(
        measures,
        index=[*_ABOUT, *BROUGHT, "raw", "written", "stamp", "loaded"],
        variable_name="measure",
        value_name="count",
    )
    lines = lines.with_columns(
        series=pl.concat_str("contract", pl.lit("."), "measure"),
        named=pl.col("contract") != "",
    )
    rows = judged(lines, decisions, source=source, cell="count")
    versions = staged(rows.filter(pl.col("fate").is_null()), source=source, spec=spec)
    # A line is turned away once, however many of its counts broke a rule.
    turned_away = rules.turned_away(
        rows.sort(*LINE, "series"), key=_ABOUT, content=("series", "written")
    )
    return Conformed(
        staged=versions.filter(pl.col("first")).select(STAGED),
        quarantined=rules.quarantined(
            turned_away.unique(list(LINE), keep="first", maintain_order=True),
            about="contract",
        ),
        fates=fates(rows, turned_away, versions),
    )
