"""FRED lines, each one observation of one series. Its versions are never merged."""

from __future__ import annotations

import polars as pl

from cbi_stream import Conformed, Spec, days, handler
from handlers.conform import rules
from handlers.conform.observations import BROUGHT, STAGED, fates, judged, staged


@handler(
    reads={"raw.fred": days(), "raw.decisions": days()},
    writes="staging.fred",
    quarantines="quarantine.fred",
    spec=("data_sources", "closures"),
)
def fred(fred: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec) -> Conformed:
    """Return the versions of each series and date, and what was turned away."""
    source = spec.data_sources.sources["fred"]
    lines = fred.select(
        "series",
        "date",
        "value",
        *BROUGHT,
        raw=pl.lit(source.raw),
        named=pl.lit(value=True),
        written=rules.written(("value",)),
    )
    rows = judged(lines, decisions, source=source, cell="value")
    standing = rows.filter(pl.col("fate").is_null())
    versions = staged(standing, source=source, spec=spec)
    turned_away = rules.turned_away(rows, key=("series", "date"), content=("written",))
    return Conformed(
        staged=versions.filter(pl.col("first")).select(STAGED),
        quarantined=rules.quarantined(turned_away, about="series"),
        fates=fates(rows, turned_away, versions),
    )
