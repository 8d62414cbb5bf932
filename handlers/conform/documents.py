"""How many documents of each topic the Federal Register published on a day.

It counts what staging.events holds, once each; it never puts a zero where no document
was seen, because nobody can tell such a day from one that was not asked for.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Spec, days, handler

_SOURCE = "federal_register"


@handler(
    reads={"staging.events": days()},
    writes="staging.documents",
    spec=(f"data_sources.{_SOURCE}",),
)
def documents(events: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return one row for each topic and day with documents."""
    topics = spec.source.series
    units = {name: entry.unit for name, entry in topics.items()}
    grades = {name: entry.pit_grade for name, entry in topics.items()}
    mine = events.filter(
        (pl.col("source") == _SOURCE)
        & (pl.col("vintage") == 0)
        & pl.col("topic").is_in(list(topics))
    )
    on_time = (pl.col("basis") == "stamp").all()
    counted = mine.group_by("topic", "date", maintain_order=True).agg(
        value=pl.col("event").n_unique().cast(pl.Float64),
        knowable_at=pl.col("knowable_at").max(),
        first_seen_at=pl.col("first_seen_at").max(),
        basis=pl.when(on_time).then(pl.lit("stamp")).otherwise(pl.lit("sight")),
    )
    series = pl.col("topic")
    return counted.select(
        "date",
        "value",
        "knowable_at",
        "first_seen_at",
        "basis",
        series=series,
        vintage=pl.lit(0, pl.Int64),
        unit=series.replace_strict(units, return_dtype=pl.String),
        pit_grade=series.replace_strict(grades, return_dtype=pl.String),
    )
