"""One bar per symbol and date: the newest correction, rounded to the tick.

A bar seen before its release is unfinished and never staged. A row without prices
stays, as nulls: a session without a settlement is a fact. Where two sources have a bar,
the first to say a cell is believed, cell by cell. It never fills a gap.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Conformed, Spec, days, from_registry, handler
from cbi_stream.kernels.judging import Rows
from cbi_stream.kernels.release import released_at
from handlers.conform import rules
from handlers.conform.symbols import (
    COUNTS,
    NULLS,
    PRICES,
    facts_of,
    on_tick,
    symbols_of,
    with_facts,
)
from handlers.conform.versions import LINE, ORDER, as_before, runs

_CELLS = (*PRICES, *COUNTS)
_KEY = ("symbol", "date")
_QUARANTINED = ("date", "raw", "sha256", "line", "as_of")


_AROUND = days(
    back=from_registry("rules.bars_back"), ahead=from_registry("rules.bars_ahead")
)
"""How far rules look: neighbours before a bar, and its batch around it."""
_ROWS = Rows(
    about="symbol",
    key=_KEY,
    cells=_CELLS,
    main="close",
    bar=("open", "high", "low", "close", "volume"),
)


@handler(
    reads={"raw.{bars}": _AROUND, "raw.decisions": _AROUND},
    writes="staging.prices",
    quarantines="quarantine.prices",
    spec=("universe", "data_sources.{bars}", "closures"),
)
def prices(
    bars: Mapping[str, pl.DataFrame], decisions: pl.DataFrame, *, spec: Spec
) -> Conformed:
    """Return the standing bar of each symbol and date, and what was turned away."""
    lines = pl.concat(
        [_lines(frame, name, spec, decisions) for name, frame in bars.items()]
    )
    judged = _judged(lines, spec)
    standing, quarantined = (
        pl.col("fate").is_null(),
        pl.col("fate").eq_missing(pl.lit("quarantined")),
    )
    versions = runs(
        judged.filter(standing),
        key=("source", *_KEY),
        content=_CELLS,
    )
    newest = _newest(versions)
    merged = _merged(newest)
    turned_away = rules.turned_away(judged, key=_KEY, content=(*_CELLS, "garbled"))
    fates = [
        judged.filter(~standing & ~quarantined).select(*LINE, "fate"),
        turned_away.select(*LINE, "fate"),
        _fates(versions, newest, merged),
    ]
    cells = _cells_turned_away(versions)
    return Conformed(
        staged=merged,
        quarantined=rules.quarantined(
            pl.concat([turned_away, cells.select(turned_away.columns)]), about="symbol"
        ).sort(*_QUARANTINED),
        fates=pl.concat(fates),
    )


def _lines(
    raw: pl.DataFrame, name: str, spec: Spec, decisions: pl.DataFrame
) -> pl.DataFrame:
    """Return the lines of one source, with when their bar is out and is final."""
    source = spec.sources[name]
    release, final = source.release, source.volume_release
    assert release is not None, "a source of corrections has a release rule"
    rows = raw.select(
        *_KEY,
        *_CELLS,
        *ORDER,
        "first_seen_at",
        "problem",
        "text",
        "live",
        raw=pl.lit(source.raw),
        source=pl.lit(name),
        provider=pl.lit(source.provider or name),
        priority=pl.lit(source.priority),
        knowable_at=released_at(pl.col("date"), **release.terms(spec.closures)),
        final_at=released_at(pl.col("date"), **(final or release).terms(spec.closures)),
        possible_at=rules.possible_at(source.zone),
    )
    rows = rules.with_decisions(rows, decisions, _CELLS)
    return rows.with_columns(written=rules.written(_CELLS))


def _judged(lines: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Return the lines with cells as numbers, and the fate of those that do not stand."""
    symbols = symbols_of(lines, spec)
    known = pl.col("symbol").is_in(list(symbols))
    readable = pl.col("problem").is_null()
    early = (pl.col("as_of") < pl.col("knowable_at")) | pl.col("live").fill_null(False)
    usable = (
        lines.filter(readable & known)
        .with_columns(numbers=rules.numbers(_CELLS, NULLS), provisional=early)
        .with_columns(garbled=pl.when(~pl.col("numbers")).then("written"))
    )
    priced = with_facts(on_tick(usable, symbols), symbols, spec)
    unlike = rules.with_unlike(priced, key=_KEY, content=_CELLS)
    told = rules.verdicts(unlike, spec, of=_ROWS, facts=facts_of(spec, symbols))
    judged = told.with_columns(
        fate=pl.when(pl.col("rules").is_not_null() & pl.col("lost").is_null())
        .then(pl.lit("quarantined"))
        .when("provisional")
        .then(pl.lit("provisional")),
        # Volume is counted after the close: until then the number is not final.
        **{n: pl.when(pl.col("as_of") >= pl.col("final_at")).then(n) for n in COUNTS},
    )
    rest = lines.filter(~(readable & known)).with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in PRICES),
        **{n: pl.lit(None, pl.Int64) for n in COUNTS},
        **{
            n: pl.lit(None, pl.String) for n in ("garbled", "flags", "lost", "expected")
        },
        rules=pl.when(~readable).then(pl.lit(rules.UNREADABLE)),
        fate=pl.when(known).then(pl.lit("quarantined")).otherwise(pl.lit("unused")),
    )
    return pl.concat([judged.select(rest.columns), rest])


