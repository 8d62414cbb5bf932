"""Events of all sources of events: every version of each, and when it was knowable.

An event is dated by the day on which it was announced, so that a correction of what it
says never moves it. A version is never overwritten, and none is merged with another.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Conformed, Spec, days, handler
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
_EARLY = pl.duration(days=1)
"""An edition may be seen some hours before it counts as published."""


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
    rows = _judged(lines, decisions)
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


def _judged(lines: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """Return the lines with their day and rate, the rules they break, and their fate."""
    rejected = rules.rejected(decisions)
    rows = lines.join(
        rejected, on=["sha256", "line"], how="left", maintain_order="left"
    )
    rows = rules.with_contradicted(
        rows, key=(*_KEY, "stamp", "problem"), content=_CELLS
    )
    readable = pl.col("problem").is_null()
    day = pl.when(pl.col("effective_on").str.contains(_DAY)).then("effective_on")
    rows = rows.with_columns(
        written=rules.written(_CELLS),
        effective_at=day.str.to_date("%Y-%m-%d", strict=False),
    )
    tests = {
        rules.UNREADABLE: ~readable,
        "not_announced": readable & pl.col("stamp").is_null(),
        "future_announcement": readable
        & (pl.col("stamp") > pl.col("first_seen_at") + _EARLY).fill_null(value=False),
        "not_a_date": readable
        & pl.col("effective_on").is_not_null()
        & pl.col("effective_at").is_null(),
        "not_a_number": readable & rules.not_numbers(("rate_percent",), ()),
        "no_kind": readable & pl.col("kind").is_null(),
        "uncited": readable & pl.col("citation").is_null(),
        "contradicted": readable & pl.col("contradicted"),
        rules.REJECTED: pl.col("decided").is_not_null(),
    }
    known = pl.col("known") | ~readable
    return rows.with_columns(
        rules=pl.when(known).then(rules.broken(tests)),
        rate=pl.col("rate_percent").cast(pl.Float64, strict=False),
    ).with_columns(
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
    "knowable_at", "first_seen_at", "basis",
)  # fmt: skip
