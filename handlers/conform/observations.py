"""Every version of every observation, with the moment from which it was knowable.

The first version follows the registered release rule, also when it is loaded years
late; where it was seen earlier than the rule says, it was knowable when it was seen. A
restatement is knowable when it was first seen, or when a person says so; it never
changes what earlier rows could know.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Source, Spec
from cbi_stream.kernels.release import released_at
from handlers.conform import rules
from handlers.conform.versions import LINE, ORDER, runs

_KEY = ("series", "date")
NULLS = ("", ".")
"""How a published gap is written."""


def judged(
    lines: pl.DataFrame, decisions: pl.DataFrame, *, source: Source, cell: str
) -> pl.DataFrame:
    """Return the lines with the names of the rules that they break, and their fate.

    Args:
        lines: one row per observation of a line: `series`, `date`, `cell`, `named`
            (whether the line says what it is about), `written`, and the columns that
            name and order a line.
        decisions: raw.decisions of these dates.
        source: the source's entry in data_sources.yaml.
        cell: the column that holds the value as written.

    Returns:
        The rows with `rules`, `fate` (null where the line stands) and `value`.
    """
    rejected = rules.rejected(decisions)
    known = pl.col("series").is_in(list(source.series)) | ~pl.col("named")
    readable = pl.col("problem").is_null()
    rows = lines.join(
        rejected, on=["sha256", "line"], how="left", maintain_order="left"
    )
    # A line that cannot be read borrows its date: it contradicts nobody.
    rows = rules.with_contradicted(rows, key=(*_KEY, "problem"), content=(cell,))
    tests = {
        rules.UNREADABLE: ~readable,
        "not_a_number": readable & rules.not_numbers((cell,), NULLS),
        "future_date": readable & rules.future(source.zone),
        "contradicted": readable & pl.col("contradicted"),
        rules.REJECTED: pl.col("decided").is_not_null(),
    }
    number = pl.when(~pl.col(cell).is_in(NULLS)).then(pl.col(cell))
    return rows.with_columns(
        rules=pl.when(known).then(rules.broken(tests)),
        value=number.cast(pl.Float64, strict=False),
    ).with_columns(
        fate=pl.when(~known)
        .then(pl.lit("unused"))
        .when(pl.col("rules").is_not_null())
        .then(pl.lit("quarantined")),
    )


def staged(standing: pl.DataFrame, *, source: Source, spec: Spec) -> pl.DataFrame:
    """Return all rows that stand, with their version and when it was knowable.

    Args:
        standing: the rows of `judged` without a fate.
        source: the source's entry in data_sources.yaml.
        spec: with closures.yaml.

    Returns:
        The rows with the columns of a staging table, and `first`: whether the row is
        the first to say what it says.
    """
    parts = [
        standing.filter(pl.col("series") == name).with_columns(
            released=released_at(pl.col("date"), **rule.terms(spec.closures)),
            unit=pl.lit(entry.unit),
            pit_grade=pl.lit(entry.pit_grade),
        )
        for name, entry in source.series.items()
        if (rule := source.release_of(name)) is not None
    ]
    versions = runs(pl.concat(parts), key=_KEY, content=("value",))
    # Of the first version the earlier counts: the rule, or the day on which it was seen.
    by_rule = (pl.col("vintage") == 0) & (pl.col("released") <= pl.col("as_of"))
    seen = pl.when("stated").then(pl.lit("stated")).otherwise(pl.lit("sight"))
    return versions.with_columns(
        knowable_at=pl.when(by_rule).then("released").otherwise("as_of"),
        basis=pl.when(by_rule).then(pl.lit("rule")).otherwise(seen),
    )


def fates(
    rows: pl.DataFrame, turned_away: pl.DataFrame, versions: pl.DataFrame
) -> pl.DataFrame:
    """Return what became of each line; of several observations the best of their fates.

    Args:
        rows: what `judged` gave.
        turned_away: what `rules.turned_away` made of them.
        versions: what `staged` gave.
    """
    said = pl.when("first").then(pl.lit("staged")).otherwise(pl.lit("duplicate"))
    each = pl.concat(
        [
            rows.filter(pl.col("fate") == "unused").select(*LINE, "fate"),
            turned_away.select(*LINE, "fate"),
            versions.select(*LINE, fate=said),
        ]
    )
    rank = {"staged": 0, "quarantined": 1, "duplicate": 2, "unused": 3}
    order = pl.col("fate").replace_strict(rank, return_dtype=pl.Int64)
    return (
        each.with_columns(rank=order)
        .sort("rank")
        .unique(list(LINE), keep="first", maintain_order=True)
        .select(*LINE, "fate")
    )


STAGED = (
    "series", "date", "vintage", "value", "unit", "knowable_at", "first_seen_at",
    "basis", "pit_grade",
)  # fmt: skip
"""The columns of a staging table of observations."""
BROUGHT = (*ORDER, "stated", "first_seen_at", "problem", "text")
"""What a line brings along besides what it says."""