def _cells_turned_away(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the lines that stand without a cell, each said once, for the quarantine."""
    said = ["raw", *_KEY, "written", "rules"]
    return (
        versions.filter(pl.col("lost").is_not_null())
        .with_columns(first_seen_at=pl.col("first_seen_at").min().over(said))
        .unique(said, keep="first", maintain_order=True)
        .with_columns(fate=pl.lit("quarantined"))
    )


def _newest(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the newest version of each source's bar; `mended`: its prices ever moved."""
    first = versions.filter(pl.col("first"))
    moved = as_before(("source", *_KEY)) & ~as_before(PRICES)
    return (
        first.with_columns(mended=moved.fill_null(value=False))
        .group_by("source", *_KEY, maintain_order=True)
        .agg(pl.exclude("mended").last(), pl.col("mended").any())
    )


def _merged(newest: pl.DataFrame) -> pl.DataFrame:
    """Return one bar per symbol and date out of those of all sources."""
    ordered = newest.sort(*_KEY, "priority")
    cells = ordered.group_by(_KEY, maintain_order=True).agg(
        pl.col(_CELLS).drop_nulls().first(), pl.col("knowable_at").first()
    )
    # Whoever says the same close stands behind the bar, whatever the precedence: where
    # sources agree, exchanging them changes nothing.
    behind = (
        newest.join(cells.select(*_KEY, staged="close"), on=_KEY)
        .filter(pl.col("close").eq_missing(pl.col("staged")))
        .sort(*_KEY, "source")
        .group_by(_KEY, maintain_order=True)
        .agg(
            pl.col("source").str.join("+"),
            pl.col("first_seen_at").min(),
            pl.col("mended").any(),
            pl.col("flags").drop_nulls().str.join(","),
        )
    )
    low, high = pl.col("low"), pl.col("high")
    outside = [(pl.col(n) > high) | (pl.col(n) < low) for n in ("open", "close")]
    complete = pl.all_horizontal(pl.col(PRICES).is_not_null())
    return cells.join(behind, on=_KEY, maintain_order="left").select(
        *_KEY,
        *_CELLS,
        "knowable_at",
        "first_seen_at",
        "source",
        ohlc_breach=pl.when(complete).then(pl.any_horizontal(outside)),
        # The world could know the price when the first record of it could be known:
        # a correction mends our record, not the past.
        basis=pl.when("mended").then(pl.lit("correction")).otherwise(pl.lit("rule")),
        flags=pl.when(pl.col("flags") != "").then(
            pl.col("flags").str.split(",").list.unique().list.sort().list.join(",")
        ),
    )


def _fates(
    versions: pl.DataFrame, newest: pl.DataFrame, bars: pl.DataFrame
) -> pl.DataFrame:
    """Return what became of the lines that broke no rule and were final."""
    stands = newest.select("source", *_KEY, newest="vintage").join(
        bars.select(*_KEY, staged="close"), on=_KEY
    )
    there = versions.join(stands, on=["source", *_KEY], how="left")
    is_newest = pl.col("vintage") == pl.col("newest")
    behind = is_newest & pl.col("close").eq_missing(pl.col("staged"))
    return there.select(
        *LINE,
        fate=pl.when(~pl.col("first"))
        .then(pl.lit("duplicate"))
        .when(behind)
        .then(pl.lit("staged"))
        .otherwise(pl.lit("superseded")),
    )
