"""Events of all sources of events: every version of each, and when it was knowable.

An event is dated by the day on which it was announced, so that a correction of what it
says never moves it. A version is never overwritten, and none is merged with another.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Conformed, Spec, days, handler
from cbi_stream.kernels.judging import Rows
from handlers.conform import rules
from handlers.conform.statements import BROUGHT, fates
from handlers.conform.versions import as_before, runs

_KEY = ("event", "topic", "date")
_TOLD = (
    "kind", "form", "jurisdiction", "counterparty", "product", "summary", "citation",
    "corrects",
)  # fmt: skip
_CELLS = ("effective_on", *_TOLD, "rate_percent")
_CONTENT = ("stamp", "effective_at", *_TOLD, "rate")
_DAY = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_ROWS = Rows(about="topic", key=_KEY, cells=("rate",), main="rate")


@handler(
    reads={"raw.{events}": days(), "raw.decisions": days()},
    writes="staging.events",
    quarantines="quarantine.events",
    spec=("data_sources.{events}",),
)
def events(
    events: Mapping[str, pl.DataFrame], decisions: pl.DataFrame, *, spec: Spec
) -> Conformed:
    """Return the versions of each event, and what was turned away."""
    lines = pl.concat([_lines(frame, name, spec) for name, frame in events.items()])
    rows = _judged(lines, decisions, spec)
    turned_away = rules.turned_away(rows, key=_KEY, content=("written",))
    versions = _versions(rows.filter(pl.col("fate").is_null()))
    return Conformed(
        staged=versions.filter(pl.col("first")).select(_STAGED),
        quarantined=rules.quarantined(turned_away, about="event"),
        fates=fates(rows, turned_away, versions),
    )


def _lines(raw: pl.DataFrame, name: str, spec: Spec) -> pl.DataFrame:
    """Return the lines of one source; empty cells are none."""
    source = spec.sources[name]
    empty = [
        pl.when(pl.col(n).str.strip_chars() != "").then(n).alias(n) for n in _CELLS
    ]
    return raw.select(
        *_KEY,
        *_CELLS,
        "stamp",
        *BROUGHT,
        raw=pl.lit(source.raw),
        source=pl.lit(name),
        known=pl.col("topic").is_in(list(source.series)),
    ).with_columns(*empty)


def _judged(lines: pl.DataFrame, decisions: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Return the lines with their day and rate, the rules they break, and their fate."""
    rows = rules.with_decisions(lines, decisions, _CELLS)
    rows = rules.with_unlike(rows, key=(*_KEY, "stamp", "problem"), content=_CELLS)
    day = pl.when(pl.col("effective_on").str.contains(_DAY)).then("effective_on")
    rows = rows.with_columns(
        written=rules.written(_CELLS),
        effective_at=day.str.to_date("%Y-%m-%d", strict=False),
        rate=pl.col("rate_percent").cast(pl.Float64, strict=False),
        numbers=rules.numbers(("rate_percent",), ()),
        provider="source",
        provisional=pl.lit(value=False),
    )
    readable = pl.col("problem").is_null()
    known = pl.col("known") | ~readable
    usable = rows.filter(readable & known)
    said = rules.verdicts(
        usable, spec, of=_ROWS, facts=rules.series_facts(spec.sources)
    )
    nothing = pl.lit(None, pl.String)
    rest = rows.filter(~(readable & known)).with_columns(
        rules=pl.when(~readable).then(pl.lit(rules.UNREADABLE)),
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


def _versions(standing: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that stand, numbered, with when each version was knowable."""
    versions = runs(standing, key=_KEY, content=_CONTENT)
    # What replaces a word of the same announcement mends our record: who looked before
    # we saw that could not know it.
    mended = as_before((*_KEY, "stamp")) & (pl.col("vintage") > 0)
    seen_first = mended.fill_null(value=False)
    on_time = ~seen_first & (pl.col("as_of") == pl.col("stamp"))
    return versions.with_columns(
        announced_at="stamp",
        rate_percent="rate",
        knowable_at=pl.when(seen_first).then("first_seen_at").otherwise("as_of"),
        basis=pl.when(on_time).then(pl.lit("stamp")).otherwise(pl.lit("sight")),
    )


_STAGED = (
    *_KEY, "vintage", "announced_at", "effective_at", *_TOLD, "rate_percent", "source",
    "knowable_at", "first_seen_at", "basis", "flags",
)  # fmt: skip
