"""Every version of every FRED observation, with the moment it became knowable.

The first version follows the registered release rule, also when it is loaded years
late. A restatement is knowable when it was first seen, or when a person says so; it
never changes what earlier rows could know.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, days, handler
from cbi_stream.kernels.release import released_at
from handlers.conform.versions import distinct, standing


@handler(
    reads={"raw.fred": days(), "raw.decisions": days()},
    writes="staging.fred",
    spec=("data_sources",),
)
def fred(fred: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return the versions of each series and date."""
    lines = standing(fred, decisions)
    parts = [
        lines.filter(pl.col("series") == name).with_columns(
            released=released_at(pl.col("date"), **entry.release.terms),
            unit=pl.lit(entry.unit),
            pit_grade=pl.lit(entry.pit_grade),
        )
        for name, entry in spec.data_sources.sources["fred"].series.items()
    ]
    known = pl.concat(parts).filter(pl.col("as_of") >= pl.col("released"))
    known = known.with_columns(
        pl.when(~pl.col("value").is_in(["", "."]))
        .then(pl.col("value"))
        .cast(pl.Float64)
        .alias("value")
    )
    versions = distinct(known, key=("series", "date"), content=("value",))
    first = pl.col("vintage") == 0
    seen = pl.when(pl.col("stated")).then(pl.lit("stated")).otherwise(pl.lit("sight"))
    return versions.select(
        "series",
        "date",
        "vintage",
        "value",
        "unit",
        "first_seen_at",
        "pit_grade",
        knowable_at=pl.when(first).then("released").otherwise("as_of"),
        basis=pl.when(first).then(pl.lit("rule")).otherwise(seen),
    )
