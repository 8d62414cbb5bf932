"""One bar per symbol and date: the newest correction, rounded to the tick.

A bar seen before its release is unfinished and never staged. A row without prices
stays, as nulls: a session without a settlement is a fact. Where two sources have a bar,
the first to say a cell is believed, cell by cell. It never fills a gap.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Conformed, Spec, Symbol, days, handler
from cbi_stream.kernels.release import released_at
from handlers.conform import rules
from handlers.conform.versions import LINE, ORDER, as_before, runs

_PRICES = ("open", "high", "low", "close")
_COUNTS = ("volume", "open_interest")
_CELLS = (*_PRICES, *_COUNTS)
_KEY = ("symbol", "date")
_NULLS = ("null", "", "N/A", "-")
_OFF_TICK = 0.02
"""How far from a whole number of ticks a price may lie, in ticks."""
_OFF_FLOAT = 2.0**-24
"""And how far besides, of the price: what a provider loses that keeps 32-bit floats."""


@handler(
    reads={"raw.{bars}": days(), "raw.decisions": days()},
    writes="staging.prices",
    quarantines="quarantine.prices",
    spec=("universe", "data_sources.{bars}", "closures"),
)
def prices(
    bars: Mapping[str, pl.DataFrame], decisions: pl.DataFrame, *, spec: Spec
) -> Conformed:
    """Return the standing bar of each symbol and date, and what was turned away."""
    lines = pl.concat([_lines(frame, name, spec) for name, frame in bars.items()])
    lines = lines.join(
        rules.rejected(decisions),
        on=["sha256", "line"],
        how="left",
        maintain_order="left",
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
    return Conformed(
        staged=merged,
        quarantined=rules.quarantined(turned_away, about="symbol"),
        fates=pl.concat(fates),
    )


def _lines(raw: pl.DataFrame, name: str, spec: Spec) -> pl.DataFrame:
    """Return the lines of one source, with when their bar is out and is final."""
    source = spec.sources[name]
    release, final = source.release, source.volume_release
    assert release is not None, "a source of corrections has a release rule"
    return raw.select(
        *_KEY,
        *_CELLS,
        *ORDER,
        "first_seen_at",
        "problem",
        "text",
        "live",
        written=rules.written(_CELLS),
        raw=pl.lit(source.raw),
        source=pl.lit(name),
        priority=pl.lit(source.priority),
        knowable_at=released_at(pl.col("date"), **release.terms(spec.closures)),
        final_at=released_at(pl.col("date"), **(final or release).terms(spec.closures)),
        future=rules.future(source.zone),
    )


def _judged(lines: pl.DataFrame, spec: Spec) -> pl.DataFrame:
    """Return the lines with cells as numbers, and the fate of those that do not stand."""
    symbols = _symbols(lines, spec)
    known = pl.col("symbol").is_in(list(symbols))
    readable = pl.col("problem").is_null()
    usable = (
        lines.filter(readable & known)
        .with_columns(odd=rules.not_numbers(_CELLS, _NULLS))
        .with_columns(garbled=pl.when("odd").then("written"))
    )
    tests = {
        "not_a_number": pl.col("odd"),
        "off_tick": pl.col("off_tick") & ~pl.col("odd"),
        "implausible": pl.col("implausible"),
        "weekend": rules.weekend(),
        "future_date": pl.col("future"),
        "contradicted": pl.col("contradicted"),
        rules.REJECTED: pl.col("decided").is_not_null(),
    }
    priced = _plausible(_on_tick(usable, symbols), symbols)
    judged = rules.with_contradicted(priced, key=_KEY, content=_CELLS).with_columns(
        rules=rules.broken(tests)
    )
    judged = judged.with_columns(
        fate=pl.when(pl.col("rules").is_not_null())
        .then(pl.lit("quarantined"))
        .when(
            (pl.col("as_of") < pl.col("knowable_at")) | pl.col("live").fill_null(False)
        )
        .then(pl.lit("provisional")),
        # Volume is counted after the close: until then the number is not final.
        **{n: pl.when(pl.col("as_of") >= pl.col("final_at")).then(n) for n in _COUNTS},
    )
    rest = lines.filter(~(readable & known)).with_columns(
        *(pl.lit(None, pl.Float64).alias(name) for name in _PRICES),
        **{n: pl.lit(None, pl.Int64) for n in _COUNTS},
        garbled=pl.lit(None, pl.String),
        rules=pl.when(~readable).then(pl.lit(rules.UNREADABLE)),
        fate=pl.when(known).then(pl.lit("quarantined")).otherwise(pl.lit("unused")),
    )
    return pl.concat([judged.select(rest.columns), rest])


def _symbols(lines: pl.DataFrame, spec: Spec) -> dict[str, Symbol]:
    """Return what is known of the symbols of these lines, single contracts among them."""
    found = {
        name: spec.universe.of(name)
        for name in lines["symbol"].drop_nulls().unique().sort()
    }
    return {name: entry for name, entry in found.items() if entry is not None}


def _by_symbol(of: Mapping[str, object], dtype: type[pl.DataType]) -> pl.Expr:
    return pl.col("symbol").replace_strict(
        list(of), list(of.values()), default=None, return_dtype=dtype
    )


def _plausible(lines: pl.DataFrame, symbols: Mapping[str, Symbol]) -> pl.DataFrame:
    """Return the lines with `implausible`: the close cannot be one in this unit.

    What was found then says what was expected. Nothing is ever rescaled.
    """
    low = _by_symbol({n: each.plausible[0] for n, each in symbols.items()}, pl.Float64)
    high = _by_symbol({n: each.plausible[1] for n, each in symbols.items()}, pl.Float64)
    said = {
        n: (
            f"; expected a close of {each.plausible[0]:g} to {each.plausible[1]:g} "
            f"{each.unit}: is the file in another unit?"
        )
        for n, each in symbols.items()
    }
    close = pl.col("close")
    beyond = ((close < low) | (close > high)).fill_null(value=False)
    return lines.with_columns(implausible=beyond).with_columns(
        written=pl.when("implausible")
        .then(pl.concat_str("written", _by_symbol(said, pl.String)))
        .otherwise("written")
    )


def _on_tick(lines: pl.DataFrame, symbols: Mapping[str, Symbol]) -> pl.DataFrame:
    """Return the lines with prices on their tick, and whether one lies off it.

    A price of a symbol without a tick stays the number that was printed.
    """
    numbers = [_number(name).cast(pl.Float64, strict=False) for name in _PRICES]
    printed = lines.select(
        *numbers,
        per_unit=_by_symbol(
            {name: entry.ticks_per_unit for name, entry in symbols.items()}, pl.Float64
        ),
        decimals=_by_symbol(
            {name: entry.decimals for name, entry in symbols.items()}, pl.Int64
        ),
    )
    ticks = printed.with_columns(pl.col(_PRICES) * pl.col("per_unit"))
    off = [
        (pl.col(n) - pl.col(n).round()).abs() > _OFF_TICK + pl.col(n).abs() * _OFF_FLOAT
        for n in _PRICES
    ]
    far = ticks.select(off_tick=pl.any_horizontal(off).fill_null(value=False))
    whole = ticks.select(pl.col(_PRICES).round() / pl.col("per_unit"), "decimals")
    # polars divides by a column that it holds as one value by multiplying with the
    # reciprocal, which may miss the double nearest to the decimal price by one bit.
    # Rounding to the price's decimals gives that double either way.
    kinds = sorted({e.decimals for e in symbols.values() if e.decimals is not None})
    exact = whole.select(
        pl.coalesce(
            [
                pl.when(pl.col("decimals") == kind).then(pl.col(n).round(kind))
                for kind in kinds
            ]
            + [printed[n]]
        ).alias(n)
        for n in _PRICES
    )
    counts = [_number(n).cast(pl.Int64, strict=False) for n in _COUNTS]
    return lines.with_columns(*exact, *far).with_columns(*counts)


def _number(name: str) -> pl.Expr:
    return pl.when(~pl.col(name).is_in(_NULLS)).then(pl.col(name))


def _newest(versions: pl.DataFrame) -> pl.DataFrame:
    """Return the newest version of each source's bar; `mended`: its prices ever moved."""
    first = versions.filter(pl.col("first"))
    moved = as_before(("source", *_KEY)) & ~as_before(_PRICES)
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
        )
    )
    low, high = pl.col("low"), pl.col("high")
    outside = [(pl.col(n) > high) | (pl.col(n) < low) for n in ("open", "close")]
    complete = pl.all_horizontal(pl.col(_PRICES).is_not_null())
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
