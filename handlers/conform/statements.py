"""Every version of every observation, with the moment from which it was knowable.

The first version follows the registered release rule, also when it is loaded years
late; where it was seen earlier than the rule says, it was knowable when it was seen.
Where the source stamps its releases, the stamp counts and the rule does not. A
restatement is knowable when it was first seen, or when a person says so; it never
changes what earlier rows could know.
"""

from __future__ import annotations

import polars as pl

from cbi_stream import Source, Spec, days, from_registry
from cbi_stream.kernels.judging import Rows
from cbi_stream.kernels.release import released_at
from handlers.conform import rules
from handlers.conform.versions import LINE, ORDER, runs

_KEY = ("series", "date")
_ROWS = Rows(about="series", key=_KEY, cells=("value",), main="value")
_SAID = (*_KEY, "stamp")
"""What one file says one thing of: a release has its own word on each date."""
AROUND = days(
    back=from_registry("rules.statements_back"),
    ahead=from_registry("rules.statements_ahead"),
)
"""How far rules look: neighbours before a line, and its batch around it."""
NULLS = ("", ".")
"""How a published gap is written."""


def judged(
    lines: pl.DataFrame, *, source: Source, spec: Spec, cell: str
) -> pl.DataFrame:
    """Return the lines with the names of the rules that they break, and their fate.

    Args:
        lines: one row per observation of a line: `series`, `date`, `cell`, `named`
            (whether the line says what it is about), `stamp` and `loaded`, what people
            decided, and the columns that name and order a line.
        source: the source's entry in data_sources.yaml.
        spec: with the rules that hold for its lines.
        cell: the column that holds the value as written.

    Returns:
        The rows with `rules`, `flags`, `expected`, `fate` (null where the line stands)
        and `value`.
    """
    (name,) = spec.sources
    known = pl.col("series").is_in(list(source.series)) | ~pl.col("named")
    readable = pl.col("problem").is_null()
    # A line that cannot be read borrows its date: it contradicts nobody.
    rows = rules.with_unlike(lines, key=(*_SAID, "problem"), content=(cell,))
    number = pl.when(~pl.col(cell).is_in(NULLS)).then(pl.col(cell))
    rows = rows.with_columns(
        value=number.cast(pl.Float64, strict=False),
        numbers=rules.numbers((cell,), NULLS),
        possible_at=rules.possible_at(source.zone, ahead_days=source.ahead_days),
        source=pl.lit(name),
        provider=pl.lit(name),
        provisional=pl.lit(value=False),
    )
    usable = rows.filter(readable & known)
    said = rules.verdicts(
        usable, spec, of=_ROWS, facts=rules.series_facts({name: source})
    )
    nothing = pl.lit(None, pl.String)
    rest = rows.filter(~(readable & known)).with_columns(
        rules=pl.when(known & ~readable).then(pl.lit(rules.UNREADABLE)),
        flags=nothing,
        lost=nothing,
        expected=nothing,
    )
    return pl.concat([said.select(rest.columns), rest]).with_columns(
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
    versions = runs(_with_terms(standing, source, spec), key=_KEY, content=("value",))
    # Of the first version the earlier counts: the rule, or the day on which it was seen.
    # A stamp knows better than the rule; one of a bulk load knows nothing.
    stamped = pl.col("stamp").is_not_null() & ~pl.col("loaded").fill_null(value=False)
    unknown = (pl.col("vintage") == 0) & ~stamped
    by_rule = unknown & (pl.col("released") <= pl.col("as_of"))
    seen = pl.when("stated").then(pl.lit("stated")).otherwise(pl.lit("sight"))
    return versions.with_columns(
        knowable_at=pl.when(by_rule).then("released").otherwise("as_of"),
        basis=pl.when(by_rule)
        .then(pl.lit("rule"))
        .when(stamped)
        .then(pl.lit("stamp"))
        .otherwise(seen),
    )


def _with_terms(standing: pl.DataFrame, source: Source, spec: Spec) -> pl.DataFrame:
    """Return the rows with the unit, the grade and the release rule of their series.

    Series that share all three are treated at once: a source may have hundreds.
    """
    alike: dict[str, list[str]] = {}
    for name, entry in source.series.items():
        rule = source.release_of(name)
        terms = (entry.unit, entry.pit_grade, rule and rule.model_dump_json())
        alike.setdefault(str(terms), []).append(name)
    parts = []
    for names in alike.values():
        entry, rule = source.series[names[0]], source.release_of(names[0])
        assert rule is not None, "the registry was loaded: every series has a rule"
        part = standing.filter(pl.col("series").is_in(names))
        parts.append(
            part.with_columns(
                released=released_at(pl.col("date"), **rule.terms(spec.closures)),
                unit=pl.lit(entry.unit),
                pit_grade=pl.lit(entry.pit_grade),
            )
        )
    return pl.concat(parts)


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
    "basis", "pit_grade", "flags",
)  # fmt: skip
"""The columns of a staging table of observations."""
BROUGHT = (*ORDER, "stated", "first_seen_at", "problem", "text")
"""What a line brings along besides what it says."""
