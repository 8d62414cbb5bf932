"""Lines of any source of observations, each one value of one series and period.

One handler for each such source. Its versions are never merged.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Conformed, Spec, handler
from handlers.conform import rules
from handlers.conform.statements import AROUND, BROUGHT, STAGED, fates, judged, staged


@handler(
    each="observations",
    reads={"raw.{source}": AROUND, "raw.decisions": AROUND},
    writes="staging.{source}",
    quarantines="quarantine.{source}",
    spec=("data_sources.{source}", "closures"),
)
def observations(
    lines: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec
) -> Conformed:
    """Return the versions of each series and date, and what was turned away."""
    source = spec.source
    lines = lines.with_columns(raw=pl.lit(source.raw))
    lines = rules.with_decisions(lines, decisions, ("value",))
    said = lines.select(
        "series",
        "date",
        "value",
        "stamp",
        "loaded",
        *BROUGHT,
        "verdict",
        "decided",
        "raw",
        named=pl.col("series") != "",
        written=rules.written(("value",)),
    )
    rows = judged(said, source=source, spec=spec, cell="value")
    standing = rows.filter(pl.col("fate").is_null())
    versions = staged(standing, source=source, spec=spec)
    turned_away = rules.turned_away(rows, key=("series", "date"), content=("written",))
    return Conformed(
        staged=versions.filter(pl.col("first")).select(STAGED),
        quarantined=rules.quarantined(turned_away, about="series"),
        fates=fates(rows, turned_away, versions),
    )
