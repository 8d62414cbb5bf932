"""One bar per symbol and date: the newest correction, rounded to the tick.

A bar seen before its release is unfinished and never staged. A row without prices
stays, as nulls: a session without a settlement is a fact.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from cbi_stream import Spec, Symbol, days, handler
from cbi_stream.kernels.release import released_at
from handlers.conform.versions import distinct, standing

_PRICES = ("open", "high", "low", "close")
_CONTENT = (*_PRICES, "volume")


@handler(
    reads={"raw.yahoo": days(), "raw.decisions": days()},
    writes="staging.prices",
    spec=("universe", "data_sources"),
)
def prices(yahoo: pl.DataFrame, decisions: pl.DataFrame, *, spec: Spec) -> pl.DataFrame:
    """Return the standing bar of each symbol and date."""
    rule = spec.data_sources.sources["yahoo"].release
    assert rule is not None, "data_sources.yaml: yahoo has a release rule"
    symbols = spec.universe.symbols
    bars = standing(yahoo, decisions).filter(pl.col("symbol").is_in(list(symbols)))
    bars = bars.with_columns(
        per_unit=pl.col("symbol").replace_strict(
            {name: s.ticks_per_unit for name, s in symbols.items()},
            return_dtype=pl.Float64,
        ),
        knowable_at=released_at(pl.col("date"), **rule.terms),
    )
    bars = bars.filter(pl.col("as_of") >= pl.col("knowable_at")).with_columns(
        *(_to_tick(name, symbols) for name in _PRICES),
        volume=_cell("volume").cast(pl.Int64),
    )
    versions = distinct(bars, key=("symbol", "date"), content=_CONTENT)
    newest = versions.unique(["symbol", "date"], keep="last", maintain_order=True)
    return newest.select(
        "symbol",
        "date",
        *_CONTENT,
        "knowable_at",
        "first_seen_at",
        source=pl.lit("yahoo"),
        # The world could know the price when the first record of it could be known:
        # a correction mends our record, not the past.
        basis=pl.when(pl.col("vintage") > 0)
        .then(pl.lit("correction"))
        .otherwise(pl.lit("rule")),
    )


def _cell(name: str) -> pl.Expr:
    return pl.when(~pl.col(name).is_in(["null", ""])).then(pl.col(name))


def _to_tick(name: str, symbols: Mapping[str, Symbol]) -> pl.Expr:
    # polars divides by a column that it holds as one value by multiplying with the
    # reciprocal, which may miss the double nearest to the decimal price by one bit.
    # Rounding to the price's decimals gives that double either way.
    ticks = (_cell(name).cast(pl.Float64) * pl.col("per_unit")).round()
    rough = ticks / pl.col("per_unit")
    exact = [
        pl.when(pl.col("symbol") == symbol).then(rough.round(entry.decimals))
        for symbol, entry in symbols.items()
    ]
    return pl.coalesce(exact).alias(name)
